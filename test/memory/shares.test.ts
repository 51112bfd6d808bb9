import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { shareEvenly } from "../../sidecar/memory/shares.ts";

const cases: [label: string, spans: number[][], options: [number, number], expected: number[][]][] =
  [
    ["every span gets the same", [[100], [100], [100]], [30, 24], [[10], [10], [10]]],
    ["what is left over goes to the best", [[100], [100], [100]], [31, 24], [[10], [10], [11]]],
    ["what a span cannot use goes on", [[4], [100], [100]], [44, 24], [[4], [20], [20]]],
    ["no more than everything", [[4], [5]], [1000, 24], [[4], [5]]],
    ["the worst go when shares get too fine", [[96], [96], [96]], [9, 24], [[], [4], [5]]],
    ["no finer than the ratio asked for", [[96], [96], [96]], [30, 8], [[], [15], [15]]],
    ["pieces of a span have alike ratios", [[100, 50], [10]], [25, 24], [[10, 5], [10]]],
    ["a long span keeps its least", [[24], [2400]], [103, 24], [[3], [100]]],
    ["no budget", [[10], [10]], [0, 24], [[], []]],
    ["no spans", [], [10, 24], []],
  ];

for (const [label, spans, [budget, finestRatio], expected] of cases)
  test(label, () => {
    assert.deepEqual(shareEvenly(spans, { budget, finestRatio }), expected);
  });

test("the budget is never exceeded, and used as far as the spans can", () => {
  const span = fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(span), fc.nat(600), (spans, budget) => {
      const shares = shareEvenly(spans, { budget, finestRatio: 24 });
      const total = shares.flat().reduce((sum, each) => sum + each, 0);
      assert.ok(total <= budget);
      const isServed = (index: number) => (shares[index] ?? []).length > 0;
      const served = spans.filter((_, index) => isServed(index));
      const tokens = served.flat().reduce((sum, each) => sum + each, 0);
      assert.ok(total === budget || total === tokens, `${total} of ${budget}`);
      for (const [index, pieces] of shares.entries())
        for (const [piece, count] of pieces.entries()) {
          const length = spans[index]?.[piece] ?? 0;
          assert.ok(count >= Math.ceil(length / 24) && count <= length);
        }
    }),
  );
});
