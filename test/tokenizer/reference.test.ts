// Ids on real vocabularies against an independent tokenizer, on real code and on hard text.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toUSVString } from "node:util";
import fc from "fast-check";
import { byteAlphabet } from "../../sidecar/tokenizer/byte-alphabet.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import type { VocabularyRecord } from "../../sidecar/tokenizer/vocabulary.ts";
import { readCorpus } from "../support/corpus.ts";
import { mergeByList, mergeRanks } from "../support/merge-by-list.ts";
import { referenceTokenizer } from "../support/reference-tokenizer.ts";
import { realVocabulary } from "../support/vocabularies.ts";
import type { RealModelId } from "../support/weights.ts";

const corpus = readCorpus();
const lines = corpus.flatMap(({ text }) => text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
const ids: readonly RealModelId[] = ["smollm2-135m", "qwen2.5-coder-0.5b"];

const hardTexts: readonly string[] = [
  "",
  "x",
  "안녕하세요, 세계! 값 = 함수(인자1, 인자2);",
  "👩‍👩‍👧‍👦👍🏽 🇰🇷 it’s ✅ done 🚀🚀🚀 // 🤷‍♂️\n",
  "日本語のコメント。中文注释，没有空格的一行文字\n\tрусский комментарий",
  "a\r\nb\rc\n\r\n\r\r\n\n  \r\n\t\tx\r\n",
  "x =  1\n  y =   22\n\n\n   z",
  "  \n\t \n   if (a1b22c333)  {\n",
  "I'm it's IT'S we'LL they'd 'tis ''s 'S\n",
  "e\u0301 \u00e9 \u1112\u1161\u11ab ﬁ ½ Ⅷ ٣٤ 𝟙",
  "a\u00a0b\u3000c\u2028d\u0085e\u200bf\ufeffg \u00a0 1",
  "<|endoftext|><|fim_prefix|>def f():<|fim_suffix|><file_sep><|im_end|>\n",
  "\u0000\u0001\u0004\u0006 \u0013\u0014\u0016\u001d\u007f  \u0004  x",
  "\u{40000}\u{10ffff} \u{50000}\u{e0001}",
  "\ud800 lone \udfff surrogates \udc80",
];

for (const id of ids) {
  test(`${id}: ids of 20,000 lines of code equal the reference, whole files and single lines`, async () => {
    assert.ok(lines.length >= 20_000, `${lines.length} lines`);
    assert.ok(new Set(corpus.map(({ language }) => language)).size >= 10);
    await checkIds(
      id,
      corpus.map(({ text }) => text),
    );
    await checkIds(id, lines);
  });

  test(`${id}: ids of hard text equal the reference`, () => checkIds(id, hardTexts));

  test(`${id}: ids of random text equal the reference`, async () => {
    const record = await realVocabulary(id);
    const reference = referenceTokenizer(record);
    withTokenizer(record, (tokenizer) =>
      fc.assert(
        fc.property(hardText(), (text) => {
          assert.deepEqual([...tokenizer.encode(text)], reference(text));
        }),
        { numRuns: 3000, seed: 1 },
      ),
    );
  });

  test(`${id}: every token is what the list of merges makes of its bytes`, async () => {
    const { tokens, tokenTypes, merges } = await realVocabulary(id);
    const ranks = mergeRanks(merges);
    const strays = tokens.filter(
      (token, index) => tokenTypes[index] === 1 && mergeByList([...token], ranks).length > 1,
    );
    assert.deepEqual(strays, []);
  });

  test(`${id}: encoding loses nothing but the bytes that the vocabulary lacks`, async () => {
    const record = await realVocabulary(id);
    const present = presentBytes(record);
    withTokenizer(record, (tokenizer) => {
      const checkBytes = (bytes: Uint8Array, encoded: Uint32Array) => {
        const kept = bytes.filter((byte) => present.has(byte));
        assert.deepEqual(tokenizer.decodeBytes(encoded), kept);
        assert.equal(tokenizer.unencodable, bytes.length - kept.length);
      };
      for (const { text } of corpus) assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
      fc.assert(
        fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) =>
          checkBytes(new TextEncoder().encode(text), tokenizer.encode(text)),
        ),
        { numRuns: 1000, seed: 1 },
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
          checkBytes(bytes, tokenizer.encodeBytes(bytes)),
        ),
        { numRuns: 1000, seed: 1 },
      );
    });
  });
}

test("the real vocabularies end texts with the ids their makers publish", async () => {
  const endIds = await Promise.all(ids.map(async (id) => (await realVocabulary(id)).endIds));
  assert.deepEqual(endIds, [
    [0, 2],
    [151643, 151645],
  ]);
});

async function checkIds(id: RealModelId, texts: readonly string[]): Promise<void> {
  const record = await realVocabulary(id);
  const reference = referenceTokenizer(record);
  withTokenizer(record, (tokenizer) => {
    for (const text of texts) {
      const [actual, expected] = [tokenizer.encode(text), reference(toUSVString(text))];
      // Not deepEqual at once: its report on a whole file is longer than anyone reads.
      const index = expected.findIndex((value, place) => value !== actual[place]);
      const where = `${JSON.stringify(text.slice(0, 60))} differs at token ${index}`;
      assert.deepEqual(
        [...actual.slice(index, index + 8)],
        expected.slice(index, index + 8),
        where,
      );
      assert.equal(actual.length, expected.length, JSON.stringify(text.slice(0, 60)));
    }
  });
}

function withTokenizer(record: VocabularyRecord, use: (tokenizer: Tokenizer) => void): void {
  const tokenizer = Tokenizer.create(record);
  try {
    use(tokenizer);
  } finally {
    tokenizer.dispose();
  }
}

/** Bytes that have a token of their own, in the byte alphabet: SmolLM2 lacks 21. */
function presentBytes({ tokens, tokenTypes }: VocabularyRecord): ReadonlySet<number> {
  const present = byteAlphabet().map(
    (character, byte) => [tokens.indexOf(character), byte] as const,
  );
  return new Set(present.filter(([id]) => tokenTypes[id] === 1).map(([, byte]) => byte));
}

/** Text that is mostly borders: every kind of white space, contractions, digits, other scripts. */
function hardText(): fc.Arbitrary<string> {
  const parts = [
    ..." \t\n\r\u00a0\u3000",
    ..."'{}()=+-*/<>_.,;:#\"\\",
    ..."0123½٣",
    ..."abcXYZéß한日я",
    ...[
      "'s",
      "'LL",
      "'ve",
      "\r\n",
      "    ",
      "👍🏽",
      "the",
      "return",
      "\u0004",
      "\u0301",
      "\u{50000}",
    ],
  ];
  const part = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...parts) },
    fc.string({ unit: "grapheme", maxLength: 3 }),
  );
  return fc.array(part, { maxLength: 60 }).map((chosen) => chosen.join(""));
}
