// Embedded memories in a prompt, through the completer on the tiny model: what the model gets to see,
// and what it costs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import type { KvBlock } from "../../sidecar/engine/kv-cache.ts";
import { logProbability } from "../../sidecar/engine/sampler.ts";
import { UnsupportedError } from "../../sidecar/errors.ts";
import { EmbeddedEncoder } from "../../sidecar/memory/embedded-encoder.ts";
import { compress } from "../support/compress.ts";
import { createKeptEncoder, cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const chunk = 256;
const near = { path: "a.ts", prefix: "const total = " };
const target = "ring(the);";
const spans = [
  { path: "ring.ts", text: "const ring = (string) => {\n  return string;\n};" },
  { path: "other.ts", text: "the other thing = 12;\nconst inner = ring(string);" },
];
const embedded: MemoryRequest = {
  ...{ form: "embedded", context: spans, demonstrations: [], ratio: 4, isCold: false },
};

function createCompleter(loadAdapter = tiny.loadAdapter): Completer {
  const { engine, tokenizer, loadGrams } = tiny;
  const parts = {
    vocabulary: tokenizer,
    layout: readLayout(tokenizer),
    cut,
    loadGrams,
    loadAdapter,
  };
  const memories = new Memories(engine, parts);
  return new Completer(engine, tokenizer, defaults.alignment.limits, memories);
}

function scoreOf(memory: Partial<MemoryRequest> = {}, completer = createCompleter()) {
  return completer.score({ ...near, target, memory: { ...embedded, ...memory } });
}

function render({ path, text }: (typeof spans)[number]): number[] {
  const { tokenizer } = tiny;
  const header = encodeHeader(readLayout(tokenizer), tokenizer, path);
  return [...header, ...tokenizer.encode(`${text}\n`)];
}

/** The NLL of the target behind copied blocks, the header and the near text. */
async function plainNll(blocks: readonly KvBlock[]): Promise<number> {
  const { tokenizer, engine } = tiny;
  const header = encodeHeader(readLayout(tokenizer), tokenizer, near.path);
  const ids = [...header, ...tokenizer.encode(near.prefix)];
  const cache = engine.createCache(1024);
  for (const block of blocks) cache.attach(block);
  const wanted = tokenizer.encode(target);
  const { logits } = await engine.run(cache, [...ids, ...wanted], { logitsAt: "all" });
  const size = engine.shape.vocabularySize;
  return wanted.reduce((sum, id, index) => {
    const row = ids.length - 1 + index;
    return sum - logProbability(logits.subarray(row * size, (row + 1) * size), id);
  }, 0);
}

for (const isConditional of [false, true])
  test(`the prompt is the sink, a block for each piece, the near text; conditional: ${isConditional}`, async () => {
    const { engine, tokenizer } = tiny;
    const sink = await createKeptEncoder(tiny).readSink({ chunk });
    const encoder = new EmbeddedEncoder(engine, await tiny.loadAdapter());
    const question = isConditional ? [...tokenizer.encode(near.prefix)] : [];
    const blocks = [sink];
    for (const span of spans) {
      const ids = render(span);
      const count = Math.ceil(ids.length / 4);
      const tokens = await compress(encoder, ids, { chunk, question, count });
      blocks.push(await encoder.attachable(tokens, sink, { chunk }));
    }
    const { nll, tokens } = await scoreOf({ isConditional });
    const expected = await plainNll(blocks);
    assert.ok(Math.abs(nll - expected) < 1e-3, `${nll}, expected ${expected}`);
    assert.equal(tokens.contextBefore, spans.flatMap(render).length);
    // CONT takes one position more.
    const positions = spans.map((span) => Math.ceil(render(span).length / 4) + 1);
    assert.equal(
      tokens.contextAfter,
      positions.reduce((sum, each) => sum + each, 0),
    );
  });

test("memories are made once, whatever stands around them", async () => {
  const completer = createCompleter();
  const own = (await createCompleter().score({ ...near, target })).tokens.computed;
  const lengths = spans.map((span) => render(span).length);
  const rowsAt = (ratio: number) =>
    lengths.reduce((sum, length) => sum + Math.ceil(length / ratio) + 1, 0);
  const slots = lengths.reduce((sum, length) => sum + 1 + length + Math.ceil(length / 4), 0);
  const sink = 4;
  const cases: [Partial<MemoryRequest>, number][] = [
    [{}, sink + slots + rowsAt(4)],
    [{}, 0],
    [{ context: spans.toReversed() }, 0],
    [{ ratio: 12 }, rowsAt(12)],
    [{ isCold: true }, sink + slots + rowsAt(4)],
  ];
  for (const [memory, computed] of cases) {
    const { tokens } = await scoreOf(memory, completer);
    assert.equal(tokens.computed - own, computed);
    assert.equal(tokens.reused, sink + tokens.contextAfter);
  }
});

test("a question makes another memory of the same text", async () => {
  const alone = await scoreOf();
  const asked = await scoreOf({ isConditional: true });
  assert.ok(Math.abs(alone.nll - asked.nll) > 1e-3, `${alone.nll} and ${asked.nll}`);
});

test("a budget holds the marks too", async () => {
  for (const budget of [0, 1, 2, 3, 4, 5, 20, 10_000]) {
    const { tokens } = await scoreOf({ ratio: undefined, budget });
    const most = tokens.contextBefore + spans.length;
    assert.ok(tokens.contextAfter <= budget);
    if (budget >= 8) assert.equal(tokens.contextAfter, Math.min(budget, most));
  }
  // Two positions and a mark are the least that a span of its length has.
  assert.ok((await scoreOf({ ratio: undefined, budget: 4 })).tokens.contextAfter > 0);
});

test("pieces are as long as in training", async () => {
  const context = [{ text: "const abc = 1;\n".repeat(60) }];
  const { tokens } = await scoreOf({ context, ratio: 12 });
  const pieces = Math.ceil(tokens.contextBefore / 512);
  assert.ok(pieces > 1);
  const positions = Math.ceil(tokens.contextBefore / 12) + pieces;
  assert.ok(tokens.contextAfter >= positions && tokens.contextAfter <= positions + pieces);
});

test("without an adapter the request is refused, and others are answered", async () => {
  const error = new UnsupportedError("memory embedded: none");
  const completer = createCompleter(() => Promise.reject(error));
  await assert.rejects(scoreOf({}, completer), error);
  assert.ok(Number.isFinite((await scoreOf({ form: "kept" }, completer)).nll));
});
