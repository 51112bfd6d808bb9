// Random toy tokenizers, models and texts, with the true distribution over the tokens that hold the
// text: by enumeration, in float64.
import assert from "node:assert/strict";
import { type CoverTrie, findCovers, pathTo } from "../../sidecar/alignment/covers.ts";
import { type Cover, idsOf, type Scoring } from "../../sidecar/alignment/exact.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import { bruteForceCovers } from "./brute-force.ts";
import { seededRandom } from "./random.ts";
import { createToyModel, type ToyModel } from "./toy-model.ts";
import { createToyTokenizer, type ToyTokenizer } from "./toy-tokenizer.ts";

const alphabet = "az \n";

/** Token sequences, joined by commas, and their probabilities. */
export type Distribution = ReadonlyMap<string, number>;

export interface ToyCase {
  readonly tokenizer: ToyTokenizer;
  readonly vocabulary: ByteSortedVocabulary;
  readonly model: ToyModel;
  readonly text: string;
  readonly truth: Distribution;
  readonly trie: CoverTrie;
  readonly scoring: Scoring;
  /** A cover's key in `truth`. */
  readonly keyOf: (cover: Cover) => string;
}

export function createToyCase(seed: number): ToyCase {
  const random = seededRandom(seed);
  const tokenizer = createToyTokenizer(alphabet, 10, random);
  const vocabulary = new ByteSortedVocabulary(tokenizer);
  const model = createToyModel(tokenizer, alphabet, seed);
  const length = 1 + Math.floor(random() * 5);
  const text = Array.from({ length }, () => alphabet[Math.floor(random() * 4)]).join("");
  const paths = [...bruteForceCovers(tokenizer, alphabet, text)];
  const truth = normalised(paths.map((path) => [path, pathProbability(model, path)]));
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
  return { tokenizer, vocabulary, model, text, truth, trie, scoring, keyOf };
}

/** The distribution at a temperature: each probability to the power of its inverse. */
export function tempered(distribution: Distribution, temperature: number): Distribution {
  return normalised([...distribution].map(([key, value]) => [key, value ** (1 / temperature)]));
}

function pathProbability(model: ToyModel, path: string): number {
  const ids = path.split(",").map(Number);
  const terms = ids.map((id, at) => model.logProbabilities(ids.slice(0, at))[id] ?? 0);
  return Math.exp(terms.reduce((sum, term) => sum + term, 0));
}

export function normalised(entries: [string, number][]): Distribution {
  const total = entries.reduce((sum, [, value]) => sum + value, 0);
  return new Map(entries.map(([key, value]) => [key, value / total]));
}

export function mostLikely(distribution: Distribution): string {
  return [...distribution].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** Total variation. */
export function distance(a: Distribution, b: Distribution): number {
  const keys = new Set([...a.keys(), ...b.keys()]);
  return (
    [...keys].reduce((sum, key) => sum + Math.abs((a.get(key) ?? 0) - (b.get(key) ?? 0)), 0) / 2
  );
}
