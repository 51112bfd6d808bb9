import assert from "node:assert/strict";
import { test } from "node:test";
import { blendLatency, debounceMs } from "../../extension/debounce.ts";
import { restartDelayMs } from "../../extension/restart.ts";

test("the debounce is a quarter of the latency, between 20 and 250 ms", () => {
  const cases = [
    [0, 20],
    [80, 20],
    [100, 25],
    [400, 100],
    [1000, 250],
    [60_000, 250],
  ] as const;
  for (const [latencyMs, expected] of cases) assert.equal(debounceMs(latencyMs), expected);
});

test("the latency follows new measurements without jumping to one of them", () => {
  assert.equal(blendLatency(null, 400), 400);
  assert.equal(blendLatency(100, 1100), 400);
  let latencyMs = 2000;
  for (let i = 0; i < 20; i++) latencyMs = blendLatency(latencyMs, 100);
  assert.ok(Math.abs(latencyMs - 100) < 5);
});

test("a sidecar that dies is started again later and later, and at last no more", () => {
  const deaths: number[] = [];
  const delays = [1, 2, 3, 4, 5, 6].map((now) => {
    deaths.push(now);
    return restartDelayMs(deaths, now);
  });
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, null]);
});

test("deaths of long ago are forgotten", () => {
  const now = 10 * 60_000;
  assert.equal(restartDelayMs([1, 2, 3, 4, 5, now], now), 250);
});
