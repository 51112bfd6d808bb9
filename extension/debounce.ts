// How long to wait for the next keystroke before a request is sent. A fast model answers nearly at
// once; on a slow machine a request that the next key makes useless costs more than the wait.

const shortestMs = 20;
const longestMs = 250;
/** Share of the newest measurement: about the last five requests count. */
const newestShare = 0.3;

/** The wait that goes with a measured latency: a quarter of it, between 20 and 250 ms. */
export function debounceMs(latencyMs: number): number {
  return Math.min(longestMs, Math.max(shortestMs, latencyMs / 4));
}

/** The running latency after one more measurement; null before the first. */
export function blendLatency(runningMs: number | null, measuredMs: number): number {
  return runningMs === null ? measuredMs : runningMs + newestShare * (measuredMs - runningMs);
}
