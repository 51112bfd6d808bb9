// SelfCP's layouts: which part of a long prefix is which, and the prompt that comes of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { type PrefixLayout, splitPrefix } from "../../sidecar/completion/prefix-layout.ts";
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import type { KvBlock } from "../../sidecar/engine/kv-cache.ts";
import { logProbability } from "../../sidecar/engine/sampler.ts";
import { keep } from "../../sidecar/memory/kept.ts";
import { pieceTokens } from "../../sidecar/memory/kept-encoder.ts";
import { cutPieces } from "../../sidecar/memory/pieces.ts";
import { createKeptEncoder, cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny();
});
after(() => tiny.close());

const layouts: readonly PrefixLayout[] = ["former", "latter", "concatenated"];
/** A token for every character. */
const characters = {
  encode: (text: string) => Uint32Array.from(text, (each) => each.charCodeAt(0)),
};

const lines = "abcde\n".repeat(10);
const cases: [label: string, prefix: string, layout: PrefixLayout, parts: string[]][] = [
  ["a short prefix stays", "ab\ncd", "former", ["", "", "ab\ncd"]],
  [
    "former keeps the last lines that fit",
    `${lines}fg`,
    "former",
    ["", lines.slice(0, 48), "abcde\nabcde\nfg"],
  ],
  [
    "latter keeps the first lines and the last one",
    `${lines}fg`,
    "latter",
    [lines.slice(0, 12), lines.slice(12), "fg"],
  ],
  ["concatenated keeps the last line", `${lines}fg`, "concatenated", ["", lines, "fg"]],
  [
    "a blank last line is none to go on from",
    lines,
    "concatenated",
    ["", lines.slice(6), "abcde\n"],
  ],
  [
    "the last line may be blanks behind text",
    `${lines}  fg  `,
    "latter",
    [lines.slice(0, 12), lines.slice(12), "  fg  "],
  ],
  [
    "a long last line is cut",
    `ab\n${"c".repeat(30)}`,
    "former",
    ["", `ab\n${"c".repeat(14)}`, "c".repeat(16)],
  ],
  [
    "a long first line is cut",
    `${"c".repeat(30)}\nab`,
    "latter",
    ["c".repeat(16), `${"c".repeat(14)}\n`, "ab"],
  ],
  [
    "a prefix that is hardly longer stays",
    "abcdef\nabcdef\nabcd",
    "latter",
    ["", "", "abcdef\nabcdef\nabcd"],
  ],
];
for (const [label, prefix, layout, parts] of cases)
  test(label, () => {
    const { first, far, near } = splitPrefix(characters, prefix, { layout, nearTokens: 16 });
    assert.deepEqual([first, far, near], parts);
  });

test("the parts are the prefix, and the raw ones fit", () => {
  const text = fc.array(fc.constantFrom("", "ab", "  cd;", "\t", "x".repeat(40)), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(text, fc.constantFrom(...layouts), (given, layout) => {
      const prefix = given.join("\n");
      const { first, far, near } = splitPrefix(characters, prefix, { layout, nearTokens: 16 });
      assert.equal(first + far + near, prefix);
      assert.ok(first.length <= 16);
      if (far === "") assert.equal(first, "");
      else assert.ok(near.length <= 16);
    }),
  );
});

const path = "ring.ts";
const code = "const ring = (string) => {\n  return string;\n};\n\n".repeat(40);
const prefix = `${code}const total = `;
const target = "ring(the);";
const kept: MemoryRequest = {
  ...{ form: "kept", context: [], demonstrations: [], ratio: 4, isCold: false },
};

function scoreOf(memory: Partial<MemoryRequest>, given = prefix) {
  const { engine, tokenizer, loadGrams, loadAdapter } = tiny;
  const parts = {
    vocabulary: tokenizer,
    layout: readLayout(tokenizer),
    cut,
    loadGrams,
    loadAdapter,
  };
  const memories = new Memories(engine, parts);
  const completer = new Completer(engine, tokenizer, defaults.alignment.limits, memories);
  return completer.score({ path, prefix: given, target, memory: { ...kept, ...memory } });
}

/** The NLL of the target behind copied blocks and near text. */
async function plainNll(blocks: readonly KvBlock[], near: ArrayLike<number>): Promise<number> {
  const { engine, tokenizer } = tiny;
  const cache = engine.createCache(2048);
  for (const block of blocks) cache.attach(block);
  const wanted = tokenizer.encode(target);
  const ids = [...Array.from(near), ...wanted];
  const { logits } = await engine.run(cache, ids, { logitsAt: "all" });
  const size = engine.shape.vocabularySize;
  return wanted.reduce((sum, id, index) => {
    const row = near.length - 1 + index;
    return sum - logProbability(logits.subarray(row * size, (row + 1) * size), id);
  }, 0);
}

for (const layout of layouts)
  test(`the far part stands as memories in its place, the header before it: ${layout}`, async () => {
    const { engine, tokenizer } = tiny;
    const { first, far, near } = splitPrefix(tokenizer, prefix, { layout, nearTokens: 512 });
    assert.ok(far.length > 100 && (layout === "latter") === first.length > 0);
    const encode = (text: string) => tokenizer.encode(text);
    const encoder = createKeptEncoder(tiny);
    const sink = await encoder.readSink({ chunk: 256 });
    const blocks = [sink];
    const own = encodeHeader(readLayout(tokenizer), tokenizer, path);
    if (first !== "") {
      const cache = engine.createCache(1024);
      cache.attach(sink);
      await engine.run(cache, [...own, ...encode(first)]);
      blocks.push(cache.copyBlock(4, cache.length));
    }
    const span = { header: first === "" ? own : [], path, text: far };
    const pieces = await cutPieces(tokenizer, span, { limit: pieceTokens, cut });
    for (const ids of pieces) {
      const memory = await encoder.encode(ids, { chunk: 256 });
      blocks.push(keep(memory, Math.ceil(ids.length / 4)));
    }
    const { nll, tokens } = await scoreOf({ layout });
    const expected = await plainNll(blocks, encode(near));
    assert.ok(Math.abs(nll - expected) < 1e-3, `${nll}, expected ${expected}`);
    assert.equal(tokens.prefix, encode(first).length + encode(near).length);
    assert.equal(tokens.contextBefore, pieces.flat().length);
    const positions = pieces.map((ids) => Math.ceil(ids.length / 4));
    assert.equal(
      tokens.contextAfter,
      positions.reduce((sum, each) => sum + each, 0),
    );
  });

test("a prefix that is near as a whole is laid out as without a layout", async () => {
  const short = code.slice(0, 300);
  const plain = await scoreOf({}, short);
  for (const layout of layouts)
    for (const form of ["kept", "embedded"] as const) {
      const { nll, tokens } = await scoreOf({ layout, form }, short);
      assert.equal(nll, plain.nll);
      assert.deepEqual([tokens.prefix, tokens.contextBefore], [plain.tokens.prefix, 0]);
    }
});

test("a long prefix fits a small budget, behind spans of other files, in both forms", async () => {
  const context = [{ path: "other.ts", text: "const other = 12;" }];
  const far = tiny.tokenizer.encode(prefix).length;
  for (const layout of layouts)
    for (const form of ["kept", "embedded"] as const) {
      const options = { form, layout, context, ratio: undefined, budget: 120 };
      const { tokens } = await scoreOf({ ...options, isConditional: form === "embedded" });
      assert.equal(tokens.contextAfter, 120, `${layout}, ${form}`);
      assert.ok(tokens.prefix < far && tokens.contextBefore > 100);
    }
});
