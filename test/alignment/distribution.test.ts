// `exact` gives the true distribution over covers, `token` does not: both against brute force.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findCovers, pathTo } from "../../sidecar/alignment/covers.ts";
import { bestCover, type Cover, idsOf, likelyCovers } from "../../sidecar/alignment/exact.ts";
import { TailFilter } from "../../sidecar/alignment/token.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import { bruteForceCovers } from "./brute-force.ts";
import { seededRandom } from "./random.ts";
import { createToyModel, type ToyModel } from "./toy-model.ts";
import { createToyTokenizer, type ToyTokenizer } from "./toy-tokenizer.ts";

const alphabet = "az \n";

type Distribution = Map<string, number>;

test("exact equals brute force, token differs where there are two covers", () => {
  const tokenDistances: number[] = [];
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const tokenizer = createToyTokenizer(alphabet, 10, random);
    const vocabulary = new ByteSortedVocabulary(tokenizer);
    const model = createToyModel(tokenizer, alphabet, seed);
    const length = 1 + Math.floor(random() * 5);
    const text = Array.from({ length }, () => alphabet[Math.floor(random() * 4)]).join("");
    const truth = normalised(
      [...bruteForceCovers(tokenizer, alphabet, text)].map((path) => [
        path,
        pathProbability(model, path),
      ]),
    );
    const exact = exactDistribution(tokenizer, vocabulary, model, text);
    assert.ok(
      distance(truth, exact.all) < 1e-6,
      `${JSON.stringify(text)}: ${distance(truth, exact.all)}`,
    );
    assert.equal(exact.best, mostLikely(truth));
    if (truth.size > 1)
      tokenDistances.push(distance(truth, tokenDistribution(tokenizer, vocabulary, model, text)));
  }
  const mean = tokenDistances.reduce((a, b) => a + b, 0) / tokenDistances.length;
  assert.ok(tokenDistances.length >= 20, `only ${tokenDistances.length} cases with two covers`);
  assert.ok(mean > 1e-3, `mean distance of token alignment ${mean}`);
});

function exactDistribution(
  tokenizer: ToyTokenizer,
  vocabulary: ByteSortedVocabulary,
  model: ToyModel,
  text: string,
) {
  const ids = Uint32Array.from(tokenizer.encode(text));
  const trie = findCovers(tokenizer, vocabulary, ids);
  assert.ok(trie !== null);
  const kept = [...ids.subarray(0, trie.keptCount)];
  const rowOf = (node: number) => {
    const path = pathTo(trie.nodes, node).map((at) => trie.nodes[at]?.id ?? 0);
    return { logits: model.logProbabilities([...kept, ...path]), logNormaliser: 0 };
  };
  const scoring = { trie, vocabulary, rowOf };
  const keyOf = (cover: Cover) => [...kept, ...idsOf(trie, cover)].join();
  const best = bestCover(scoring);
  return {
    all: normalised(
      likelyCovers(scoring, 1).map((cover) => [keyOf(cover), Math.exp(cover.logProbability)]),
    ),
    best: best && keyOf(best.cover),
  };
}

/** All paths of token alignment with everything taken off, each step renormalised over what is admitted. */
function tokenDistribution(
  tokenizer: ToyTokenizer,
  vocabulary: ByteSortedVocabulary,
  model: ToyModel,
  text: string,
): Distribution {
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

function pathProbability(model: ToyModel, path: string): number {
  const ids = path.split(",").map(Number);
  const terms = ids.map((id, at) => model.logProbabilities(ids.slice(0, at))[id] ?? 0);
  return Math.exp(terms.reduce((sum, term) => sum + term, 0));
}

function normalised(entries: [string, number][]): Distribution {
  const total = entries.reduce((sum, [, value]) => sum + value, 0);
  return new Map(entries.map(([key, value]) => [key, value / total]));
}

function mostLikely(distribution: Distribution): string {
  return [...distribution].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** Total variation. */
function distance(a: Distribution, b: Distribution): number {
  const keys = new Set([...a.keys(), ...b.keys()]);
  return (
    [...keys].reduce((sum, key) => sum + Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0)), 0) / 2
  );
}
