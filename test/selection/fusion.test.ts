// Laws of rankings: ordering by score, fusing, and making different.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { diversify } from "../../sidecar/selection/diversity.ts";
import { fuse, type Ranking, rankByScore } from "../../sidecar/selection/fusion.ts";
import { rankByRecency } from "../../sidecar/selection/recency.ts";

const count = 12;
const anyRanking: fc.Arbitrary<Ranking> = fc.shuffledSubarray([...Array(count).keys()]);
const anyScores = fc.array(fc.constantFrom(0, 0.1, 0.5, 0.5, 2), { maxLength: count });
const orderOf = (rankings: readonly Ranking[]): number[] => [...fuse(rankings).keys()];

test("a ranking by score falls, keeps the order of equals, and has what is above zero", () => {
  fc.assert(
    fc.property(anyScores, (scores) => {
      const ranking = rankByScore(scores);
      assert.equal(ranking.length, scores.filter((score) => score > 0).length);
      for (const [at, candidate] of ranking.entries()) {
        const [score = 0, next = 0] = [scores[candidate], scores[ranking[at + 1] ?? -1]];
        assert(score > next || (score === next && candidate < (ranking[at + 1] ?? 0)));
      }
    }),
  );
});

test("the fusion of one ranking, or of it with itself, is that ranking", () => {
  fc.assert(
    fc.property(anyRanking, (ranking) => {
      assert.deepEqual(orderOf([ranking]), ranking);
      assert.deepEqual(orderOf([ranking, ranking]), ranking);
      assert.deepEqual(orderOf([ranking, []]), ranking);
    }),
  );
});

test("a fusion has every candidate once, whatever the order of the rankings", () => {
  fc.assert(
    fc.property(fc.array(anyRanking, { maxLength: 4 }), (rankings) => {
      const fused = orderOf(rankings);
      assert.deepEqual([...fused].sort(), [...new Set(rankings.flat())].sort());
      assert.deepEqual(orderOf(rankings.toReversed()), fused);
    }),
  );
});

test("who is before another in every ranking is before it in the fusion", () => {
  const anyOrder = fc.shuffledSubarray([...Array(6).keys()], { minLength: 6 });
  fc.assert(
    fc.property(anyOrder, anyOrder, (first, second) => {
      const fused = orderOf([first, second]);
      for (const a of fused)
        for (const b of fused)
          if ([first, second].every((ranking) => ranking.indexOf(a) < ranking.indexOf(b)))
            assert(fused.indexOf(a) < fused.indexOf(b), `${a} and ${b} of ${first} | ${second}`);
    }),
  );
});

test("scores are sums of 1 / (60 + rank), ranks from 1", () => {
  assert.deepEqual(
    [...fuse([[7, 3], [3]])],
    [
      [3, 1 / 62 + 1 / 61],
      [7, 1 / 61],
    ],
  );
});

const anyRelevance = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: count });
const likenessOf = (seed: number) => (a: number, b: number) => {
  const [low, high] = a < b ? [a, b] : [b, a];
  return ((seed + 31 * low + 17 * high) % 10) / 10;
};

test("with lambda 1 nothing moves", () => {
  fc.assert(
    fc.property(anyRelevance, fc.nat(9), (relevances, seed) => {
      const scores = fuse([rankByScore(relevances)]);
      const options = { likeness: likenessOf(seed), count, lambda: 1 };
      assert.deepEqual(diversify(scores, options), [...scores.keys()]);
    }),
  );
});

test("the most relevant is first, nothing comes twice, and the count is kept", () => {
  fc.assert(
    fc.property(anyRelevance, fc.nat(9), fc.nat(count), (relevances, seed, most) => {
      const scores = fuse([rankByScore(relevances)]);
      const chosen = diversify(scores, { likeness: likenessOf(seed), count: most });
      assert.equal(chosen.length, Math.min(most, scores.size));
      assert.equal(new Set(chosen).size, chosen.length);
      if (chosen.length > 0) assert.equal(chosen[0], [...scores.keys()][0]);
    }),
  );
});

test("a repetition goes behind what is new", () => {
  const scores = new Map([
    ["a", 1],
    ["copy of a", 0.9],
    ["b", 0.8],
    ["last", 0],
  ]);
  const likeness = (x: string, y: string): number => Number(x.at(-1) === y.at(-1));
  assert.deepEqual(diversify(scores, { likeness, count: 3 }), ["a", "b", "copy of a"]);
});

test("recency: the file edited last first, in it the nearest to the edit", () => {
  const span = (path: string, startLine: number) => ({ path, startLine, endLine: startLine + 10 });
  const spans = [
    span("old", 0),
    span("new", 0),
    span("never", 0),
    span("new", 10),
    span("new", 20),
  ];
  const edits = [
    { path: "old", line: 3, time: 1 },
    { path: "new", line: 19, time: 2 },
  ];
  assert.deepEqual(rankByRecency(spans, edits), [3, 4, 1, 0]);
});
