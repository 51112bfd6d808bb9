import assert from "node:assert/strict";
import { test } from "node:test";
import { commonLength, encodeHeader, layOut, readLayout } from "../../sidecar/completion/layout.ts";

/** A vocabulary whose ids are character codes, with special tokens from 1000 on. */
function vocabularyWith(special: readonly string[]) {
  return {
    encode: (text: string) => Uint32Array.from(text, (character) => character.charCodeAt(0)),
    specialId: (text: string) =>
      special.includes(text) ? 1000 + special.indexOf(text) : undefined,
    endIds: new Set([7]),
  };
}
const fillInTheMiddle = vocabularyWith([
  "<|fim_prefix|>",
  "<|fim_suffix|>",
  "<|fim_middle|>",
  "<|file_sep|>",
  "<|endoftext|>",
]);
const leftToRight = vocabularyWith([]);
const header = [104];
const prefix = [112, 113];
const suffix = [115];

test("a vocabulary with the tokens for it has the fill-in-the-middle layout", () => {
  assert.deepEqual(layOut(readLayout(fillInTheMiddle), { header, prefix, suffix }), {
    head: [104, 1000, 112, 113],
    suffix: [1001, 115],
    middle: [1002],
  });
});

test("an empty suffix counts as given, none at all does not", () => {
  const layout = readLayout(fillInTheMiddle);
  const given = layOut(layout, { header, prefix, suffix: [] });
  assert.deepEqual([given.suffix, given.middle], [[1001], [1002]]);
  const none = layOut(layout, { header, prefix, suffix: null });
  assert.deepEqual(none, { head: [104, 112, 113], suffix: [], middle: [] });
});

test("a vocabulary that lacks one of the tokens is read left to right", () => {
  const layout = readLayout(vocabularyWith(["<|fim_prefix|>", "<|fim_suffix|>"]));
  const prompt = layOut(layout, { header, prefix, suffix });
  assert.deepEqual(prompt, { head: [104, 112, 113], suffix: [], middle: [] });
});

test("a header is the file token and the path, or a comment", () => {
  const text = (ids: number[]): string => String.fromCharCode(...ids);
  const [token, ...path] = encodeHeader(readLayout(fillInTheMiddle), fillInTheMiddle, "a/b.ts");
  assert.equal(token, 1003);
  assert.equal(text(path), "a/b.ts\n");
  assert.equal(text(encodeHeader(readLayout(leftToRight), leftToRight, "b.ts")), "// b.ts\n");
});

test("an empty prompt is the border between two documents", () => {
  const empty = { header: [], prefix: [], suffix: null };
  assert.deepEqual(layOut(readLayout(fillInTheMiddle), empty).head, [1004]);
  assert.deepEqual(layOut(readLayout(leftToRight), empty).head, [7]);
});

test("the common length is that of the ids both start with", () => {
  assert.equal(commonLength([], [1]), 0);
  assert.equal(commonLength([1, 2, 3], [1, 2, 4, 3]), 2);
  assert.equal(commonLength(Uint32Array.of(1, 2), [1, 2, 3]), 2);
});
