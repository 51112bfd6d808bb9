import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Coalesced } from "../../extension/coalesce.ts";

test("wishes run together, an interval after the first of them, the last one surely", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const times: number[] = [];
  let now = 0;
  const coalesced = new Coalesced(100, () => times.push(now));
  for (now = 0; now < 1000; now += 7) {
    coalesced.wish();
    mock.timers.tick(7);
  }
  assert.ok(times.length >= 9 && times.length <= 10, `${times}`);
  mock.timers.tick(100);
  const count = times.length;
  mock.timers.tick(1000);
  assert.equal(times.length, count);
  assert.ok((times[0] ?? 0) >= 98 - 7, `${times[0]}`);
  coalesced.wish();
  assert.equal(times.length, count);
  mock.timers.tick(100);
  assert.equal(times.length, count + 1);
  coalesced.wish();
  coalesced.dispose();
  mock.timers.tick(1000);
  assert.equal(times.length, count + 1);
  mock.timers.reset();
});

test("what is busy is waited for, up to the longest wait", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let runs = 0;
  let isBusy = true;
  const coalesced = new Coalesced(100, () => runs++, { isBusy: () => isBusy, longestMs: 1000 });
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) mock.timers.tick(10);
  };
  coalesced.wish();
  pass(990);
  assert.equal(runs, 0);
  pass(10);
  assert.equal(runs, 1);
  coalesced.wish();
  pass(250);
  isBusy = false;
  coalesced.wish();
  assert.equal(runs, 1);
  pass(50);
  assert.equal(runs, 2);
  pass(2000);
  assert.equal(runs, 2);
  mock.timers.reset();
});
