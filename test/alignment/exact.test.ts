import assert from "node:assert/strict";
import { test } from "node:test";
import { findCovers } from "../../sidecar/alignment/covers.ts";
import { likelyCovers } from "../../sidecar/alignment/exact.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import { bruteForceCovers } from "./brute-force.ts";
import { seededRandom } from "./random.ts";
import { createToyTokenizer, type ToyTokenizer } from "./toy-tokenizer.ts";

const alphabet = "abc 1\n";

for (let seed = 1; seed <= 40; seed++) {
  test(`toy tokenizer ${seed}: covers equal those of brute force`, () => {
    const random = seededRandom(seed);
    const tokenizer = createToyTokenizer(alphabet, 18, random);
    const vocabulary = new ByteSortedVocabulary(tokenizer);
    for (let round = 0; round < 6; round++) {
      const text = randomText(random, 1 + Math.floor(random() * 7));
      checkCovers(tokenizer, vocabulary, text);
    }
  });
}

function checkCovers(tokenizer: ToyTokenizer, vocabulary: ByteSortedVocabulary, text: string) {
  const ids = Uint32Array.from(tokenizer.encode(text));
  const trie = findCovers(tokenizer, vocabulary, ids);
  const flat = new Float32Array(tokenizer.vocabularySize);
  const covers = likelyCovers(trie, vocabulary, { logitsOf: () => flat, temperature: 1e9 });
  const kept = [...ids.subarray(0, trie.keptCount)];
  const found = covers.map((cover) => [...kept, ...cover.ids].join()).sort();
  assert.deepEqual([...new Set(found)], found, "a cover appears twice");
  assert.deepEqual(
    found,
    [...bruteForceCovers(tokenizer, alphabet, text)].sort(),
    JSON.stringify(text),
  );
}

function randomText(random: () => number, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}
