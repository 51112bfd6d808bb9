import assert from "node:assert/strict";
import { test } from "node:test";
import { findCovers } from "../../sidecar/alignment/covers.ts";
import { idsOf, likelyCovers } from "../../sidecar/alignment/exact.ts";
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
  assert.ok(trie !== null);
  const logits = new Float32Array(tokenizer.vocabularySize);
  const rowOf = () => ({ logits, logNormaliser: 0 });
  const covers = likelyCovers({ trie, vocabulary, rowOf }, 1);
  const kept = [...ids.subarray(0, trie.keptCount)];
  const found = covers.map((cover) => [...kept, ...idsOf(trie, cover)].join()).sort();
  assert.deepEqual([...new Set(found)], found, "a cover appears twice");
  const expected = [...bruteForceCovers(tokenizer, alphabet, text)].sort();
  assert.deepEqual(found, expected, JSON.stringify(text));
}

function randomText(random: () => number, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}
