import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createStreamDecoder } from "../../sidecar/tokenizer/stream-decoder.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { tinyVocabulary } from "../support/vocabularies.ts";

const cases: readonly (readonly [label: string, chunks: string[], shown: string[]])[] = [
  ["a character appears with its last byte", ["a\xc3", "\xa9b"], ["a", "éb", ""]],
  ["an emoji appears whole", ["\xf0", "\x9f", "\x91", "\x8d"], ["", "", "", "👍", ""]],
  ["a byte that fits nothing appears at once", ["a\xff", "b"], ["a\ufffd", "b", ""]],
  ["a broken character appears when it breaks", ["\xf0\x9f", "a"], ["", "\ufffda", ""]],
  ["a character cut by the end appears at the end", ["x\xe2\x82"], ["x", "\ufffd"]],
  ["U+FEFF at the start stays", ["\xef\xbb", "\xbfx"], ["", "\ufeffx", ""]],
  ["no bytes show nothing", ["", "\xc3", "", "\xa9"], ["", "", "", "é", ""]],
];

for (const [label, chunks, shown] of cases)
  test(label, () => {
    assert.deepEqual(stream(chunks.map((chunk) => Buffer.from(chunk, "latin1"))), shown);
  });

test("a decoder starts anew after the end of a text", () => {
  const decoder = createStreamDecoder(() => Uint8Array.of(0xc3));
  assert.deepEqual(
    [decoder.push(0), decoder.end(), decoder.push(0), decoder.end()],
    ["", "\ufffd", "", "\ufffd"],
  );
});

test("a stream shows what the whole shows, wherever it is cut, and never part of a pair", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom("é", "한", "👍🏽", "\ufeff", "a").map((text) => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(fc.array(bytes), fc.array(fc.nat({ max: 5 })), (parts, lengths) => {
      const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
      const shown = stream(cut(whole, lengths));
      assert.equal(shown.join(""), new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole));
      for (const text of shown) assert.equal(Buffer.from(text).toString(), text);
    }),
    { numRuns: 2000 },
  );
});

test("a stream of ids shows what decoding all of them shows", async () => {
  const tokenizer = Tokenizer.create(await tinyVocabulary());
  fc.assert(
    fc.property(fc.array(fc.nat({ max: tokenizer.vocabularySize - 1 })), (ids) => {
      const decoder = tokenizer.createStreamDecoder();
      const shown = ids.map((id) => decoder.push(id)).join("") + decoder.end();
      assert.equal(shown, tokenizer.decode(ids));
    }),
  );
  tokenizer.dispose();
});

/** What each chunk shows, then what the end shows. */
function stream(chunks: readonly Uint8Array[]): string[] {
  const decoder = createStreamDecoder((index) => chunks[index] ?? new Uint8Array());
  return [...chunks.map((_, index) => decoder.push(index)), decoder.end()];
}

/** Chunks of the given lengths, then single bytes. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0, index = 0; start < bytes.length; index += 1) {
    const end = start + (lengths[index] ?? 1);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}
