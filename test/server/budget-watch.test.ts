import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { type BudgetReport, type CompletionReport, emptyReasons } from "../../sidecar/protocol.ts";
import { BudgetWatch, budgetReport } from "../../sidecar/server/budget-watch.ts";
import type { ShownCompletion } from "../../sidecar/service.ts";

const count = fc.nat({ max: 600 });
const ms = fc.double({ min: 0, max: 500, noNaN: true });
/** A sink alone in front of the near text where there are no memories. */
const sink = 4;
const memories = fc.array(
  fc
    .record({
      kind: fc.constantFrom("span" as const, "demonstration" as const),
      path: fc.constant("src/a.ts"),
      ...{ startLine: count, endLine: count, score: ms, tokens: count },
      places: fc.constant({ named: 0 }),
      positions: fc.nat({ max: 80 }),
    })
    .map((each) => ({
      ...each,
      outcome: each.positions > 0 ? ("compressed" as const) : ("no-room" as const),
    })),
  { maxLength: 12 },
);
const answersWithout = fc.record({
  text: fc.string(),
  replaced: fc.constant(0),
  reason: fc.constant(null),
  alignment: fc.option(
    fc.record({
      way: fc.constantFrom("exact" as const, "token" as const, "off" as const),
      keptTokens: count,
      lastKept: fc.array(count, { maxLength: 8 }),
      tail: fc.uint8Array({ maxLength: 8 }),
      ids: fc.array(count),
      logWeight: fc.constant(0),
    }),
  ),
  use: fc.option(
    fc.record({
      window: fc.constant(4096),
      parts: fc.record({
        blocks: fc.constant(sink),
        header: count,
        prefix: count,
        suffix: count,
        markers: count,
      }),
      reserve: count,
      left: fc.record({ prefix: count, suffix: count, answer: count }),
    }),
  ),
  tokens: fc.record({
    ...{ prefix: count, suffix: count, contextBefore: count, contextAfter: count },
    ...{ generated: count, computed: count, reused: count },
  }),
  ms: fc.record({ load: ms, plan: ms, attach: ms, prefill: ms, decode: ms, total: ms }),
});
/** Memories stand among the blocks; without a look at the model there are none. */
const answers = fc.tuple(answersWithout, memories).map(([answer, before]): ShownCompletion => {
  if (answer.use === null) return { ...answer, use: null, memories: [] };
  const blocks = before.reduce((sum, { positions }) => sum + positions, sink);
  const use = { ...answer.use, parts: { ...answer.use.parts, blocks } };
  return { ...answer, use, memories: before };
});

test("the sources add up to the positions used, and the stages to the time", () => {
  fc.assert(
    fc.property(answers, ms, fc.constantFrom(null, ...emptyReasons), (answer, extra, reason) => {
      const { sources, stages, window, dropped, droppedMemories } = reportOf(answer, {
        extra,
        reason,
      });
      const used = sources.reduce((sum, { after }) => sum + after, 0);
      const { parts, reserve = 0 } = answer.use ?? {};
      const wanted = Object.values(parts ?? {}).reduce((sum, each) => sum + each, reserve);
      assert.equal(used, wanted);
      assert.ok(used <= window);
      assert.equal(sources.length > 0, answer.use !== null);
      const ofSink = sources.filter(({ kind }) => kind === "sink");
      assert.ok(ofSink.every(({ after }) => after === sink));
      const ofMemories = sources.filter(({ kind }) => kind === "memory");
      assert.deepEqual(
        ofMemories.map(({ place, before, after }) => [place?.startLine, before, after]),
        answer.memories
          .filter(({ positions }) => positions > 0)
          .map(({ startLine, tokens, positions }) => [startLine, tokens, positions]),
      );
      const noRoom = answer.memories.length - ofMemories.length;
      assert.equal(droppedMemories ?? 0, noRoom);
      const time = stages.reduce((sum, stage) => sum + stage.ms, 0);
      assert.ok(Math.abs(time - latencyOf(answer, extra)) < 1e-6);
      assert.equal(stages.find(({ kind }) => kind === "attach")?.ms, answer.ms.attach);
      assert.ok(dropped.every(({ characters }) => characters > 0));
    }),
  );
});

test("a model that takes no suffix is the reason for leaving it out, a full window is another", () => {
  const [sample] = fc.sample(
    answers.filter(({ use }) => use !== null),
    { numRuns: 1, seed: 3 },
  );
  assert.ok(sample?.use);
  const left = { prefix: 0, suffix: 9, answer: 0 };
  for (const [suffix, why] of [
    [0, "not-infilling"],
    [4, "window"],
  ] as const) {
    const use = { ...sample.use, parts: { ...sample.use.parts, suffix }, left };
    const { dropped } = reportOf({ ...sample, use }, { extra: 0, reason: null });
    assert.deepEqual(dropped, [{ kind: "suffix", characters: 9, why }]);
  }
});

test("nothing is sent while no view is to be seen; one that comes to be seen gets the last that came to an end", async () => {
  const sent: BudgetReport[] = [];
  const watch = new BudgetWatch((report) => sent.push(report));
  const versions = () => sent.map(({ version }) => version);
  const complete = async (version: number, reason: CompletionReport["reason"] = null) => {
    const [answer] = fc.sample(answers, 1);
    const before = versions();
    if (answer) watch.add({ ...completionOf(answer, 0), version, reason }, answer);
    assert.deepEqual(versions(), before); // The answer goes first.
    await nextTurn();
  };
  watch.watch(true);
  assert.deepEqual(versions(), []);
  watch.watch(false);
  await complete(1);
  await complete(2);
  assert.deepEqual(versions(), []);
  watch.watch(true);
  watch.watch(true);
  await complete(3);
  watch.watch(false);
  await complete(4, "end-of-text");
  await complete(5, "superseded");
  await complete(6, "cancelled");
  assert.deepEqual(versions(), [2, 3]);
  watch.watch(true);
  await complete(7, "cancelled");
  assert.deepEqual(versions(), [2, 3, 4, 7]);
  const hidden = complete(8);
  watch.watch(false);
  await hidden;
  assert.deepEqual(versions(), [2, 3, 4, 7]);
});

function reportOf(
  answer: ShownCompletion,
  { extra, reason }: { extra: number; reason: CompletionReport["reason"] },
): BudgetReport {
  return budgetReport({ ...completionOf(answer, extra), reason }, answer, 0);
}

function completionOf(answer: ShownCompletion, extra: number): CompletionReport {
  const { text, tokens, ms: times } = answer;
  const latencyMs = latencyOf(answer, extra);
  return { uri: "file:///a.ts", version: 1, reason: null, text, tokens, ms: times, latencyMs };
}

function latencyOf({ ms }: ShownCompletion, extra: number): number {
  const { plan, attach, prefill, decode } = ms;
  return plan + attach + prefill + decode + extra;
}
