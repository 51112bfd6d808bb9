// Several continuations in one run, on the tiny model in float32.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTiny } from "../support/tiny-engine.ts";

const prompt = [5, 9, 14, 7, 21];
//           0   1   2   3   4   5
const ids = [30, 31, 32, 33, 34, 35];
const parents = [-1, -1, 0, 0, 2, 1];

for (const architecture of ["llama", "qwen2"] as const) {
  test(`${architecture}: a tree's logits are those of its paths run alone`, async (t) => {
    const { engine, close } = await openTiny({ architecture });
    t.after(close);
    const cache = engine.createCache(64);
    await engine.run(cache, prompt);
    const tree = await engine.run(cache, ids, { parents, logitsAt: "all" });
    for (const row of ids.keys()) {
      const alone = engine.createCache(64);
      const path = pathTo(row).map((at) => ids[at] ?? 0);
      const { logits } = await engine.run(alone, [...prompt, ...path], { logitsAt: "last" });
      checkRow(tree.logits, row, logits);
    }
  });

  test(`${architecture}: a path kept from a tree is as if it alone had been run`, async (t) => {
    const { engine, close } = await openTiny({ architecture });
    t.after(close);
    const cache = engine.createCache(64);
    await engine.run(cache, prompt);
    await engine.run(cache, ids, { parents, logitsAt: "all" });
    const path = pathTo(4);
    cache.keepRows(
      prompt.length,
      path.map((row) => prompt.length + row),
    );
    const next = await engine.run(cache, [40], { logitsAt: "last" });
    const fresh = engine.createCache(64);
    const whole = [...prompt, ...path.map((at) => ids[at] ?? 0), 40];
    const expected = await engine.run(fresh, whole, { logitsAt: "last" });
    assert.equal(cache.length, whole.length);
    checkRow(next.logits, 0, expected.logits);
  });
}

function pathTo(row: number): number[] {
  const parent = parents[row] ?? -1;
  return parent < 0 ? [row] : [...pathTo(parent), row];
}

/** float32 sums in another order: 1e-4 of logits of size 1. */
function checkRow(found: Float32Array, row: number, expected: Float32Array): void {
  const size = expected.length;
  for (const [index, value] of expected.entries())
    assert.ok(Math.abs((found[row * size + index] ?? 0) - value) < 1e-4, `logit ${index}`);
}
