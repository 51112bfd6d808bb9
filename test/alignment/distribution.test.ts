// `exact` gives the true distribution over covers, greedy and sampled; `token` does not. Both against
// brute force.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseCover, likelyCovers } from "../../sidecar/alignment/exact.ts";
import { TailFilter } from "../../sidecar/alignment/token.ts";
import { createSampler } from "../../sidecar/engine/sampler.ts";
import {
  createToyCase,
  type Distribution,
  distance,
  mostLikely,
  normalised,
  type ToyCase,
  tempered,
} from "./toy-cases.ts";

const greedy = { temperature: 0, draw: () => assert.fail("nothing is drawn") };
const cases = Array.from({ length: 60 }, (_, index) => createToyCase(index + 1));
const ambiguous = cases.filter(({ truth }) => truth.size > 1);

test("there are cases with two covers and more", () => {
  assert.ok(ambiguous.length >= 20, `only ${ambiguous.length}`);
});

test("exact, greedy: the cover is the most likely one of brute force", () => {
  for (const { scoring, truth, text, keyOf } of cases) {
    const chosen = chooseCover(scoring, greedy);
    assert.equal(chosen && keyOf(chosen.cover), mostLikely(truth), JSON.stringify(text));
  }
});

for (const temperature of [0.7, 1, 1.5]) {
  test(`exact at temperature ${temperature}: the distribution is that of brute force`, () => {
    for (const { scoring, truth, text, keyOf } of cases) {
      const covers = likelyCovers(scoring, temperature);
      const found = normalised(
        covers.map((cover) => [keyOf(cover), Math.exp(cover.logProbability / temperature)]),
      );
      const apart = distance(tempered(truth, temperature), found);
      assert.ok(apart < 1e-6, `${JSON.stringify(text)}: ${apart}`);
    }
  });

  test(`exact at temperature ${temperature}: draws follow the distribution of brute force`, () => {
    for (const each of ambiguous.slice(0, 12)) {
      const expected = tempered(each.truth, temperature);
      checkDraws(expected, drawn(each, { temperature, topP: 1 }), JSON.stringify(each.text));
    }
  });
}

test("exact with top-p draws from the smallest set of covers that has the mass", () => {
  for (const each of ambiguous.slice(0, 12)) {
    const nucleus = nucleusOf(each.truth, 0.6);
    const counts = drawn(each, { temperature: 1, topP: 0.6 });
    checkDraws(nucleus, counts, JSON.stringify(each.text));
  }
});

test("equal seeds draw equal covers", () => {
  const [first] = ambiguous;
  assert.ok(first !== undefined);
  const sampling = { temperature: 1, topP: 1 };
  assert.deepEqual(drawn(first, sampling), drawn(first, sampling));
});

test("token alignment is apart from brute force where there are two covers", () => {
  const distances = ambiguous.map((each) => distance(each.truth, tokenDistribution(each)));
  const mean = distances.reduce((sum, each) => sum + each, 0) / distances.length;
  assert.ok(mean > 1e-3, `mean distance ${mean}`);
});

const drawCount = 5000;

function drawn(
  { scoring, keyOf }: ToyCase,
  sampling: { temperature: number; topP: number },
): Map<string, number> {
  const sampler = createSampler({ ...sampling, seed: 11 });
  const draw = (scores: Float32Array) => sampler(scores).id;
  const counts = new Map<string, number>();
  for (let round = 0; round < drawCount; round++) {
    const chosen = chooseCover(scoring, { temperature: sampling.temperature, draw });
    assert.ok(chosen !== null);
    const key = keyOf(chosen.cover);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/**
 * Pearson's chi-square over the covers expected at least five times. Its mean is its degrees of
 * freedom d and its variance 2d: five standard deviations are out of reach for a fair draw.
 */
function checkDraws(expected: Distribution, counts: Map<string, number>, label: string): void {
  for (const key of counts.keys()) assert.ok(expected.has(key), `${label}: ${key} was drawn`);
  let chiSquare = 0;
  let freedom = -1;
  for (const [key, probability] of expected) {
    const wanted = probability * drawCount;
    if (wanted < 5) continue;
    chiSquare += ((counts.get(key) ?? 0) - wanted) ** 2 / wanted;
    freedom += 1;
  }
  const limit = freedom + 5 * Math.sqrt(2 * Math.max(1, freedom));
  assert.ok(chiSquare <= limit, `${label}: chi-square ${chiSquare} of at most ${limit}`);
}

function nucleusOf(distribution: Distribution, topP: number): Distribution {
  const kept: [string, number][] = [];
  let mass = 0;
  for (const entry of [...distribution].sort((a, b) => b[1] - a[1])) {
    if (mass >= topP) break;
    kept.push(entry);
    mass += entry[1];
  }
  return normalised(kept);
}

/** All paths of token alignment with everything taken off, each step renormalised over what is admitted. */
function tokenDistribution({ tokenizer, vocabulary, model, text }: ToyCase): Distribution {
  const found: [string, number][] = [];
  const visit = (path: number[], probability: number) => {
    const filter = new TailFilter(vocabulary, new TextEncoder().encode(text));
    for (const id of path) filter.accept(tokenizer.bytesOf(id));
    const admitted = filter.admitted();
    if (admitted === null) {
      found.push([path.join(), probability]);
      return;
    }
    const row = model.logProbabilities(path);
    const mass = [...admitted].reduce((sum, id) => sum + Math.exp(row[id] ?? 0), 0);
    for (const id of admitted) {
      const own = Math.exp(row[id] ?? 0);
      if (own > 0) visit([...path, id], (probability * own) / mass);
    }
  };
  visit([], 1);
  return normalised(found);
}
