// The laws of the kept form, on the tiny model in float32: against the engine itself and against a
// forward in plain TypeScript.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { KvBlock } from "../../sidecar/engine/kv-cache.ts";
import { rotateKeys, rotationBy } from "../../sidecar/engine/rotation.ts";
import { LimitError } from "../../sidecar/errors.ts";
import { importanceOf } from "../../sidecar/memory/importance.ts";
import { entryCountAt, type KeptMemory, keep } from "../../sidecar/memory/kept.ts";
import { pieceTokens, repeatText, sinkText } from "../../sidecar/memory/kept-encoder.ts";
import { outlineWeights } from "../../sidecar/memory/outline.ts";
import { createKeptEncoder } from "../support/memory-parts.ts";
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

const chunk = 32;
const text = "const ring = (string) => {\n  return string;\n};\nthe other thing = 12;\n";

/** Float32 sums in another order, over numbers around 1. */
function checkClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-4) {
  assert.equal(found.length, expected.length);
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((found[index] ?? Number.NaN) - (expected[index] ?? Number.NaN));
    assert.ok(difference <= tolerance, `${difference} at ${index}`);
  }
}

function checkBlocks(found: KvBlock, expected: KvBlock): void {
  assert.deepEqual([found.length, found.position], [expected.length, expected.position]);
  for (const [layer, keys] of expected.keys.entries()) checkClose(found.keys[layer] ?? [], keys);
  for (const [layer, values] of expected.values.entries())
    checkClose(found.values[layer] ?? [], values);
}

for (const architecture of architectures) {
  test(`with nothing dropped a block is the one that was computed: ${architecture}`, async () => {
    const model = modelOf(architecture);
    const ids = model.tokenizer.encode(text);
    const encoder = createKeptEncoder(model);
    const memory = await encoder.encode(ids, { chunk, entryCount: ids.length });
    const sinkIds = model.tokenizer.encode(sinkText).subarray(0, 4);
    const cache = model.engine.createCache(256);
    await model.engine.run(cache, [...sinkIds, ...ids]);
    checkBlocks(keep(memory, ids.length), cache.copyBlock(4, 4 + ids.length));
  });

  test(`sink and block moved together are those of a shifted origin: ${architecture}`, async () => {
    const { engine, tokenizer } = modelOf(architecture);
    const ids = tokenizer.encode(text);
    const encoder = createKeptEncoder(modelOf(architecture));
    const memory = await encoder.encode(ids, { chunk, entryCount: ids.length });
    const sinkIds = tokenizer.encode(sinkText).subarray(0, 4);
    const source = tinySource({ contextLength: 4096, architecture });
    const forward = await tinyForward(source, [...sinkIds, ...ids], 100);
    const rotation = rotationBy(engine.shape, 100);
    const { headDim } = engine.shape;
    for (const [layer, keys] of keep(memory, ids.length).keys.entries()) {
      rotateKeys(keys, rotation, engine.shape);
      for (let row = 0; row < keys.length / headDim; row++) {
        const head = Math.floor(row / ids.length);
        const expected = forward.keys[layer]?.[4 + (row % ids.length)];
        const found = keys.subarray(row * headDim, (row + 1) * headDim);
        checkClose(found, expected?.subarray(head * headDim, (head + 1) * headDim) ?? []);
      }
    }
  });

  test(`importance is that of a plain forward: ${architecture}`, async () => {
    const { engine, tokenizer, loadGrams } = modelOf(architecture);
    const ids = [...tokenizer.encode(text)];
    const sinkIds = [...tokenizer.encode(sinkText).subarray(0, 4)];
    const marker = [...tokenizer.encode(repeatText)];
    const cache = engine.createCache(512);
    await engine.run(cache, [...sinkIds, ...ids]);
    const piece = cache.copyBlock(4, 4 + ids.length);
    await engine.run(cache, marker);
    const { attention } = await engine.run(cache, ids, { attention: true, chunk });
    assert.ok(attention !== null);
    const grams = await loadGrams();
    const weights = outlineWeights(ids.map((id) => tokenizer.bytesOf(id)));
    const found = importanceOf(engine.shape, piece, { attention, grams, weights });
    const expected = await plainImportance(architecture, { sinkIds, ids, marker });
    for (const [layer, scores] of expected.entries()) checkClose(found[layer] ?? [], scores, 1e-6);
  });

  test(`every head keeps what matters most to it: ${architecture}`, async () => {
    const model = modelOf(architecture);
    const ids = [...model.tokenizer.encode(text)];
    const memory = await createKeptEncoder(model).encode(ids, { chunk });
    assert.equal(memory.entryCount, Math.ceil(ids.length / 4));
    const expected = await plainImportance(architecture, {
      sinkIds: [...model.tokenizer.encode(sinkText).subarray(0, 4)],
      marker: [...model.tokenizer.encode(repeatText)],
      ids,
    });
    for (const [layer, scores] of expected.entries())
      for (let head = 0; head < memory.shape.kvHeadCount; head++) {
        const score = (token: number) => scores[head * ids.length + token] ?? Number.NaN;
        const chosen = entriesOf(memory, layer, head);
        const others = Array.from(ids.keys()).filter((token) => !chosen.includes(token));
        // As close scores as float32 sums differ are no order.
        const least = Math.min(...chosen.map(score)) + 1e-5;
        for (const token of others) assert.ok(score(token) <= least);
        for (const [rank, token] of chosen.entries())
          assert.ok(score(token) <= score(chosen[rank - 1] ?? token) + 1e-5);
      }
  });
}

test("the pooled vector is the mean of the piece's hidden states", async () => {
  const model = modelOf("qwen2");
  const ids = [...model.tokenizer.encode(text)];
  const { pooled } = await createKeptEncoder(model).encode(ids, { chunk });
  const sinkIds = [...model.tokenizer.encode(sinkText).subarray(0, 4)];
  const source = tinySource({ contextLength: 4096, architecture: "qwen2" });
  const { hidden } = await tinyForward(source, [...sinkIds, ...ids]);
  const expected = Array.from(pooled.keys(), (column) =>
    mean(hidden.slice(4).map((row) => row[column] ?? Number.NaN)),
  );
  checkClose(pooled, expected, 1e-5);
});

test("every smaller memory is a prefix of the stored one", async () => {
  const model = modelOf("qwen2");
  const ids = model.tokenizer.encode(text);
  const encoder = createKeptEncoder(model);
  const whole = await encoder.encode(ids, { chunk, entryCount: ids.length });
  const stored = await encoder.encode(ids, { chunk });
  for (const ratio of [4, 8, 12, 24]) {
    const count = entryCountAt(ids.length, ratio);
    checkBlocks(keep(stored, count), keep(whole, count));
    for (const layer of stored.layers.keys())
      for (let head = 0; head < stored.shape.kvHeadCount; head++)
        assert.deepEqual(
          entriesOf(stored, layer, head).slice(0, count),
          entriesOf(whole, layer, head).slice(0, count),
        );
  }
});

test("kept keys are the piece's own, turned to consecutive positions in text order", async () => {
  const { engine, tokenizer } = modelOf("llama");
  const ids = tokenizer.encode(text);
  const encoder = createKeptEncoder(modelOf("llama"));
  const memory = await encoder.encode(ids, { chunk });
  const block = keep(memory, 5);
  const cache = engine.createCache(256);
  cache.attach(await encoder.readSink({ chunk }));
  await engine.run(cache, ids);
  const { headDim } = engine.shape;
  for (const [layer, values] of block.values.entries()) {
    const tokens = entriesOf(memory, layer, 0)
      .slice(0, 5)
      .sort((a, b) => a - b);
    for (const [row, token] of tokens.entries()) {
      // A row alone, attached where it is wanted, is rotated by the cache.
      const own = cache.copyBlock(4 + token, 5 + token);
      const moved = engine.createCache(16);
      moved.attach(cache.copyBlock(0, 4));
      while (moved.length < 4 + row) moved.attach(own);
      moved.attach(own);
      const expected = moved.copyBlock(4 + row, 5 + row);
      const part = (rows: Float32Array | undefined) =>
        rows?.subarray(row * headDim, (row + 1) * headDim) ?? [];
      checkClose(part(block.keys[layer]), expected.keys[layer]?.subarray(0, headDim) ?? []);
      checkClose(part(values), expected.values[layer]?.subarray(0, headDim) ?? []);
    }
  }
});

test("the sink is run once, a piece twice with the marker between", async () => {
  const model = modelOf("llama");
  const { counters } = model.engine;
  const encoder = createKeptEncoder(model);
  const ids = model.tokenizer.encode(text);
  const marker = model.tokenizer.encode(repeatText).length;
  const start = counters.positions;
  await encoder.encode(ids, { chunk });
  assert.equal(counters.positions - start, 4 + 2 * ids.length + marker);
  await encoder.encode(ids, { chunk });
  assert.equal(counters.positions - start, 4 + 4 * ids.length + 2 * marker);
});

test("a piece of more tokens than the limit is a LimitError", async () => {
  const ids = new Uint32Array(pieceTokens + 1).fill(40);
  await assert.rejects(
    createKeptEncoder(modelOf("llama")).encode(ids, { chunk }),
    new LimitError("memory: a piece of 129 tokens exceeds 128"),
  );
});

test("a piece of one token and one of the greatest length are encoded", async () => {
  const encoder = createKeptEncoder(modelOf("llama"));
  const one = await encoder.encode([50], { chunk });
  assert.equal(one.entryCount, 1);
  const most = await encoder.encode(new Uint32Array(pieceTokens).fill(50), { chunk });
  assert.equal(most.entryCount, 32);
});

/** The tokens that a head keeps, most important first. */
function entriesOf({ layers, entryCount }: KeptMemory, layer: number, head: number): number[] {
  const tokens = layers[layer]?.tokens ?? [];
  return [...tokens].slice(head * entryCount, (head + 1) * entryCount);
}

/** By layer [kvHeads, tokens], from attention and values of a forward without graph and cache. */
async function plainImportance(
  architecture: "llama" | "qwen2",
  { sinkIds, ids, marker }: { sinkIds: number[]; ids: number[]; marker: number[] },
): Promise<number[][]> {
  const model = modelOf(architecture);
  const { headCount, kvHeadCount, headDim } = model.engine.shape;
  const source = tinySource({ contextLength: 4096, architecture });
  const all = [...sinkIds, ...ids, ...marker, ...ids];
  const forward = await tinyForward(source, all);
  const grams = await model.loadGrams();
  const groupSize = headCount / kvHeadCount;
  const repeated = Array.from(ids.keys(), (index) => all.length - ids.length + index);
  const weights = outlineWeights(ids.map((id) => model.tokenizer.bytesOf(id)));
  return forward.attention.map((heads, layer) =>
    Array.from({ length: kvHeadCount * ids.length }, (_, index) => {
      const kvHead = Math.floor(index / ids.length);
      const token = index % ids.length;
      const position = sinkIds.length + token;
      const row = forward.values[layer]?.[position] ?? new Float64Array();
      const value = row.subarray(kvHead * headDim, (kvHead + 1) * headDim);
      const group = Array.from({ length: groupSize }, (_, each) => kvHead * groupSize + each);
      const received = group.flatMap((head) =>
        repeated.map((query) => heads[head]?.[query]?.[position] ?? Number.NaN),
      );
      const said = group.map((head) =>
        lengthUnder(grams[layer]?.subarray(head * headDim ** 2) ?? [], value),
      );
      return mean(received) * mean(said) * (weights[token] ?? Number.NaN);
    }),
  );
}

/** The square root of v' G v. */
function lengthUnder(gram: ArrayLike<number>, value: Float64Array): number {
  let square = 0;
  for (const [i, a] of value.entries())
    for (const [j, b] of value.entries()) square += a * b * (gram[i * value.length + j] ?? 0);
  return Math.sqrt(square);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}
