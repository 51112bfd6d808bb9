// Memories in a prompt, through the completer on the tiny model: what the model gets to see, and what
// it costs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import type { CompletionRequest, MemoryRequest } from "../../sidecar/completion/request.ts";
import type { KvBlock } from "../../sidecar/engine/kv-cache.ts";
import { logProbability } from "../../sidecar/engine/sampler.ts";
import { CancelledError, LimitError } from "../../sidecar/errors.ts";
import { entryCountAt, keep } from "../../sidecar/memory/kept.ts";
import { repeatText, sinkText } from "../../sidecar/memory/kept-encoder.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { createKeptEncoder, cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

function createCompleter(tokenizer: Tokenizer = tiny.tokenizer): Completer {
  const { engine, loadGrams, loadAdapter } = tiny;
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

const spans = [
  { path: "ring.ts", text: "const ring = (string) => {\n  return string;\n};" },
  { path: "other.ts", text: "the other thing = 12;\nconst inner = ring(string);" },
];
const demonstrations = [{ text: "a => b" }, { text: "const c => the string" }];
const near = { path: "a.ts", prefix: "const total = " };
const target = "ring(the);";
const kept: MemoryRequest = {
  ...{ form: "kept", context: spans, demonstrations: [], ratio: 4, isCold: false },
};
const raw: MemoryRequest = { ...kept, form: "raw", ratio: undefined };
const request: CompletionRequest = {
  ...near,
  ...{ maxTokens: 8, stop: [], temperature: 0, topP: 1, seed: 1, alignment: "off", memory: kept },
};

function sinkIds(tokenizer: Tokenizer): number[] {
  return [...tokenizer.encode(sinkText).subarray(0, 4)];
}

function render(tokenizer: Tokenizer, { path, text }: (typeof spans)[number]): number[] {
  const header = encodeHeader(readLayout(tokenizer), tokenizer, path);
  return [...header, ...tokenizer.encode(`${text}\n`)];
}

function nearIds(tokenizer: Tokenizer): number[] {
  const header = encodeHeader(readLayout(tokenizer), tokenizer, near.path);
  return [...header, ...tokenizer.encode(near.prefix)];
}

/** The NLL of the target behind copied blocks and ids that are run. */
async function plainNll(blocks: readonly KvBlock[], ids: readonly number[]): Promise<number> {
  const cache = tiny.engine.createCache(1024);
  for (const block of blocks) cache.attach(block);
  const wanted = tiny.tokenizer.encode(target);
  const { logits } = await tiny.engine.run(cache, [...ids, ...wanted], { logitsAt: "all" });
  const size = tiny.engine.shape.vocabularySize;
  return wanted.reduce((sum, id, index) => {
    const row = ids.length - 1 + index;
    return sum - logProbability(logits.subarray(row * size, (row + 1) * size), id);
  }, 0);
}

async function scoreOf(memory: MemoryRequest | undefined, completer = createCompleter()) {
  return completer.score({ ...near, target, memory });
}

/** Float32 sums in another order, added up over the target's tokens. */
function checkNll(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) < 1e-3, `${found}, expected ${expected}`);
}

test("raw memories are the plain prompt, sink, spans, header, near text", async () => {
  const { tokenizer } = tiny;
  const context = spans.flatMap((span) => render(tokenizer, span));
  const { nll, tokens } = await scoreOf(raw);
  checkNll(nll, await plainNll([], [...sinkIds(tokenizer), ...context, ...nearIds(tokenizer)]));
  assert.equal(tokens.contextBefore, context.length);
  assert.equal(tokens.contextAfter, context.length);
});

test("raw text is cut to its last tokens, by ratio, by budget, by the smaller one", async () => {
  const { tokenizer } = tiny;
  const context = spans.flatMap((span) => render(tokenizer, span));
  const cases: [Partial<MemoryRequest>, number][] = [
    [{ ratio: 4 }, Math.ceil(context.length / 4)],
    [{ budget: 7 }, 7],
    [{ ratio: 4, budget: 3 }, 3],
    [{ ratio: 12, budget: 400 }, Math.ceil(context.length / 12)],
    [{ budget: 0 }, 0],
  ];
  for (const [options, count] of cases) {
    const { nll, tokens } = await scoreOf({ ...raw, ...options });
    assert.equal(tokens.contextAfter, count);
    const last = context.slice(context.length - count);
    checkNll(nll, await plainNll([], [...sinkIds(tokenizer), ...last, ...nearIds(tokenizer)]));
  }
});

test("without context both forms are the sink and the near text", async () => {
  const expected = await plainNll([], [...sinkIds(tiny.tokenizer), ...nearIds(tiny.tokenizer)]);
  for (const form of ["raw", "kept"] as const) {
    const { nll, tokens } = await scoreOf({ ...kept, form, context: [] });
    checkNll(nll, expected);
    assert.deepEqual([tokens.contextBefore, tokens.contextAfter], [0, 0]);
  }
});

test("without a memory there is not even the sink", async () => {
  checkNll((await scoreOf(undefined)).nll, await plainNll([], nearIds(tiny.tokenizer)));
});

for (const [label, tokenizerOf] of [
  ["fill in the middle", (model: TinyModel) => model.tokenizer],
  ["left to right", (model: TinyModel) => model.leftToRight],
] as const)
  test(`kept memories are blocks behind the sink, in the order given: ${label}`, async () => {
    const tokenizer = tokenizerOf(tiny);
    const encoder = createKeptEncoder({ ...tiny, tokenizer });
    for (const ratio of [1, 2, 4, 12]) {
      const blocks = [await encoder.readSink({ chunk: 256 })];
      const pieces = [
        demonstrations.flatMap(({ text }) => [...tokenizer.encode(`${text}\n`)]),
        ...spans.map((span) => render(tokenizer, span)),
      ];
      for (const piece of pieces) {
        const entryCount = entryCountAt(piece.length, ratio);
        const memory = await encoder.encode(piece, { chunk: 256, entryCount });
        blocks.push(keep(memory, entryCount));
      }
      const { nll, tokens } = await scoreOf(
        { ...kept, demonstrations, ratio },
        createCompleter(tokenizer),
      );
      checkNll(nll, await plainNll(blocks, nearIds(tokenizer)));
      assert.equal(tokens.contextBefore, pieces.flat().length);
      const positions = pieces.reduce((sum, { length }) => sum + entryCountAt(length, ratio), 0);
      assert.equal(tokens.contextAfter, positions);
    }
  });

test("computed counts encoding once, reused the positions that were copied", async () => {
  const { tokenizer } = tiny;
  const completer = createCompleter();
  const marker = tokenizer.encode(repeatText).length;
  const lengths = spans.map((span) => render(tokenizer, span).length);
  const positions = lengths.reduce((sum, length) => sum + Math.ceil(length / 4), 0);
  const encoding = lengths.reduce((sum, length) => sum + 2 * length + marker, 0);
  const own = nearIds(tokenizer).length + tokenizer.encode(target).length - 1;
  const cold = { ...kept, isCold: true };
  const cases: [MemoryRequest, number][] = [
    [kept, 4 + encoding + own],
    [kept, own],
    [{ ...kept, ratio: 12 }, own],
    [{ ...kept, context: spans.toReversed() }, own],
    [cold, 4 + encoding + own],
    [{ ...kept, ratio: 2 }, encoding + own],
    [{ ...kept, ratio: 4 }, own],
  ];
  for (const [memory, computed] of cases) {
    const { tokens } = await scoreOf(memory, completer);
    assert.equal(tokens.computed, computed);
    assert.equal(tokens.reused, 4 + tokens.contextAfter);
    if (memory.ratio === 4) assert.equal(tokens.contextAfter, positions);
  }
  const { tokens } = await scoreOf(raw, completer);
  assert.equal(
    tokens.computed,
    lengths.reduce((sum, length) => sum + length, own),
  );
  assert.equal(tokens.reused, 4);
});

test("the same request gives the same answer, warm and cold", async () => {
  const completer = createCompleter();
  const first = await completer.complete(request);
  const warm = await completer.complete(request);
  const cold = await completer.complete({ ...request, memory: { ...kept, isCold: true } });
  for (const { ids } of [warm, cold]) assert.deepEqual(ids, first.ids);
  assert.ok(warm.tokens.computed < first.tokens.computed);
});

test("with exact reuse a changed selection runs the near text and nothing else", async () => {
  const completer = createCompleter();
  const { tokenizer } = tiny;
  const decoded = 8 - 1;
  const ask = (memory: MemoryRequest) =>
    completer.complete({ ...request, memory }, { exactReuse: true });
  const first = await ask(kept);
  assert.equal((await ask(kept)).tokens.computed, 1 + decoded);
  const changed = { ...kept, context: spans.slice(1) };
  await ask(changed);
  await ask(kept);
  const again = await ask(changed);
  assert.equal(again.tokens.computed, nearIds(tokenizer).length + decoded);
  assert.equal(again.tokens.reused, 4 + again.tokens.contextAfter);
  assert.deepEqual((await ask(kept)).ids, first.ids);
  assert.deepEqual(
    again.ids,
    (await createCompleter().complete({ ...request, memory: changed })).ids,
  );
});

test("a suffix and a prefix that ends inside a token stand behind memories as without", async () => {
  for (const alignment of ["exact", "token"] as const) {
    const asked = { ...request, prefix: "const total = ret", suffix: ";\n", alignment };
    const cold = await createCompleter().complete(asked);
    const completer = createCompleter();
    await completer.complete({ ...asked, prefix: "const the = ret" });
    const warm = await completer.complete(asked, { exactReuse: true });
    assert.deepEqual(warm.alignment, cold.alignment);
    assert.equal(warm.text, cold.text);
    assert.ok(cold.alignment.tail.length > 0);
    assert.equal(cold.tokens.suffix, tiny.tokenizer.encode(";\n").length);
  }
});

test("select takes the last demonstrations", async () => {
  const one = await scoreOf({ ...raw, context: [], demonstrations, select: 1 });
  const last = await scoreOf({ ...raw, context: [], demonstrations: demonstrations.slice(1) });
  assert.equal(one.nll, last.nll);
  const none = await scoreOf({ ...raw, context: [], demonstrations, select: 0 });
  assert.equal(none.tokens.contextBefore, 0);
  const all = await scoreOf({ ...raw, context: [], demonstrations, select: 9 });
  assert.ok(all.tokens.contextBefore > one.tokens.contextBefore);
});

test("a budget is kept to", async () => {
  for (const budget of [0, 20, 10_000]) {
    const { tokens } = await scoreOf({ ...kept, demonstrations, ratio: undefined, budget });
    assert.equal(tokens.contextAfter, Math.min(budget, tokens.contextBefore));
  }
  // Finer than 24 tokens for a position would say nothing.
  const { tokens } = await scoreOf({ ...kept, ratio: undefined, budget: 1 });
  assert.equal(tokens.contextAfter, 0);
});

test("many short demonstrations are encoded eight together", async () => {
  const many = Array.from({ length: 20 }, (_, index) => ({ text: `${index}` }));
  const { tokens } = await scoreOf({ ...kept, context: [], demonstrations: many, ratio: 128 });
  assert.equal(tokens.contextAfter, 3);
});

const long = "const abcdef = 12;\n";
const hostile: [label: string, memory: Partial<MemoryRequest>, message: RegExp][] = [
  [
    "more memories than the window",
    { ratio: 1, context: [{ text: long.repeat(500) }] },
    /positions of memories exceed the window of 4096/,
  ],
  [
    "too many characters",
    { context: [{ text: "x".repeat(600_000) }] },
    /characters exceeds 524288/,
  ],
  ["too many tokens", { context: [{ text: long.repeat(10_000) }] }, /tokens exceeds 32768/],
  [
    "more than the window",
    { form: "raw", context: [{ text: long.repeat(500) }] },
    /window of 4096/,
  ],
];
for (const [label, memory, message] of hostile)
  test(`${label} is a LimitError with value and limit, and the next request is answered`, async () => {
    const completer = createCompleter();
    await assert.rejects(scoreOf({ ...kept, ratio: undefined, ...memory }, completer), (error) => {
      assert.ok(error instanceof LimitError);
      assert.match(error.message, message);
      return true;
    });
    assert.ok(Number.isFinite((await scoreOf(kept, completer)).nll));
  });

test("empty texts and texts of one line without end are memories too", async () => {
  const context = [
    { text: "" },
    { path: "", text: "" },
    { path: "long.ts", text: "y".repeat(700) },
  ];
  const { nll, tokens } = await scoreOf({ ...kept, context, ratio: 8 });
  assert.ok(Number.isFinite(nll));
  assert.ok(tokens.contextAfter < tokens.contextBefore);
});

test("a cancelled encoding leaves the next one right", async () => {
  const completer = createCompleter();
  const controller = new AbortController();
  const running = completer.score({ ...near, target, memory: kept }, controller);
  setImmediate(() => controller.abort());
  await assert.rejects(running, CancelledError);
  checkNll((await scoreOf(kept, completer)).nll, (await scoreOf(kept)).nll);
});
