import assert from "node:assert/strict";
import { test } from "node:test";
import { findCovers } from "../../sidecar/alignment/covers.ts";
import { idsOf, likelyCovers } from "../../sidecar/alignment/exact.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import { bruteForceCovers } from "./brute-force.ts";
import { seededRandom } from "./random.ts";
import { createToyTokenizer, type ToyTokenizer } from "./toy-tokenizer.ts";

// Words and digits, and white space above all: the longer a run, the more ways to cut it.
for (const alphabet of ["abz 1\n", "az \n"]) {
  for (let seed = 1; seed <= 40; seed++) {
    const name = `toy tokenizer ${seed} of ${JSON.stringify(alphabet)}`;
    test(`${name}: covers equal those of brute force`, () => {
      const random = seededRandom(seed);
      const tokenizer = createToyTokenizer(alphabet, 18, random);
      for (let round = 0; round < 6; round++) checkCovers(tokenizer, alphabet, random);
    });
  }
}

function checkCovers(tokenizer: ToyTokenizer, alphabet: string, random: () => number) {
  const vocabulary = new ByteSortedVocabulary(tokenizer);
  const text = randomText(alphabet, random, 1 + Math.floor(random() * 7));
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

function randomText(alphabet: string, random: () => number, length: number): string {
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}
