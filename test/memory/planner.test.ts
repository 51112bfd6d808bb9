import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planShares } from "../../sidecar/memory/planner.ts";

type Span = [pieces: number[], chance: number];
const equal = (...spans: number[][]): Span[] => spans.map((pieces) => [pieces, 1]);

const cases: [label: string, spans: Span[], options: [number, number], positions: number[][]][] = [
  ["equal chances give even shares", equal([96], [96], [96]), [24, 24], [[8], [8], [8]]],
  ["what is left over goes to the last", equal([96], [96], [96]), [25, 24], [[8], [8], [9]]],
  ["what a span cannot use goes on", equal([4], [96], [96]), [28, 24], [[4], [12], [12]]],
  ["no more than everything", equal([4], [5]), [1000, 24], [[4], [5]]],
  ["the first go when shares get too fine", equal([96], [96], [96]), [9, 24], [[], [4], [5]]],
  ["no finer than the ratio asked for", equal([96], [96], [96]), [30, 8], [[], [15], [15]]],
  ["pieces of a span have alike ratios", equal([100, 50]), [15, 24], [[10, 5]]],
  [
    "a span too long for the budget leaves it to the others",
    equal([96], [960]),
    [30, 24],
    [[30], []],
  ],
  ["no budget", equal([10], [10]), [0, 24], [[], []]],
  ["no spans", [], [10, 24], []],
  [
    "a likely span gets more",
    [
      [[96], 1],
      [[96], 9],
    ],
    [40, 24],
    [[4], [36]],
  ],
  [
    "a near certain one stands whole",
    [
      [[96], 1],
      [[96], 999],
    ],
    [100, 24],
    [[4], [96]],
  ],
  [
    "chances count in proportion",
    [
      [[96], 0.001],
      [[96], 0.999],
    ],
    [100, 24],
    [[4], [96]],
  ],
];

for (const [label, spans, [budget, finestRatio], expected] of cases)
  test(label, () => {
    const candidates = spans.map(([pieces, chance]) => ({ pieces, chance }));
    const shares = planShares(candidates, { budget, finestRatio });
    assert.deepEqual(
      shares.map(({ positions }) => positions),
      expected,
    );
  });

test("what became of a span is said", () => {
  const candidates = [
    { pieces: [960], chance: 1 },
    { pieces: [96], chance: 1 },
    { pieces: [10], chance: 999 },
  ];
  const shares = planShares(candidates, { budget: 30, finestRatio: 24 });
  assert.deepEqual(
    shares.map(({ outcome }) => outcome),
    ["no-room", "compressed", "whole"],
  );
});

const span = fc.record({
  pieces: fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 4 }),
  chance: fc.double({ min: 0, max: 1, noNaN: true }),
});

test("a mark for every piece is part of the budget", () => {
  const options = { budget: 10, finestRatio: 24, markTokens: 1 };
  const [none, both] = planShares(
    [
      { pieces: [24, 240], chance: 1 },
      { pieces: [48, 24], chance: 2 },
    ],
    options,
  );
  assert.deepEqual([none?.positions, sum(both?.positions ?? [])], [[], 8]);
  fc.assert(
    fc.property(fc.array(span), fc.nat(600), (candidates, budget) => {
      const shares = planShares(candidates, { ...options, budget });
      const positions = shares.flatMap((each) => each.positions);
      assert.ok(sum(positions) + positions.length <= budget);
    }),
  );
});

test("no piece gets more than the least ratio allows, and as much where there is room", () => {
  fc.assert(
    fc.property(fc.array(span), fc.nat(600), (candidates, budget) => {
      const options = { finestRatio: 24, leastRatio: 4 };
      const most = candidates.map(({ pieces }) => pieces.map((count) => Math.ceil(count / 4)));
      for (const [index, { positions }] of planShares(candidates, { ...options, budget }).entries())
        for (const [piece, count] of positions.entries())
          assert.ok(count <= (most[index]?.[piece] ?? 0), `${count} for piece ${piece}`);
      const wide = planShares(candidates, { ...options, budget: sum(most.flat()) });
      assert.deepEqual(
        wide.map(({ positions }) => positions),
        most,
      );
    }),
  );
});

test("the budget is never exceeded, and used as far as the spans can", () => {
  fc.assert(
    fc.property(fc.array(span), fc.nat(600), (candidates, budget) => {
      const shares = planShares(candidates, { budget, finestRatio: 24 });
      const total = sum(shares.flatMap(({ positions }) => positions));
      const left = budget - total;
      assert.ok(left >= 0);
      for (const [index, { positions, outcome }] of shares.entries()) {
        const { pieces = [] } = candidates[index] ?? {};
        const least = pieces.map((count) => Math.ceil(count / 24));
        if (outcome === "no-room") assert.ok(positions.length === 0 && sum(least) > left);
        else {
          assert.equal(outcome === "whole", sum(positions) === sum(pieces));
          assert.ok(left === 0 || outcome === "whole", `${left} of ${budget} left`);
          assert.ok(positions.every((count, piece) => count >= (least[piece] ?? 0)));
          assert.ok(positions.every((count, piece) => count <= (pieces[piece] ?? 0)));
        }
      }
    }),
  );
});

test("of spans of one length the likelier one never gets less", () => {
  const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(chances, fc.nat(600), (each, budget) => {
      const candidates = each.sort((a, b) => a - b).map((chance) => ({ pieces: [96], chance }));
      const shares = planShares(candidates, { budget, finestRatio: 24 });
      const totals = shares.map(({ positions }) => sum(positions));
      assert.deepEqual(
        totals,
        [...totals].sort((a, b) => a - b),
      );
    }),
  );
});

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
