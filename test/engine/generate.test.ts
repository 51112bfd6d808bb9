import assert from "node:assert/strict";
import { test } from "node:test";
import { type GenerateOptions, generate } from "../../sidecar/engine/generate.ts";
import { createSampler } from "../../sidecar/engine/sampler.ts";
import { CancelledError } from "../../sidecar/errors.ts";
import { loadTinyEngine } from "./load-tiny.ts";

const prompt = [31, 38, 59, 94];
const engine = await loadTinyEngine();

test("each id is the best one behind all before it, as a fresh run gives it", async () => {
  const { ids } = await collect({ maxTokens: 12 });
  const cache = engine.createCache(40);
  const { logits } = await engine.run(cache, [...prompt, ...ids], { logitsAt: "all" });
  const size = engine.shape.vocabularySize;
  for (const [index, id] of ids.entries()) {
    const row = prompt.length - 1 + index;
    const fresh = logits.subarray(row * size, (row + 1) * size);
    assert.equal(id, fresh.indexOf(Math.max(...fresh)));
  }
});

test("a chosen id is run only when the next one is asked for", async () => {
  const { cache, choices } = await start({ maxTokens: 5 });
  const before = engine.counters.runs;
  await choices.next();
  assert.deepEqual([cache.length, engine.counters.runs - before], [4, 0]);
  await choices.next();
  assert.deepEqual([cache.length, engine.counters.runs - before], [5, 1]);
  await choices.return("length");
  assert.deepEqual([cache.length, engine.counters.runs - before], [5, 1]);
});

test("it ends at the count, at an end id and at a full cache", async () => {
  const all = await collect({ maxTokens: 6 });
  assert.deepEqual([all.ids.length, all.end, all.length], [6, "length", 9]);
  const third = all.ids[2];
  const first = all.ids.indexOf(third ?? -1);
  const ended = await collect({ maxTokens: 6, isEnd: (id) => id === third });
  assert.deepEqual([ended.ids, ended.end], [all.ids.slice(0, first), "end"]);
  const full = await collect({ maxTokens: 6 }, 6);
  assert.deepEqual([full.ids, full.end, full.length], [all.ids.slice(0, 3), "length", 6]);
  assert.deepEqual((await collect({ maxTokens: 0 })).ids, []);
});

test("temperature 0 ignores the seed, equal seeds agree, other seeds do not", async () => {
  const draw = async (temperature: number, seed: number) => {
    const sampler = createSampler({ temperature, topP: 0.95, seed });
    return (await collect({ maxTokens: 12, sampler })).ids;
  };
  assert.deepEqual(await draw(0, 1), await draw(0, 2));
  assert.deepEqual(await draw(1, 1), await draw(1, 1));
  assert.notDeepEqual(await draw(1, 1), await draw(1, 2));
});

test("a signal stops it before the next step", async () => {
  const controller = new AbortController();
  const { cache, choices } = await start({ maxTokens: 9, signal: controller.signal });
  await choices.next();
  controller.abort();
  await assert.rejects(choices.next(), CancelledError);
  assert.equal(cache.length, 4);
});

async function start(options: Partial<GenerateOptions>, capacity = 40) {
  const cache = engine.createCache(capacity);
  const { logits } = await engine.run(cache, prompt, { logitsAt: "last" });
  const sampler = createSampler({ temperature: 0, topP: 1, seed: 0 });
  const defaults = { maxTokens: 5, sampler, isEnd: () => false };
  return { cache, choices: generate(engine, cache, logits, { ...defaults, ...options }) };
}

async function collect(options: Partial<GenerateOptions>, capacity = 40) {
  const { cache, choices } = await start(options, capacity);
  const ids: number[] = [];
  let next = await choices.next();
  for (; !next.done; next = await choices.next()) ids.push(next.value.id);
  return { ids, end: next.value, length: cache.length };
}
