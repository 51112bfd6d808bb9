// What no continuation can change, held against real ones: real code of twelve languages, cut at
// random bytes. The text as it truly goes on shows which tokens hold the typed end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findCovers, pathTo } from "../../sidecar/alignment/covers.ts";
import { createRandom } from "../../sidecar/engine/random.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { readCorpus } from "../support/corpus.ts";
import { realVocabulary } from "../support/vocabularies.ts";

/** For each tokenizer. */
const cutCount = 10_000;
const linesBefore = 6;
const linesBehind = 4;

interface CutText {
  readonly bytes: Uint8Array;
  /** Anywhere in the line that follows the lines before, inside a character too. */
  readonly cut: number;
}

for (const id of ["smollm2-135m", "qwen2.5-coder-0.5b"] as const) {
  test(`${id}: the true tokens of ${cutCount} cut texts are among the covers`, async () => {
    const tokenizer = Tokenizer.create(await realVocabulary(id));
    const vocabulary = new ByteSortedVocabulary(tokenizer);
    for (const { bytes, cut } of cutTexts(cutCount)) checkCut(tokenizer, vocabulary, bytes, cut);
    tokenizer.dispose();
  });
}

function checkCut(
  tokenizer: Tokenizer,
  vocabulary: ByteSortedVocabulary,
  bytes: Uint8Array,
  cut: number,
): void {
  const place = JSON.stringify(Buffer.from(bytes.subarray(0, cut)).toString().slice(-40));
  const typed = tokenizer.encodeBytes(bytes.subarray(0, cut));
  const truth = pathAcross(tokenizer, tokenizer.encodeBytes(bytes), cut);
  const trie = findCovers(tokenizer, vocabulary, typed);
  assert.ok(trie !== null, `${place}: no covers`);
  const kept = typed.subarray(0, trie.keptCount);
  assert.deepEqual(truth.slice(0, kept.length), [...kept], `${place}: the stable part moved`);
  const last = truth.at(-1) ?? Number.NaN;
  const path = truth.slice(kept.length, -1);
  const start = trie.starts.find(
    ({ node }) =>
      pathTo(trie.nodes, node)
        .map((at) => trie.nodes[at]?.id)
        .join() === path.join(),
  );
  assert.ok(start !== undefined, `${place}: no node for the true tokens`);
  const completing = vocabulary.startingWith(start.rest);
  assert.ok(completing.includes(last), `${place}: the true token does not complete the tail`);
  assert.ok(trie.isCanonical(start, last), `${place}: the true cover counts as not canonical`);
}

/** The ids up to the first one that reaches or crosses `cut`. */
function pathAcross(tokenizer: Tokenizer, ids: Uint32Array, cut: number): number[] {
  const path: number[] = [];
  let length = 0;
  for (const id of ids) {
    if (length >= cut) break;
    length += tokenizer.bytesOf(id).length;
    path.push(id);
  }
  return path;
}

/** Every eighth has the line ends of Windows. */
function* cutTexts(count: number): Generator<CutText> {
  const random = createRandom(7);
  const files = readCorpus().map(({ text }) => text.split("\n"));
  for (let index = 0; index < count; index++) {
    const lines = files[Math.floor(random() * files.length)] ?? [];
    const at = Math.floor(random() * (lines.length - linesBefore - linesBehind));
    const end = index % 8 === 0 ? "\r\n" : "\n";
    const textOf = (from: number, to: number) =>
      Buffer.from(
        lines
          .slice(from, to)
          .map((line) => line + end)
          .join(""),
      );
    const before = textOf(at, at + linesBefore);
    const line = textOf(at + linesBefore, at + linesBefore + 1);
    const behind = textOf(at + linesBefore + 1, at + linesBefore + 1 + linesBehind);
    const cut = before.length + Math.floor(random() * (line.length + 1));
    yield { bytes: Buffer.concat([before, line, behind]), cut };
  }
}
