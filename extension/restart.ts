// When a sidecar that died is started again.

/** More deaths than this within the window mean that another start would not help. */
const mostDeaths = 5;
const windowMs = 3 * 60_000;
const firstDelayMs = 250;
const longestDelayMs = 8_000;

/**
 * The wait before the next start, doubled with every death of the last three minutes; null after
 * five, when the user is asked instead. `deaths` are times in ms, the newest included.
 */
export function restartDelayMs(deaths: readonly number[], nowMs: number): number | null {
  const recent = deaths.filter((time) => nowMs - time < windowMs).length;
  if (recent > mostDeaths) return null;
  return Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, recent - 1));
}
