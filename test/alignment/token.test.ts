// Token alignment without a model: what is taken off, and what may stand in its place.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Alignment, align } from "../../sidecar/alignment/align.ts";
import { TailFilter } from "../../sidecar/alignment/token.ts";
import { createSampler } from "../../sidecar/engine/sampler.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { realVocabulary, tinyVocabulary } from "../support/vocabularies.ts";

let tokenizer: Tokenizer;
let vocabulary: ByteSortedVocabulary;
before(async () => {
  tokenizer = Tokenizer.create(await realVocabulary("smollm2-135m"));
  vocabulary = new ByteSortedVocabulary(tokenizer);
});
after(() => tokenizer.dispose());

function alignmentWith(backedUpTokens: number): Alignment {
  return { tokenizer, vocabulary, limits: { backedUpTokens, nodes: 32 } };
}

function tailOf(text: string, backedUpTokens: number): string {
  const aligned = align(alignmentWith(backedUpTokens), tokenizer.encode(text), "token");
  assert.equal(aligned.way, "token");
  return Buffer.from(aligned.tail).toString();
}

test("one to five tokens are taken off, none that no continuation can change", () => {
  const text = "if (((((";
  const tails = [1, 2, 3, 4, 5].map((count) => tailOf(text, count));
  assert.deepEqual(tails, ["((", "((((", " (((((", " (((((", " ((((("]);
});

test("behind a digit nothing is taken off, since no continuation moves its end", () => {
  for (const setting of ["token", "exact"] as const) {
    const ids = tokenizer.encode("const port = 80");
    assert.deepEqual(align(alignmentWith(3), ids, setting), { way: "off", kept: ids });
  }
});

test("trailing white space is taken off whole, however many tokens it has", () => {
  assert.equal(tailOf("if x:\n\n      ", 1), "\n\n      ");
});

for (const count of [0, 6, -1, 2.5, Number.NaN]) {
  test(`${count} tokens to take off are refused`, () => {
    assert.throws(() => tailOf("const", count), {
      name: "LimitError",
      message: `alignment: ${count} tokens to take off, a whole number from 1 to 5 is wanted`,
    });
  });
}

test("a filter admits what begins with the tail or is a beginning of it, and nothing else", () => {
  const filter = new TailFilter(vocabulary, Buffer.from("retu"));
  const admitted = [...(filter.admitted() ?? [])].map((id) => tokenizer.decode([id]));
  assert.ok(admitted.includes("return") && admitted.includes("re") && admitted.includes("r"));
  for (const text of admitted) assert.ok(text.startsWith("retu") || "retu".startsWith(text), text);
  const count = Array.from({ length: tokenizer.vocabularySize }, (_, id) =>
    tokenizer.decode([id]),
  ).filter((text) => text !== "" && (text.startsWith("retu") || "retu".startsWith(text))).length;
  assert.equal(admitted.length, count);
});

test("a filter takes tokens off the tail until nothing is filtered", () => {
  const filter = new TailFilter(vocabulary, Buffer.from("retu"));
  assert.equal(filter.accept(Buffer.from("re")).length, 0);
  assert.equal(Buffer.from(filter.accept(Buffer.from("turn"))).toString(), "rn");
  assert.deepEqual([filter.isDone, filter.admitted()], [true, null]);
});

for (const name of ["smollm2-135m", "qwen2.5-coder-0.5b", "tiny"] as const) {
  test(`${name}: no filter admits a special token, whatever is typed`, async () => {
    const record = name === "tiny" ? await tinyVocabulary() : await realVocabulary(name);
    const own = Tokenizer.create(record);
    const sorted = new ByteSortedVocabulary(own);
    const specials = Array.from({ length: own.vocabularySize }, (_, id) => id).filter((id) =>
      own.isSpecial(id),
    );
    assert.ok(specials.length > 0);
    const typed = ["<", "<|", "<|endoftext|>", "<|fim_middle|", "<|im_start|>", "\n", " "];
    const everyByte = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
    for (const tail of [...typed.map((text) => Buffer.from(text)), ...everyByte]) {
      const admitted = new Set(new TailFilter(sorted, tail).admitted());
      assert.ok(!specials.some((id) => admitted.has(id)), Buffer.from(tail).toString());
    }
    own.dispose();
  });
}

test("the filter comes before temperature and top-p", () => {
  // Without the filter the nucleus is the first id alone; what is left of it by the filter is nothing.
  const logits = Float32Array.of(9, 1, 0.9, -20);
  const admitted = Uint32Array.of(1, 2);
  const sampler = createSampler({ temperature: 1, topP: 0.9, seed: 3 });
  const drawn = Array.from({ length: 200 }, () => sampler(logits, admitted).id);
  assert.deepEqual(new Set(drawn), new Set([1, 2]));
});
