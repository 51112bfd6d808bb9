// The laws of the embedded form on the tiny model in float32. Adapters whose trained vectors are rows
// of the embedding table make a run of ids of it, which a forward in plain TypeScript repeats.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { rotateKeys, rotationBy } from "../../sidecar/engine/rotation.ts";
import { bestId } from "../../sidecar/engine/sampler.ts";
import { CancelledError, LimitError } from "../../sidecar/errors.ts";
import { type Adapter, type AdapterArm, parseAdapter } from "../../sidecar/memory/adapter.ts";
import { EmbeddedEncoder } from "../../sidecar/memory/embedded-encoder.ts";
import { EmbeddedStore } from "../../sidecar/memory/embedded-store.ts";
import { sinkText } from "../../sidecar/memory/kept-encoder.ts";
import { parseSafetensors } from "../../sidecar/memory/safetensors.ts";
import { pool } from "../../sidecar/memory/virtual-tokens.ts";
import { compress } from "../support/compress.ts";
import { createKeptEncoder } from "../support/memory-parts.ts";
import { mergeLora } from "../support/merge-lora.ts";
import { randomAdapter } from "../support/random-adapter.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { tinyForward } from "../support/tiny-forward.ts";
import { tinySource } from "../support/tiny-gguf.ts";

const architectures = ["llama", "qwen2"] as const;
const models = new Map<string, TinyModel>();
before(async () => {
  for (const architecture of architectures)
    models.set(architecture, await openTiny({ architecture }));
});
after(async () => {
  for (const model of models.values()) await model.close();
});

function modelOf(architecture: string): TinyModel {
  const model = models.get(architecture);
  assert.ok(model !== undefined);
  return model;
}

const options = { chunk: 32, question: [] };
const text = "const ring = (string) => {\n  return string;\n};\nthe other thing = 12;\n";
const [separator, slot, continuation, virtual, reconstruction] = [30, 31, 32, 33, 34];

/** What the tiny model is. */
function backboneOf({ engine }: TinyModel) {
  return { ...engine.shape, sha256: "0", feedForwardSize: 2 * engine.shape.hiddenSize };
}

function createAdapter(model: TinyModel, arm: AdapterArm = "uni"): Adapter {
  const backbone = backboneOf(model);
  return parseAdapter("tiny", randomAdapter(backbone, { arm }), backbone);
}

/** One whose vectors are rows of the table, and that hands on the states, in the scale of 1. */
function plainAdapter(model: TinyModel, arm: AdapterArm = "uni"): Adapter {
  const { hiddenSize } = model.engine.shape;
  const row = (id: number) => model.engine.embed([id]);
  const weight = new Float32Array(hiddenSize ** 2);
  for (let index = 0; index < hiddenSize; index++) weight[index * (hiddenSize + 1)] = 1;
  const zeros = new Float32Array(hiddenSize);
  return {
    ...{ sha256: "0", arm, hiddenSize, separator: row(separator) },
    ...{ continuation: row(continuation), reconstruction: row(reconstruction) },
    slot: arm === "uni+ pool" ? null : row(slot),
    projection: { weight, bias: zeros },
    norm: { weight: zeros.map(() => 1), bias: zeros },
    lora: null,
  };
}

/** One whose virtual tokens are all the same row of the table. */
function constantAdapter(model: TinyModel): Adapter {
  const adapter = plainAdapter(model);
  const bias = model.engine.embed([virtual]);
  return { ...adapter, norm: { weight: bias.map(() => 0), bias } };
}

/** Float32 sums in another order, over numbers around 1. */
function checkClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-4) {
  assert.equal(found.length, expected.length);
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((found[index] ?? Number.NaN) - (expected[index] ?? Number.NaN));
    assert.ok(difference <= tolerance, `${difference} at ${index}`);
  }
}

function layerNorm(values: ArrayLike<number>): number[] {
  const all = Array.from(values);
  const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
  const variance = all.reduce((sum, each) => sum + (each - mean) ** 2, 0) / all.length;
  return all.map((each) => (each - mean) / Math.sqrt(variance + 1e-5));
}

function meanOf(rows: readonly ArrayLike<number>[]): number[] {
  const size = rows[0]?.length ?? 0;
  return Array.from({ length: size }, (_, column) =>
    rows.reduce((sum, row) => sum + (row[column] ?? Number.NaN) / rows.length, 0),
  );
}

for (const architecture of architectures)
  for (const question of [[], [50, 51, 52]]) {
    const label = `${architecture}, ${question.length === 0 ? "alone" : "behind a question"}`;
    const sourceOf = () => tinySource({ contextLength: 4096, architecture });

    test(`virtual tokens are the states of slots behind the text: ${label}`, async () => {
      const model = modelOf(architecture);
      const ids = [...model.tokenizer.encode(text)];
      const encoder = new EmbeddedEncoder(model.engine, plainAdapter(model));
      const { count, vectors } = await compress(encoder, ids, { ...options, question, count: 5 });
      const slots = new Array<number>(5).fill(slot);
      const all = [...question, separator, ...ids, ...slots];
      const { hidden } = await tinyForward(sourceOf(), all);
      assert.equal(count, 5);
      checkClose(vectors, hidden.slice(-5).flatMap(layerNorm));
    });

    test(`virtual tokens are means over parts of the text where the arm pools: ${label}`, async () => {
      const model = modelOf(architecture);
      const ids = [...model.tokenizer.encode(text)].slice(0, 11);
      const encoder = new EmbeddedEncoder(model.engine, plainAdapter(model, "uni+ pool"));
      const { vectors } = await compress(encoder, ids, { ...options, question, count: 3 });
      const { hidden } = await tinyForward(sourceOf(), [...question, separator, ...ids]);
      const states = hidden.slice(-11);
      const parts = [states.slice(0, 3), states.slice(3, 7), states.slice(7)];
      checkClose(
        vectors,
        parts.flatMap((part) => layerNorm(meanOf(part))),
      );
    });
  }

for (const architecture of architectures)
  test(`a block is virtual tokens and CONT behind the sink, and moves with it: ${architecture}`, async () => {
    const model = modelOf(architecture);
    const { engine, tokenizer } = model;
    const ids = [...tokenizer.encode(text)];
    const encoder = new EmbeddedEncoder(engine, constantAdapter(model));
    const tokens = await compress(encoder, ids, { ...options, count: 3 });
    const sink = await createKeptEncoder(model).readSink(options);
    const block = await encoder.attachable(tokens, sink, options);
    assert.deepEqual([block.length, block.position], [4, 4]);
    const sinkIds = tokenizer.encode(sinkText).subarray(0, 4);
    const all = [...sinkIds, virtual, virtual, virtual, continuation];
    const rotation = rotationBy(engine.shape, 100);
    for (const origin of [0, 100]) {
      const source = tinySource({ contextLength: 4096, architecture });
      const forward = await tinyForward(source, all, origin);
      const { headDim } = engine.shape;
      for (const [layer, keys] of block.keys.entries()) {
        const moved = keys.slice();
        if (origin > 0) rotateKeys(moved, rotation, engine.shape);
        for (let row = 0; row < moved.length / headDim; row++) {
          const head = Math.floor(row / block.length);
          const place = [head * headDim, (head + 1) * headDim] as const;
          const expected = forward.keys[layer]?.[4 + (row % block.length)]?.subarray(...place);
          checkClose(moved.subarray(row * headDim, (row + 1) * headDim), expected ?? []);
        }
      }
    }
  });

for (const architecture of architectures)
  test(`what is decoded is what the model writes behind virtual tokens and REC: ${architecture}`, async () => {
    const model = modelOf(architecture);
    const { engine, tokenizer } = model;
    const ids = [...tokenizer.encode(text)];
    const encoder = new EmbeddedEncoder(engine, constantAdapter(model));
    const tokens = await compress(encoder, ids, { ...options, count: 3 });
    const sink = await createKeptEncoder(model).readSink(options);
    const expected: number[] = [];
    const prompt = [...tokenizer.encode(sinkText).subarray(0, 4)];
    prompt.push(virtual, virtual, virtual, reconstruction);
    while (expected.length < 6) {
      const cache = engine.createCache(32);
      const { logits } = await engine.run(cache, [...prompt, ...expected], { logitsAt: "last" });
      expected.push(bestId(logits));
    }
    const decode = (isEnd = (_: number) => false) =>
      encoder.decode(tokens, sink, { chunk: 32, maxTokens: 6, isEnd });
    assert.deepEqual(await decode(), expected);
    const end = expected[5] ?? 0;
    assert.deepEqual(await decode((id) => id === end), expected.slice(0, expected.indexOf(end)));
    const signal = AbortSignal.abort();
    const cancelled = { chunk: 32, maxTokens: 6, isEnd: () => false, signal };
    await assert.rejects(encoder.decode(tokens, sink, cancelled), CancelledError);
  });

for (const architecture of architectures)
  test(`LoRA is as good as merged into the weights, and off for everything else: ${architecture}`, async () => {
    const model = modelOf(architecture);
    const { engine, tokenizer } = model;
    const ids = [...tokenizer.encode(text)];
    const backbone = backboneOf(model);
    const bytes = randomAdapter(backbone, { arm: "uni+ slots", rank: 3 });
    const { lora } = parseAdapter("tiny", bytes, backbone);
    const encoder = new EmbeddedEncoder(engine, { ...plainAdapter(model), lora });
    const tokens = await compress(encoder, ids, { ...options, count: 4 });
    const all = [separator, ...ids, ...new Array<number>(4).fill(slot)];
    const source = tinySource({ contextLength: 4096, architecture });
    const merged = await mergeLora(source, parseSafetensors("tiny", bytes).tensors, engine.shape);
    const { hidden } = await tinyForward(merged, all);
    checkClose(tokens.vectors, hidden.slice(-4).flatMap(layerNorm), 1e-3);
    const plainEncoder = new EmbeddedEncoder(engine, plainAdapter(model));
    const plain = await compress(plainEncoder, ids, { ...options, count: 4 });
    const changed = tokens.vectors.filter(
      (value, at) => Math.abs(value - (plain.vectors[at] ?? value)) > 0.01,
    );
    assert.ok(changed.length > plain.vectors.length / 2);
    const sink = await createKeptEncoder(model).readSink(options);
    const unadapted = new EmbeddedEncoder(engine, plainAdapter(model));
    assert.deepEqual(
      await encoder.attachable(tokens, sink, options),
      await unadapted.attachable(tokens, sink, options),
    );
    await engine.releaseCompressor();
    assert.deepEqual(await compress(encoder, ids, { ...options, count: 4 }), tokens);
  });

test("the first slots of a memory are the smaller memory", async () => {
  const model = modelOf("llama");
  const ids = [...model.tokenizer.encode(text)];
  const encoder = new EmbeddedEncoder(model.engine, createAdapter(model, "uni+ slots"));
  const whole = await encoder.encode(ids, { ...options, count: 9 });
  for (const count of [1, 4, 9]) {
    const alone = await compress(encoder, ids, { ...options, count });
    checkClose(encoder.virtualTokens(whole, count).vectors, alone.vectors);
  }
});

test("the same text gives the same virtual tokens, a question other ones", async () => {
  const model = modelOf("qwen2");
  const ids = [...model.tokenizer.encode(text)];
  for (const arm of ["uni", "uni+ pool"] as const) {
    const encoder = new EmbeddedEncoder(model.engine, createAdapter(model, arm));
    const behind = (question: number[]) =>
      compress(encoder, ids, { ...options, question, count: 4 });
    const first = await behind([]);
    assert.deepEqual(await behind([]), first);
    const asked = await behind([60, 61]);
    const changed = first.vectors.filter(
      (value, at) => Math.abs(value - (asked.vectors[at] ?? value)) > 1e-4,
    );
    assert.ok(changed.length > first.vectors.length / 2);
  }
});

test("the pooled vector is the mean of the virtual tokens", () => {
  const tokens = { count: 2, vectors: Float32Array.of(1, 2, 3, 5, 8, 11) };
  assert.deepEqual(pool(tokens), Float32Array.of(3, 5, 7));
  const first = { count: 1, vectors: tokens.vectors.subarray(0, 3) };
  assert.deepEqual(pool(first), Float32Array.of(1, 2, 3));
});

for (const arm of ["uni", "uni+ pool"] as const)
  test(`nothing is run twice, and a memory serves every smaller count: ${arm}`, async () => {
    const model = modelOf("llama");
    const { engine, tokenizer } = model;
    const ids = [...tokenizer.encode(text)];
    const sink = await createKeptEncoder(model).readSink(options);
    const encoder = new EmbeddedEncoder(engine, createAdapter(model, arm));
    const store = new EmbeddedStore(encoder, 2 ** 24);
    const rowsOf = async (count: number, question: number[] = []) => {
      const before = engine.counters.positions;
      await store.readBlock(ids, sink, { ...options, count, question });
      return engine.counters.positions - before;
    };
    const slots = arm === "uni" ? 1 : 0;
    assert.equal(await rowsOf(8), 1 + ids.length + slots * 8 + 8 + 1);
    assert.equal(await rowsOf(8), 0);
    assert.equal(await rowsOf(3), 3 + 1);
    assert.equal(await rowsOf(8, [60]), 1 + 1 + ids.length + slots * 8 + 8 + 1);
    store.clear();
    assert.equal(await rowsOf(8), 1 + ids.length + slots * 8 + 8 + 1);
  });

test("what is too long is a LimitError with value and limit", async () => {
  const model = modelOf("llama");
  const encoder = new EmbeddedEncoder(model.engine, createAdapter(model));
  const ids = (count: number) => new Array<number>(count).fill(40);
  await assert.rejects(
    compress(encoder, ids(513), { ...options, count: 1 }),
    new LimitError("memory: a piece of 513 tokens exceeds 512"),
  );
  await assert.rejects(
    compress(encoder, ids(1), { ...options, question: ids(129), count: 1 }),
    new LimitError("memory: a question of 129 tokens exceeds 128"),
  );
  const most = { ...options, question: ids(128), count: 512 };
  assert.equal((await compress(encoder, ids(512), most)).count, 512);
});
