import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import type { VocabularyRecord } from "../../sidecar/tokenizer/vocabulary.ts";
import { mergeByList, mergeRanks } from "../support/merge-by-list.ts";
import { tinyVocabulary } from "../support/vocabularies.ts";

const record = await tinyVocabulary("llama");
const tokenizer = Tokenizer.create(record);
const qwen = Tokenizer.create(await tinyVocabulary("qwen2"));

const splits: readonly (readonly [label: string, Tokenizer, text: string, pieces: string[]])[] = [
  ["merges within a piece", tokenizer, "the const", ["t", "he", " ", "const"]],
  ["keeps a blank with the word behind it", tokenizer, "in the", ["in", " the"]],
  ["keeps all white space before a digit together", tokenizer, "    1", ["    ", "1"]],
  ["leaves the last blank to a word", tokenizer, "     the", ["    ", " the"]],
  ["cuts digits apart", tokenizer, "12", ["1", "2"]],
  ["joins a semicolon and the line end for Qwen", qwen, ");\n\n", [")", ";\n", "\n"]],
  ["cuts before a line end for SmolLM", tokenizer, ");\n\n", [")", ";", "\n\n"]],
  ["is not quiet about empty text", tokenizer, "", []],
];

for (const [label, subject, text, pieces] of splits)
  test(`encoding ${label}`, () => {
    assert.deepEqual(
      [...subject.encode(text)].map((id) => subject.decode([id])),
      pieces,
    );
  });

test("text that spells a special token is text", () => {
  const ids = tokenizer.encode("<|fim_prefix|>the<|im_end|>");
  assert.equal(tokenizer.decode(ids), "<|fim_prefix|>the<|im_end|>");
  assert.ok(ids.every((id) => !tokenizer.isSpecial(id)));
});

test("special tokens are known by name, end a text, and stand for no bytes", () => {
  const id = tokenizer.specialId("<|im_end|>");
  assert.equal(id, 2);
  assert.ok(tokenizer.isSpecial(2) && tokenizer.endIds.has(2) && tokenizer.endIds.has(0));
  assert.deepEqual(tokenizer.bytesOf(2), new Uint8Array());
  assert.equal(tokenizer.specialId("the"), undefined);
  assert.equal(tokenizer.isSpecial(8), false);
});

test("an id outside the vocabulary is a LimitError", () => {
  for (const id of [-1, 0.5, tokenizer.vocabularySize])
    assert.throws(() => tokenizer.bytesOf(id), LimitError);
});

test("a lone surrogate is encoded as U+FFFD", () => {
  assert.deepEqual(tokenizer.encode("a\ud800b\udc80"), tokenizer.encode("a\ufffdb\ufffd"));
});

test("a byte that the vocabulary lacks is left out, counted, and joins nothing", () => {
  const lacking = Tokenizer.create(withoutTokens(record, ["h"]));
  const ids = lacking.encode("thher");
  assert.deepEqual(
    [...ids].map((id) => lacking.decode([id])),
    ["t", "er"],
  );
  assert.equal(lacking.unencodable, 2);
  assert.deepEqual(lacking.encodeBytes(Buffer.from("thher\xff", "latin1")).slice(0, 2), ids);
  assert.equal(lacking.unencodable, 2);
  lacking.encode("te");
  assert.equal(lacking.unencodable, 0);
  lacking.dispose();
});

test("bytes that are text are encoded as that text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.deepEqual(
        tokenizer.encodeBytes(new TextEncoder().encode(text)),
        tokenizer.encode(text),
      );
    }),
  );
});

test("any bytes come back from their ids", () => {
  const bytes = fc.array(fc.oneof(fc.uint8Array({ maxLength: 6 }), codeBytes()));
  fc.assert(
    fc.property(bytes, (parts) => {
      const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
      assert.deepEqual(tokenizer.decodeBytes(tokenizer.encodeBytes(whole)), whole);
    }),
    { numRuns: 1000 },
  );
});

test("U+FEFF and U+0000 are characters like any other", () => {
  const text = "\ufeffthe\u0000\ufeff";
  assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  assert.equal(tokenizer.decode(tokenizer.encodeBytes(Buffer.from(text))), text);
});

const invalidSplits: readonly (readonly [label: string, bytes: string, pieces: string[]])[] = [
  ["the first byte of a cut character", "the\xc3", ["t", "he", "\xc3"]],
  ["a byte that starts nothing", "a\xff the", ["a", "\xff", " the"]],
  ["a continuation byte by itself, a symbol before letters", " \xa9in", [" ", "\xa9", "in"]],
  ["an overlong form, byte by byte", "\xc0\xaf", ["\xc0", "\xaf"]],
  ["a surrogate in UTF-8, byte by byte", "\xed\xa0\x80", ["\xed", "\xa0", "\x80"]],
  ["two bytes of an emoji, which have a token", "\xf0\x9f", ["\xf0\x9f"]],
  ["a whole character after a broken one", "\xc3\xc3\xa9", ["\xc3", "\xc3\xa9"]],
];

for (const [label, bytes, pieces] of invalidSplits)
  test(`bytes that are no text: ${label}`, () => {
    const ids = tokenizer.encodeBytes(Buffer.from(bytes, "latin1"));
    const latin1 = [...ids].map((id) => Buffer.from(tokenizer.bytesOf(id)).toString("latin1"));
    assert.deepEqual(latin1, pieces);
  });

test("a piece too long for tiktoken is merged as the list of merges says", () => {
  const ranks = mergeRanks(record.merges);
  const letters = fc.constantFrom(..."therinconst");
  fc.assert(
    fc.property(fc.string({ unit: letters, minLength: 512, maxLength: 700 }), (text) => {
      const tokens = [...tokenizer.encode(text)].map((id) => record.tokens[id]);
      assert.deepEqual(tokens, mergeByList([...text], ranks));
    }),
    { numRuns: 50 },
  );
});

test("text around a long piece is cut as it is without one", () => {
  const [before, after] = ["const x =  1;\n  ", "\n\n  return the()"];
  for (const run of ["t", " ", "=", "\n", "한"]) {
    const long = run.repeat(600);
    for (const subject of [tokenizer, qwen]) {
      const ids = subject.encode(`${before}${long}${after}`);
      assert.equal(subject.decode(ids), `${before}${long}${after}`);
      const short = subject.encode(`${before}${run.repeat(300)}${after}`);
      assert.deepEqual(ids.slice(0, 8), short.slice(0, 8));
      assert.deepEqual(ids.slice(-6), short.slice(-6));
    }
  }
});

// In tiktoken alone, 100,000 letters take nine seconds, a million a hundred times that.
test("a line of a million equal letters is encoded in the time of a long file", {
  timeout: 60_000,
}, () => {
  for (const letter of ["t", " ", "="]) {
    const text = letter.repeat(1_000_000);
    assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
  }
});

type ErrorClass = typeof FormatError | typeof UnsupportedError;
const faults: readonly (readonly [label: string, Partial<VocabularyRecord>, ErrorClass])[] = [
  ["another kind of vocabulary", { model: "llama" }, UnsupportedError],
  ["an unknown pre-tokeniser", { preTokenizer: "deepseek-llm" }, UnsupportedError],
  ["merges against the order of ids", { merges: record.merges.toReversed() }, UnsupportedError],
  ["a merge into no token", { merges: ["q z"] }, UnsupportedError],
  ["types for other tokens", { tokenTypes: [1] }, FormatError],
  ["an end id outside", { endIds: [record.tokens.length] }, FormatError],
  ["a token outside the byte alphabet", replaceToken("한"), FormatError],
  ["an empty token", replaceToken(""), FormatError],
  ["a token twice", replaceToken("t"), FormatError],
];

for (const [label, change, errorClass] of faults)
  test(`a vocabulary with ${label} is refused with a ${errorClass.name}`, () => {
    assert.throws(() => Tokenizer.create({ ...record, ...change }), errorClass);
  });

test("the pre-tokeniser that is lacking is named", () => {
  assert.throws(
    () => Tokenizer.create({ ...record, preTokenizer: "viking" }),
    /"viking", supported are smollm, qwen2/,
  );
});

function replaceToken(token: string): Partial<VocabularyRecord> {
  return { tokens: record.tokens.with(-1, token), merges: [] };
}

/** The record without some single bytes and all that is merged from them. */
function withoutTokens(whole: VocabularyRecord, bytes: readonly string[]): VocabularyRecord {
  const isKept = (token: string, id: number) =>
    whole.tokenTypes[id] !== 1 || !bytes.some((byte) => token.includes(byte));
  return {
    ...whole,
    tokens: whole.tokens.filter(isKept),
    tokenTypes: whole.tokenTypes.filter((_, id) => isKept(whole.tokens[id] ?? "", id)),
    merges: whole.merges.filter((merge) => !bytes.some((byte) => merge.includes(byte))),
  };
}

function codeBytes(): fc.Arbitrary<Uint8Array> {
  return fc
    .constantFrom("return", " the", "\n", "  ", "é", "👍", ");", "1", "'s")
    .map((text) => new TextEncoder().encode(text));
}
