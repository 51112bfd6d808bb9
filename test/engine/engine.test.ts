// The laws of the engine on the tiny float32 model: whatever way rows take into the cache, what
// comes out is what one run over all of them gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine, RunOptions } from "../../sidecar/engine/engine.ts";
import { CancelledError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { meanAttention, type Rows, tinyForward } from "../support/tiny-forward.ts";
import { tinySource } from "../support/tiny-gguf.ts";
import { loadTinyEngine } from "./load-tiny.ts";

const ids = Array.from({ length: 90 }, (_, index) => (index * index * 7 + 31) % 280);
const VOCABULARY = 288;

// The runner takes a pause between two registrations for the end, so everything is loaded first.
const flavours = await Promise.all((["llama", "qwen2"] as const).map(loadFlavour));

for (const { architecture, engine, whole } of flavours) {
  const { kvHeadCount } = engine.shape;
  const law = (name: string, check: () => Promise<void>) => test(`${architecture}: ${name}`, check);

  law("one run equals the plain loops", async () => {
    const expected = await tinyForward(tinySource({ architecture }), ids);
    checkClose(whole.logits, flat(expected.logits));
    checkClose(whole.hidden ?? [], flat(expected.hidden));
  });

  law("one position at a time equals one run", async () => {
    const cache = engine.createCache(100);
    for (const [position, id] of ids.entries()) {
      const { logits } = await engine.run(cache, [id], { logitsAt: "last" });
      checkClose(logits, rowsOf(whole.logits, [position]));
    }
  });

  for (const chunk of [1, 7, 64]) {
    law(`chunks of ${chunk} equal one run, hidden states too`, async () => {
      const found = await runFresh(engine, ids, { chunk, hidden: true });
      checkClose(found.logits, whole.logits);
      checkClose(found.hidden ?? [], whole.hidden ?? []);
    });
  }

  law("logits at chosen rows are those rows of all", async () => {
    const logitsAt = [0, 6, 7, 40, 63, 64, 89];
    const found = await runFresh(engine, ids, { chunk: 7, logitsAt });
    checkClose(found.logits, rowsOf(whole.logits, logitsAt));
    const last = await runFresh(engine, ids, { logitsAt: "last" });
    checkClose(last.logits, rowsOf(whole.logits, [89]));
    const none = await runFresh(engine, ids, { logitsAt: [], hidden: true });
    assert.equal(none.logits.length, 0);
    checkClose(none.hidden ?? [], whole.hidden ?? []);
  });

  law("embeddings as input equal their ids", async () => {
    const cache = engine.createCache(100);
    const embeds = engine.embed(ids);
    const { logits } = await engine.run(cache, { embeds }, { logitsAt: "all", chunk: 33 });
    checkClose(logits, whole.logits);
  });

  law("a rewound cache continues like a fresh one", async () => {
    const cache = engine.createCache(100);
    await engine.run(cache, [...ids.slice(0, 30), ...ids.slice(60, 90)]);
    cache.truncate(30);
    const { logits } = await engine.run(cache, ids.slice(30), { logitsAt: "all", chunk: 16 });
    checkClose(logits, whole.logits.subarray(30 * VOCABULARY));
  });

  law("a block moved with its sink equals one computed there", async () => {
    const origin = 23;
    const cache = engine.createCache(200);
    await engine.run(cache, ids.slice(0, 40));
    const block = cache.copyBlock(0, 40);
    cache.truncate(0);
    await engine.run(cache, ids.slice(50, 50 + origin));
    cache.attach(block);
    const expected = await tinyForward(tinySource({ architecture }), ids.slice(0, 40), origin);
    const moved = cache.copyBlock(origin, origin + 40);
    for (const [layer, keys] of expected.keys.entries()) {
      checkClose(byPosition(engine, moved.keys[layer]), flat(keys));
      checkClose(byPosition(engine, moved.values[layer]), flat(expected.values[layer] ?? []));
    }
  });

  law("what lies in front of a block can be taken away again", async () => {
    const cache = engine.createCache(200);
    await engine.run(cache, ids.slice(0, 40));
    const block = cache.copyBlock(0, 40);
    cache.truncate(0);
    await engine.run(cache, ids.slice(50, 73));
    cache.attach(block);
    cache.remove(0, 23);
    const { logits } = await engine.run(cache, ids.slice(40), { logitsAt: "all" });
    checkClose(logits, whole.logits.subarray(40 * VOCABULARY));
  });

  law("attention is the mean of that of the plain loops, and sums to 1 a head", async () => {
    const expected = await tinyForward(tinySource({ architecture }), ids);
    const found = await runFresh(engine, ids, { attention: true, chunk: 32 });
    checkClose(found.logits, whole.logits);
    for (const [layer, heads] of expected.attention.entries()) {
      const means = found.attention?.[layer] ?? new Float32Array(0);
      checkClose(means, flat(meanAttention(heads, kvHeadCount)));
      checkClose(sumsOfRows(means, ids.length), Array(kvHeadCount).fill(1));
    }
  });

  law("attention of later rows reaches over the cache", async () => {
    const cache = engine.createCache(100);
    const expected = await tinyForward(tinySource({ architecture }), ids);
    await engine.run(cache, ids.slice(0, 60));
    const { attention } = await engine.run(cache, ids.slice(60), { attention: true, chunk: 20 });
    for (const [layer, heads] of expected.attention.entries()) {
      const later = heads.map((rows) => rows.slice(60));
      checkClose(attention?.[layer] ?? [], flat(meanAttention(later, kvHeadCount)));
    }
  });

  law("a batch of unlike prompts equals each alone, step by step", async () => {
    const prompts = [ids.slice(0, 20), ids.slice(30, 37), ids.slice(50, 51)];
    const cache = engine.createCache(40, 3);
    const found = [await engine.runBatch(cache, prompts)];
    for (const step of [0, 1, 2])
      found.push(await engine.runBatch(cache, [[70 + step], [80 + step], [90 + step]]));
    assert.deepEqual([...cache.lengths], [23, 10, 4]);
    for (const [index, prompt] of prompts.entries()) {
      const steps = [70, 71, 72].map((id) => id + 10 * index);
      const alone = await runFresh(engine, [...prompt, ...steps], {});
      const row = rowsOf(
        alone.logits,
        [0, 1, 2, 3].map((step) => prompt.length - 1 + step),
      );
      const own = found.flatMap((logits) => [...rowsOf(logits, [index])]);
      checkClose(own, row);
    }
  });
}

test("several ids for each of several sequences with a past are an UnsupportedError", async () => {
  const engine = await loadTinyEngine();
  const cache = engine.createCache(20, 2);
  await engine.runBatch(cache, [[1], [2]]);
  await assert.rejects(
    engine.runBatch(cache, [
      [1, 2],
      [3, 4],
    ]),
    UnsupportedError,
  );
});

test("a cancel between chunks leaves the chunks that were run", async () => {
  const engine = await loadTinyEngine();
  const whole = await runFresh(engine, ids, {});
  const cache = engine.createCache(100);
  const controller = new AbortController();
  const running = engine.run(cache, ids, { chunk: 10, signal: controller.signal });
  const isUnderWay = () => engine.counters.positions >= ids.length + 30;
  while (!isUnderWay()) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  await assert.rejects(running, CancelledError);
  const { length } = cache;
  assert(length >= 30 && length < 90 && length % 10 === 0, `${length} positions`);
  const { logits } = await engine.run(cache, ids.slice(length), { logitsAt: "all" });
  checkClose(logits, whole.logits.subarray(length * VOCABULARY));
});

test("a signal that has fired before runs nothing", async () => {
  const engine = await loadTinyEngine();
  const cache = engine.createCache(8);
  const options = { signal: AbortSignal.abort() };
  await assert.rejects(engine.run(cache, [1, 2], options), CancelledError);
  assert.deepEqual([cache.length, engine.counters.runs], [0, 0]);
});

test("counters count runs and positions, and the self-test is not among them", async () => {
  const engine = await loadTinyEngine();
  assert.deepEqual(engine.counters, { runs: 0, positions: 0 });
  const cache = engine.createCache(200);
  await engine.run(cache, ids, { chunk: 40 });
  assert.deepEqual(engine.counters, { runs: 3, positions: 90 });
  await engine.run(cache, [5]);
  await engine.run(cache, []);
  assert.deepEqual(engine.counters, { runs: 4, positions: 91 });
});

test("limits: the context, the capacity and the vocabulary", async () => {
  const engine = await loadTinyEngine();
  assert.throws(() => engine.createCache(513), LimitError);
  const cache = engine.createCache(4);
  await assert.rejects(
    engine.run(cache, [1, 2, 3, 4, 5]),
    new LimitError("engine: 5 positions exceed the cache's 4"),
  );
  assert.throws(() => engine.embed([288]), new LimitError("engine: id 288 is not below 288"));
  assert.throws(() => engine.embed([-1]), LimitError);
  await engine.run(cache, [1, 2, 3, 4]);
  assert.equal(cache.length, 4);
});

async function loadFlavour(architecture: "llama" | "qwen2") {
  const engine = await loadTinyEngine({ architecture });
  const whole = await runFresh(engine, ids, { chunk: 512, hidden: true });
  return { architecture, engine, whole };
}

/** Logits of every row unless asked otherwise, from an empty cache of its own. */
function runFresh(engine: Engine, input: readonly number[], options: RunOptions) {
  return engine.run(engine.createCache(200), input, { logitsAt: "all", ...options });
}

function rowsOf(logits: Float32Array, rows: readonly number[]): number[] {
  return rows.flatMap((row) => [...logits.subarray(row * VOCABULARY, (row + 1) * VOCABULARY)]);
}

/** A block's layer [kvHeads, length, headDim] in the order of the loops: [length, kvHeads, headDim]. */
function byPosition({ shape }: Engine, layer: Float32Array | undefined): number[] {
  assert(layer !== undefined);
  const { kvHeadCount, headDim } = shape;
  const length = layer.length / (kvHeadCount * headDim);
  return Array.from({ length: length * kvHeadCount }, (_, index) => {
    const [position, head] = [Math.floor(index / kvHeadCount), index % kvHeadCount];
    const start = (head * length + position) * headDim;
    return [...layer.subarray(start, start + headDim)];
  }).flat();
}

function sumsOfRows(values: Float32Array, width: number): number[] {
  return Array.from({ length: values.length / width }, (_, row) =>
    values.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0),
  );
}

function flat(rows: Rows): number[] {
  return rows.flatMap((row) => [...row]);
}

/** Logits and hidden states are a few units; float32 sums in another order stay well below 1e-4. */
function checkClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(found.length, expected.length);
  let worst = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((found[index] ?? Number.NaN) - (expected[index] ?? Number.NaN));
    if (!(difference <= worst)) worst = difference;
  }
  assert(worst <= 1e-4, `differs by ${worst}`);
}
