import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { Prompt } from "../../sidecar/completion/layout.ts";
import { PromptCache } from "../../sidecar/completion/prompt-cache.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import { createSampler } from "../../sidecar/engine/sampler.ts";
import { CancelledError } from "../../sidecar/errors.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
let engine: Engine;
before(async () => {
  tiny = await openTiny();
  engine = tiny.engine;
});
after(() => tiny.close());

const chunk = 16;
const suffixToken = 5;
const middleToken = 4;

function createCache(movedTokens = 16): PromptCache {
  return new PromptCache(engine, { capacity: 512, movedTokens, freshTokens: 2 });
}

function promptOf(head: readonly number[], suffix: readonly number[] | null): Prompt {
  if (suffix === null) return { head, suffix: [], middle: [] };
  return { head, suffix: [suffixToken, ...suffix], middle: [middleToken] };
}

/** `count` ordinary ids. */
function ids(count: number, seed = 0): number[] {
  return Array.from({ length: count }, (_, index) => 40 + ((index * 7 + seed * 13) % 200));
}

async function freshLogits({ head, suffix, middle }: Prompt): Promise<Float32Array> {
  const output = await engine.run(engine.createCache(512), [...head, ...suffix, ...middle], {
    logitsAt: "last",
  });
  return output.logits.slice();
}

/** Float32 sums in another order differ by less than this on logits around 1. */
function checkClose(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const differences = actual.map((value, index) => Math.abs(value - (expected[index] ?? NaN)));
  const greatest = Math.max(...differences);
  assert.ok(greatest < 1e-4, `logits differ by ${greatest}`);
}

/** Rows run through the model by `work`. */
async function rowsRun(work: () => Promise<unknown>): Promise<number> {
  const start = engine.counters.positions;
  await work();
  return engine.counters.positions - start;
}

/** A signal that fires at the `looks`-th look at it. */
function signalAfter(looks: number): AbortSignal {
  let seen = 0;
  return Object.defineProperty(new AbortController().signal, "aborted", {
    get: () => ++seen > looks,
  });
}

test("typing left to right runs the new ids only", async () => {
  const cache = createCache();
  await cache.fill(promptOf(ids(100), null), { reuse: "exact", chunk });
  const longer = promptOf([...ids(100), 50, 51], null);
  const run = await rowsRun(async () => {
    checkClose(await cache.fill(longer, { reuse: "exact", chunk }), await freshLogits(longer));
  });
  assert.equal(run, 2 + 102);
});

test("the same prompt again runs its last id only", async () => {
  const cache = createCache();
  const prompt = promptOf(ids(40), ids(20, 1));
  const first = (await cache.fill(prompt, { reuse: "moved", chunk })).slice();
  const run = await rowsRun(async () => {
    checkClose(await cache.fill(prompt, { reuse: "moved", chunk }), first);
  });
  assert.equal(run, 1);
});

test("accepted text was run while it was generated", async () => {
  const cache = createCache();
  const logits = await cache.fill(promptOf(ids(30), null), { reuse: "exact", chunk });
  const sampler = createSampler({ temperature: 0, topP: 1, seed: 0 });
  const accepted: number[] = [];
  const choices = cache.decode(logits, { maxTokens: 8, sampler, isEnd: () => false });
  for await (const { id } of choices) accepted.push(id);
  const next = promptOf([...ids(30), ...accepted], null);
  // The last id was chosen and never run.
  assert.equal(await rowsRun(() => cache.fill(next, { reuse: "exact", chunk })), 1);
  checkClose(await cache.fill(next, { reuse: "exact", chunk }), await freshLogits(next));
});

test("a nothing-reusing fill runs every row", async () => {
  const cache = createCache();
  const prompt = promptOf(ids(40), ids(20, 1));
  await cache.fill(prompt, { reuse: "none", chunk });
  assert.equal(await rowsRun(() => cache.fill(prompt, { reuse: "none", chunk })), 62);
});

test("a moved suffix is that of the older head but for its first rows, rotated to its new place", async () => {
  for (const [label, head] of [
    ["longer", [...ids(40), 60, 61, 62]],
    ["shorter", ids(35)],
    ["of the same length", [...ids(39), 77]],
  ] as const) {
    const cache = createCache();
    const old = promptOf(ids(40), ids(20, 1));
    const now = promptOf(head, ids(20, 1));
    await cache.fill(old, { reuse: "moved", chunk });

    const reference = engine.createCache(512);
    await engine.run(reference, [...old.head, ...old.suffix]);
    const block = reference.copyBlock(42, 61);
    reference.truncate(0);
    await engine.run(reference, [...now.head, ...now.suffix.slice(0, 2)]);
    reference.attach(block);
    const { logits } = await engine.run(reference, now.middle, { logitsAt: "last" });

    const expected = logits.slice();
    const run = await rowsRun(async () => {
      checkClose(await cache.fill(now, { reuse: "moved", chunk }), expected);
    });
    const same = Math.min(head.length, label === "of the same length" ? 39 : 40);
    assert.equal(run, head.length - same + 2 + 1, label);
  }
});

test("typing back to where the suffix was run gives the logits of a fresh run", async () => {
  const cache = createCache();
  const prompt = promptOf(ids(40), ids(20, 1));
  await cache.fill(prompt, { reuse: "moved", chunk });
  await cache.fill(promptOf([...ids(40), 60, 61], ids(20, 1)), { reuse: "moved", chunk });
  const logits = await cache.fill(prompt, { reuse: "moved", chunk });
  checkClose(logits, await freshLogits(prompt));
});

test("behind more changed tokens than the bound the suffix is run again", async () => {
  const cache = createCache(3);
  const suffix = ids(20, 1);
  await cache.fill(promptOf(ids(40), suffix), { reuse: "moved", chunk });
  const fill = (count: number) => () =>
    cache.fill(promptOf([...ids(40), ...ids(count, 2)], suffix), { reuse: "moved", chunk });
  assert.equal(await rowsRun(fill(3)), 3 + 2 + 1);
  assert.equal(await rowsRun(fill(4)), 1 + 21 + 1);
  assert.equal(await rowsRun(fill(7)), 3 + 2 + 1);
});

test("a changed suffix is run again", async () => {
  const cache = createCache();
  await cache.fill(promptOf(ids(40), ids(20, 1)), { reuse: "moved", chunk });
  const changed = promptOf([...ids(40), 60], [99, ...ids(20, 1)]);
  const logits = await cache.fill(changed, { reuse: "moved", chunk });
  checkClose(logits, await freshLogits(changed));
});

test("a keystroke behind copied blocks runs as many rows as one without them", async () => {
  const memory = engine.createCache(32);
  await engine.run(memory, ids(20, 3));
  const [block, other] = [memory.copyBlock(0, 12), memory.copyBlock(12, 20)];
  const blocks = [
    { key: "first", length: 12, open: () => block },
    { key: "second", length: 8, open: () => other },
  ];
  const type = async (inFront: NonNullable<Prompt["blocks"]>) => {
    const cache = createCache(3);
    const rows: number[] = [];
    for (const typed of [0, 1, 2, 3, 5, 4, 4]) {
      const prompt = promptOf([...ids(40), ...ids(typed, 2)], ids(20, 1));
      const fill = () => cache.fill({ ...prompt, blocks: inFront }, { reuse: "moved", chunk });
      rows.push(await rowsRun(fill));
    }
    return rows;
  };
  const without = await type([]);
  assert.deepEqual(without.slice(1, 4), [1 + 2 + 1, 1 + 2 + 1, 1 + 2 + 1]);
  assert.deepEqual(await type(blocks), without);
});

test("a pause makes the moved suffix exact again", async () => {
  const cache = createCache();
  const suffix = ids(20, 1);
  await cache.fill(promptOf(ids(40), suffix), { reuse: "moved", chunk });
  const typed = promptOf([...ids(40), 60, 61], suffix);
  await cache.fill(typed, { reuse: "moved", chunk });
  assert.equal(await cache.makeExact(typed, { chunk }), 19 + 1);
  assert.equal(await cache.makeExact(typed, { chunk }), 0);
  const logits = await cache.fill(typed, { reuse: "moved", chunk });
  checkClose(logits, await freshLogits(typed));
});

test("nothing is run in a pause for a prompt without a suffix that is there", async () => {
  const cache = createCache();
  const prompt = promptOf(ids(40), null);
  await cache.fill(prompt, { reuse: "moved", chunk });
  assert.equal(await cache.makeExact(prompt, { chunk }), 0);
});

test("a cancelled fill keeps what was run", async () => {
  const cache = createCache();
  const prompt = promptOf(ids(100), ids(20, 1));
  const cancelled = cache.fill(prompt, { reuse: "moved", chunk, signal: signalAfter(3) });
  await assert.rejects(cancelled, CancelledError);
  assert.equal(cache.length, 3 * chunk);
  const run = await rowsRun(async () => {
    const logits = await cache.fill(prompt, { reuse: "moved", chunk });
    checkClose(logits, await freshLogits(prompt));
  });
  assert.equal(run, 122 - 3 * chunk + 122);
});

test("a keystroke cancelled while the suffix is lifted does not lose the suffix", async () => {
  const cache = createCache();
  const suffix = ids(20, 1);
  await cache.fill(promptOf(ids(40), suffix), { reuse: "moved", chunk });
  const typed = promptOf([...ids(40), 60], suffix);
  const cancelled = cache.fill(typed, { reuse: "moved", chunk, signal: signalAfter(0) });
  await assert.rejects(cancelled, CancelledError);
  assert.equal(await rowsRun(() => cache.fill(typed, { reuse: "moved", chunk })), 1 + 2 + 1);
});

type Step =
  | { kind: "insert"; at: number; count: number; seed: number }
  | { kind: "delete"; at: number; count: number }
  | { kind: "suffix"; seed: number }
  | { kind: "cancel"; looks: number }
  | { kind: "decode"; count: number }
  | { kind: "refresh" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("insert" as const),
    at: fc.oneof(fc.constant(0), fc.nat(60)),
    count: fc.integer({ min: 1, max: 30 }),
    seed: fc.nat(20),
  }),
  fc.record({ kind: fc.constant("delete" as const), at: fc.nat(20), count: fc.nat(20) }),
  fc.record({ kind: fc.constant("suffix" as const), seed: fc.nat(3) }),
  fc.record({ kind: fc.constant("cancel" as const), looks: fc.nat(4) }),
  fc.record({ kind: fc.constant("decode" as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("refresh" as const) }),
);

/** `at` and `count` are counted back from the end, where most edits are. */
function edit(head: readonly number[], step: Step): number[] {
  if (step.kind === "insert") {
    const at = Math.max(0, head.length - step.at);
    return [...head.slice(0, at), ...ids(step.count, step.seed), ...head.slice(at)];
  }
  if (step.kind !== "delete") return [...head];
  const end = Math.max(1, head.length - step.at);
  return [...head.slice(0, Math.max(1, end - step.count)), ...head.slice(end)];
}

/** What else may happen to the cache before the exact path is asked for the same prompt. */
async function disturb(cache: PromptCache, prompt: Prompt, step: Step): Promise<void> {
  const moved = { reuse: "moved", chunk } as const;
  if (step.kind === "refresh") await cache.makeExact(prompt, { chunk });
  if (step.kind === "cancel") {
    const cancelled = cache.fill(prompt, { ...moved, signal: signalAfter(step.looks) });
    await cancelled.catch((error: unknown) => assert.ok(error instanceof CancelledError));
  } else if (step.kind !== "decode") await cache.fill(prompt, moved);
}

test("after any edits the exact path gives the logits of a fresh cache", async () => {
  const sampler = createSampler({ temperature: 0, topP: 1, seed: 0 });
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 12 }), async (edits) => {
      const cache = createCache();
      let head = ids(30);
      let suffix: number[] | null = ids(25, 1);
      for (const step of edits) {
        head = edit(head, step).slice(-300);
        if (step.kind === "suffix") suffix = step.seed === 0 ? null : ids(25, step.seed);
        const prompt = promptOf(head, suffix);
        await disturb(cache, prompt, step);
        const logits = await cache.fill(prompt, { reuse: "exact", chunk });
        checkClose(logits, await freshLogits(prompt));
        const maxTokens = step.kind === "decode" ? step.count : 0;
        const choices = cache.decode(logits, { maxTokens, sampler, isEnd: () => false });
        while ((await choices.next()).done !== true);
      }
    }),
    { numRuns: 40 },
  );
});
