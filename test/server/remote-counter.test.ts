import assert from "node:assert/strict";
import { after, test } from "node:test";
import { LimitError } from "../../sidecar/errors.ts";
import { RemoteCounter } from "../../sidecar/server/remote-counter.ts";

const counter = new RemoteCounter(new URL("../../counter.mjs", import.meta.url));
after(() => counter.stop());

// As OpenAI's cookbook has them, "How to count tokens with tiktoken".
const cases: [text: string, o200k: number, cl100k: number][] = [
  ["antidisestablishmentarianism", 6, 6],
  ["2 + 2 = 4", 7, 7],
  ["お誕生日おめでとう", 8, 9],
];

for (const [text, o200k, cl100k] of cases)
  test(`${JSON.stringify(text)} has ${o200k} tokens by o200k and ${cl100k} by cl100k`, async () => {
    assert.deepEqual(await counter.count(text), { o200k, cl100k });
  });

test("text that spells a special token is counted as text", async () => {
  assert.ok((await counter.count("<|endoftext|>")).o200k > 1);
});

test("counts that are asked for at once are each answered", async () => {
  const counts = await Promise.all(["a", "a b", "a b c"].map((text) => counter.count(text)));
  assert.deepEqual(
    counts.map(({ o200k }) => o200k),
    [1, 2, 3],
  );
});

test("a text without end is refused", async () => {
  await assert.rejects(counter.count("x".repeat(1_000_001)), LimitError);
});

test("a stop refuses what waits, though its answer be under way, and nothing that is asked later", async () => {
  const broken = counter.count("x");
  untilAnswered();
  counter.stop();
  const next = counter.count("x");
  await assert.rejects(broken, /ended/);
  assert.equal((await next).o200k, 1);
});

/** Longer than counting one letter takes; nothing can be received meanwhile. */
function untilAnswered(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
}
