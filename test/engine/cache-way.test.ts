// The two ways into the cache, and the test at load that chooses between them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CacheWay, createCacheWay } from "../../sidecar/engine/cache-way.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import { KvCache } from "../../sidecar/engine/kv-cache.ts";
import { isFaithful } from "../../sidecar/engine/self-test.ts";
import { Session } from "../../sidecar/engine/session.ts";
import { loadTinyEngine, prepareTiny } from "./load-tiny.ts";

const ids = Array.from({ length: 50 }, (_, index) => (index * index * 11 + 5) % 280);

test("the pinned runtime updates the cache in place", async () => {
  const engine = await loadTinyEngine();
  assert.equal(engine.cacheWay, "in-place");
});

for (const architecture of ["llama", "qwen2"] as const) {
  test(`${architecture}: the copied fallback equals the way in place`, async () => {
    const inPlace = await loadTinyEngine({ architecture }, { cacheWay: "in-place" });
    const copied = await loadTinyEngine({ architecture }, { cacheWay: "copied" });
    assert.equal(copied.cacheWay, "copied");
    const found = await walk(copied);
    for (const [index, values] of (await walk(inPlace)).entries())
      checkClose(found[index] ?? new Float32Array(0), values);
  });
}

test("batches of unlike lengths: the copied fallback equals the way in place", async () => {
  const inPlace = await loadTinyEngine({}, { cacheWay: "in-place" });
  const copied = await loadTinyEngine({}, { cacheWay: "copied" });
  const runs = async (engine: Engine) => {
    const cache = engine.createCache(30, 3);
    const first = await engine.runBatch(cache, [
      ids.slice(0, 9),
      ids.slice(9, 11),
      ids.slice(20, 25),
    ]);
    return [first, await engine.runBatch(cache, [[1], [2], [3]])];
  };
  const found = await runs(copied);
  for (const [index, logits] of (await runs(inPlace)).entries())
    checkClose(found[index] ?? new Float32Array(0), logits);
});

const unfaithfulWays: [label: string, run: CacheWay["run"]][] = [
  ["refuses", () => Promise.reject(new Error("refused"))],
  ["computes nothing", () => Promise.resolve()],
  [
    "leaves the cache as it was",
    async (session, step) => {
      const aside = copyOf(step.cache);
      await createCacheWay("in-place").run(session, { ...step, cache: aside });
    },
  ],
  [
    "writes the cache and no logits",
    (session, step) => createCacheWay("in-place").run(session, { ...step, results: {} }),
  ],
];
for (const [label, run] of unfaithfulWays) {
  test(`a way that ${label} fails the self-test`, async (context) => {
    const model = await prepareTiny();
    const session = await Session.load(model.graphFile, { threads: 1 });
    context.after(() => session.release());
    assert.equal(await isFaithful(createCacheWay("in-place"), session, model.shape), true);
    assert.equal(await isFaithful({ name: "in-place", run }, session, model.shape), false);
  });
}

/** Everything a cache goes through: chunks, steps, rewind, a moved block, attention. */
async function walk(engine: Engine): Promise<Float32Array[]> {
  const cache = engine.createCache(100);
  const prompt = await engine.run(cache, ids, { chunk: 16, logitsAt: "all", hidden: true });
  const block = cache.copyBlock(10, 30);
  cache.truncate(5);
  cache.attach(block);
  const { attention } = await engine.run(cache, ids.slice(0, 7), { attention: true, chunk: 4 });
  const step = await engine.run(cache, [9], { logitsAt: "last" });
  const { keys, values } = cache.copyBlock(0, cache.length);
  const results = [prompt.logits, prompt.hidden ?? [], ...(attention ?? []), step.logits];
  return [...results, ...keys, ...values].map((each) => Float32Array.from(each));
}

function copyOf(cache: KvCache): KvCache {
  const copy = new KvCache(cache.shape, cache.capacity);
  copy.attach(cache.copyBlock(0, cache.length));
  return copy;
}

/** The same kernels over the same numbers, at other addresses. */
function checkClose(found: Float32Array, expected: Float32Array): void {
  assert.equal(found.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(value - (found[index] ?? Number.NaN));
    assert(difference <= 1e-5, `differs by ${difference} at ${index}`);
  }
}
