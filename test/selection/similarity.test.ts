// Likeness of sets and vectors, and the search among many vectors by their signs.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRandom } from "../../sidecar/engine/random.ts";
import { identifiersOf, termsOf } from "../../sidecar/selection/identifiers.ts";
import { filteredCount, nearest, type SignTable } from "../../sidecar/selection/nearest.ts";
import { cosine, hamming, jaccard, signBits } from "../../sidecar/selection/similarity.ts";

const anySet = fc
  .uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"))
  .map((list) => new Set(list));
const anyVectors = fc
  .integer({ min: 1, max: 70 })
  .chain((length) =>
    fc.tuple(
      ...[0, 1].map(() =>
        fc
          .array(fc.float({ min: -4, max: 4, noNaN: true }), {
            minLength: length,
            maxLength: length,
          })
          .map((list) => Float32Array.from(list)),
      ),
    ),
  )
  .map(([a = new Float32Array(0), b = new Float32Array(0)]) => ({ a, b }));

test("Jaccard is the share of what is in both", () => {
  fc.assert(
    fc.property(anySet, anySet, (a, b) => {
      const all = new Set([...a, ...b]);
      const both = [...a].filter((each) => b.has(each));
      assert.equal(jaccard(a, b), all.size === 0 ? 0 : both.length / all.size);
      assert.equal(jaccard(a, b), jaccard(b, a));
    }),
  );
});

test("the cosine is symmetric, does not ask for length, and is 1 with oneself", () => {
  fc.assert(
    fc.property(anyVectors, ({ a, b }) => {
      const value = cosine(a, b);
      assert(value >= -1 - 1e-6 && value <= 1 + 1e-6);
      assert.equal(value, cosine(b, a));
      const double = a.map((x) => 2 * x);
      assert(Math.abs(cosine(double, b) - value) < 1e-6);
      if (a.some((x) => Math.abs(x) > 1e-3)) assert(Math.abs(cosine(a, a) - 1) < 1e-6);
    }),
  );
});

test("the Hamming distance of signs counts the dimensions of unlike sign", () => {
  fc.assert(
    fc.property(anyVectors, ({ a, b }) => {
      const unlike = [...a].filter((x, index) => x > 0 !== (b[index] ?? 0) > 0).length;
      assert.equal(hamming(signBits(a), signBits(b)), unlike);
      const both = Uint32Array.from([...signBits(a), ...signBits(b)]);
      assert.equal(hamming(signBits(a), both, signBits(a).length), unlike);
    }),
  );
});

test("a vector is its own nearest, and 64 vectors of ten thousand are looked at", () => {
  const { vectors, table } = randomTable(10_000, 96);
  for (const index of [0, 4_711, 9_999]) {
    let looked = 0;
    const found = nearest(vectors[index] ?? new Float32Array(96), table, (at) => {
      looked += 1;
      return vectors[at] ?? null;
    });
    assert.equal(found[0]?.index, index);
    assert.equal(looked, filteredCount);
    const scores = found.map(({ score }) => score);
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    );
  }
});

test("of what is few enough the order is that of the cosine", () => {
  const { vectors, table } = randomTable(filteredCount, 40);
  const [query = new Float32Array(40)] = vectors;
  const found = nearest(query, table, (at) => vectors[at] ?? null, 10);
  const expected = vectors
    .map((vector, index) => ({ index, score: cosine(query, vector) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, 10);
  assert.deepEqual(found, expected);
});

test("vectors that are gone are left out, and nothing is near in an empty table", () => {
  const { vectors, table } = randomTable(5, 40);
  const query = new Float32Array(40).fill(1);
  const found = nearest(query, table, (at) => (at === 2 ? null : (vectors[at] ?? null)));
  assert.deepEqual(found.map(({ index }) => index).sort(), [0, 1, 3, 4]);
  assert.deepEqual(
    nearest(query, randomTable(0, 40).table, () => null),
    [],
  );
});

const texts: [text: string, identifiers: string, terms: string][] = [
  ["const userName = getUser(a);", "userName getUser", "userName user name getUser get user"],
  [
    "HTTPServer.read_all_lines()",
    "HTTPServer read_all_lines",
    "HTTPServer http server read_all_lines read all lines",
  ],
  ["for (const x of list) return null;", "list", "list"],
  ["größe = $scope.naïve2Ways", "größe $scope naïve2Ways", "größe $scope naïve2Ways naïve2 ways"],
  ["1 + 2 // 3", "", ""],
];
for (const [text, identifiers, terms] of texts)
  test(`identifiers and terms of ${text}`, () => {
    assert.equal(identifiersOf(text).join(" "), identifiers);
    assert.equal(termsOf(text).join(" "), terms);
  });

function randomTable(
  count: number,
  dimensions: number,
): { vectors: Float32Array[]; table: SignTable } {
  const random = createRandom(7);
  const vectors = Array.from({ length: count }, () =>
    Float32Array.from({ length: dimensions }, () => random() - 0.5),
  );
  const words = Math.ceil(dimensions / 32);
  const bits = new Uint32Array(count * words);
  for (const [index, vector] of vectors.entries()) bits.set(signBits(vector), index * words);
  return { vectors, table: { count, words, bits } };
}
