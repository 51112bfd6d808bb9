import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bestId, createSampler, logProbability } from "../../sidecar/engine/sampler.ts";

// Few distinct values, so that equal maxima are common; and one far below what floats can weigh.
const logits = fc
  .array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ min: -60, max: 20, noNaN: true })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((values) => Float32Array.from(values));
const seed = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

test("greedy takes the lowest id among equal maxima, whatever the seed", () => {
  fc.assert(
    fc.property(logits, seed, (values, seed) => {
      const { id } = createSampler({ temperature: 0, topP: 1, seed })(values);
      assert.equal(id, values.indexOf(Math.max(...values)));
    }),
  );
});

test("top-p just above 0 equals greedy", () => {
  fc.assert(
    fc.property(logits, seed, fc.double({ min: 0.01, max: 4, noNaN: true }), (values, seed, t) => {
      const { id } = createSampler({ temperature: t, topP: 1e-9, seed })(values);
      assert.equal(id, bestId(values));
    }),
  );
});

test("equal seeds give equal ids, and another seed other ids", () => {
  const uniform = new Float32Array(1000);
  const draws = (seed: number) => {
    const sampler = createSampler({ temperature: 1, topP: 1, seed });
    return Array.from({ length: 20 }, () => sampler(uniform).id);
  };
  assert.deepEqual(draws(7), draws(7));
  assert.notDeepEqual(draws(7), draws(8));
  assert.notDeepEqual(draws(7), draws(7 + 2 ** 32));
});

test("every drawn id lies in the nucleus of plain sorting", () => {
  const topP = fc.double({ min: 0.05, max: 1, noNaN: true });
  fc.assert(
    fc.property(logits, seed, topP, (values, seed, topP) => {
      const sampler = createSampler({ temperature: 0.8, topP, seed });
      const nucleus = plainNucleus(values, 0.8, topP);
      for (let count = 0; count < 5; count++) assert(nucleus.has(sampler(values).id));
    }),
    { numRuns: 500 },
  );
});

const frequencyCases: [label: string, temperature: number, topP: number][] = [
  ["temperature 1", 1, 1],
  ["temperature 0.5", 0.5, 1],
  ["top-p 0.8", 1, 0.8],
];
for (const [label, temperature, topP] of frequencyCases) {
  test(`ids come as often as the distribution says: ${label}`, () => {
    const values = Float32Array.of(2, 1, 0, 1.5, -1, 2);
    const nucleus = plainNucleus(values, temperature, topP);
    const sampler = createSampler({ temperature, topP, seed: 3 });
    const draws = 20_000;
    const ids = Array.from({ length: draws }, () => sampler(values).id);
    for (const id of values.keys()) {
      const count = ids.filter((drawn) => drawn === id).length;
      const expected = nucleus.get(id) ?? 0;
      // Four standard deviations of a share of 20,000 draws are at most 0.0142.
      assert(
        Math.abs(count / draws - expected) < 0.0142,
        `id ${id}: ${count / draws}, ${expected}`,
      );
    }
  });
}

test("only admitted ids are chosen, the best of them by greedy", () => {
  const someIds = logits.chain((values) =>
    fc.record({
      values: fc.constant(values),
      admitted: fc
        .uniqueArray(fc.nat({ max: values.length - 1 }), { minLength: 1 })
        .map((ids) => Uint32Array.from(ids)),
    }),
  );
  fc.assert(
    fc.property(someIds, seed, ({ values, admitted }, seed) => {
      const greedy = createSampler({ temperature: 0, topP: 1, seed })(values, admitted);
      const highest = Math.max(...[...admitted].map((id) => values[id] ?? 0));
      const expected = [...admitted].sort((a, b) => a - b).find((id) => values[id] === highest);
      assert.equal(greedy.id, expected);
      const { id } = createSampler({ temperature: 2, topP: 0.9, seed })(values, admitted);
      assert(admitted.includes(id));
    }),
  );
});

test("a log-probability is that of the whole softmax, without temperature, top-p and filter", () => {
  fc.assert(
    fc.property(logits, seed, (values, seed) => {
      const mass = [...values].reduce((sum, logit) => sum + Math.exp(logit), 0);
      const options = { temperature: 3, topP: 0.5, seed };
      const { id, logProbability } = createSampler(options)(values, Uint32Array.of(0));
      assert.equal(id, 0);
      assert(Math.abs(logProbability - ((values[0] ?? 0) - Math.log(mass))) < 1e-6);
    }),
  );
});

test("log-probabilities of a large vocabulary sum to 1", () => {
  const values = Float32Array.from({ length: 5000 }, (_, id) => 12 * Math.sin(id * id));
  let sum = 0;
  for (let id = 0; id < values.length; id += 1) sum += Math.exp(logProbability(values, id));
  assert(Math.abs(sum - 1) < 1e-6, `${sum}`);
});

/** Share of every id in the nucleus, by sorting them all. */
function plainNucleus(
  values: Float32Array,
  temperature: number,
  topP: number,
): Map<number, number> {
  const highest = Math.max(...values);
  const weights = Array.from(values, (logit) => Math.exp((logit - highest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = [...weights.keys()].sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
  const shares = new Map<number, number>();
  let mass = 0;
  for (const id of order) {
    // Weights that only differ by rounding may fall on either side of the border.
    if (mass >= topP * total * (1 + 1e-7)) break;
    mass += weights[id] ?? 0;
    shares.set(id, weights[id] ?? 0);
  }
  return new Map([...shares].map(([id, weight]) => [id, weight / mass]));
}
