// A random language model over a toy tokenizer, renormalised over canonical continuations: a random
// model as such would put most of its mass on sequences that no tokenizer makes.
import { seededRandom } from "./random.ts";
import type { ToyTokenizer } from "./toy-tokenizer.ts";

/** Continuations that decide whether a token can come next; see `continuationLength` of the tests. */
const lookahead = 2;

export interface ToyModel {
  /** log p(. | path), [vocabulary]; minus infinity for tokens that no text's encoding has there. */
  logProbabilities(path: readonly number[]): Float64Array;
}

export function createToyModel(tokenizer: ToyTokenizer, alphabet: string, seed: number): ToyModel {
  const rows = new Map<string, Float64Array>();
  return {
    logProbabilities(path) {
      const key = path.join();
      const known = rows.get(key);
      if (known !== undefined) return known;
      const random = seededRandom(hash(key) ^ seed);
      const weights = Array.from({ length: tokenizer.vocabularySize }, (_, id) => {
        const weight = Math.exp(3 * random());
        return isCanonical(tokenizer, alphabet, [...path, id]) ? weight : 0;
      });
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const row = Float64Array.from(weights, (weight) => Math.log(weight / sum));
      rows.set(key, row);
      return row;
    },
  };
}

/** Whether the encoding of some text begins with `path`. */
function isCanonical(tokenizer: ToyTokenizer, alphabet: string, path: readonly number[]): boolean {
  const text = path.map((id) => tokenizer.textOf(id)).join("");
  const visit = (continuation: string): boolean => {
    const ids = tokenizer.encode(text + continuation);
    if (path.every((id, at) => ids[at] === id)) return true;
    if (continuation.length === lookahead) return false;
    return [...alphabet].some((character) => visit(continuation + character));
  };
  return visit("");
}

function hash(text: string): number {
  let value = 0x811c9dc5; // FNV-1a, 32 bits
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  return value;
}
