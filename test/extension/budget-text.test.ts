import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { roundedParts } from "../../extension/budget-gauges.ts";
import { BudgetHistory } from "../../extension/budget-history.ts";
import { budgetView, greatestBudget } from "../../extension/budget-text.ts";
import { type Translate, wordsFor } from "../../extension/status-text.ts";
import { type BudgetReport, emptyReasons } from "../../sidecar/protocol.ts";

const memories = { enable: true, budget: 512, form: "kept" as const };
const language = { t: english, locale: "en" };
const report: BudgetReport = {
  uri: "file:///project/src/a%20b.ts",
  version: 3,
  time: Date.UTC(2026, 0, 1),
  reason: null,
  shown: 12,
  window: 4096,
  sources: [
    { kind: "header", before: 5, after: 5 },
    {
      kind: "memory",
      place: { kind: "span", path: "src/b.ts", startLine: 0, endLine: 9 },
      before: 120,
      after: 10,
    },
    { kind: "prefix", before: 1300, after: 1299 },
    { kind: "suffix", before: 0, after: 0 },
    { kind: "reserve", before: 0, after: 48 },
  ],
  generated: 7,
  computed: 20,
  reused: 1301,
  stages: [
    { kind: "wait", ms: 0.4 },
    { kind: "plan", ms: 0.4 },
    { kind: "prefill", ms: 20.4 },
    { kind: "decode", ms: 80.4 },
  ],
  dropped: [{ kind: "prefix", characters: 12345, why: "window" }],
  alignment: { way: "exact", keptTokens: 1299, tail: "conso", ids: [1] },
};

test("the window's bars lie one behind the other, fill it, and leave out what takes nothing", () => {
  const { window } = viewOf(report, []);
  assert.deepEqual(
    window?.bars.map(({ label, value, start, length }) => [label, value, start, length]),
    [
      ["File name", "5", 0, 5],
      ["src/b.ts:1-9", "120 → 10 (12x)", 5, 10],
      ["Before the cursor", "1,299", 15, 1299],
      ["Reserved for the answer", "48", 1314, 48],
      ["Free", "2,734", 1362, 2734],
    ],
  );
  assert.equal(window?.summary, "1,362 of 4,096");
});

test("many memories are one row, whose parts fill its place in the window", () => {
  const kept = fc.record({ before: fc.nat(2000), after: fc.integer({ min: 1, max: 90 }) });
  fc.assert(
    fc.property(fc.array(kept, { minLength: 5, maxLength: 40 }), (spans) => {
      const among = spans.map((span, index) => ({
        kind: "memory" as const,
        ...span,
        place: at(index),
      }));
      const [header, , ...near] = report.sources;
      const sources = [...(header ? [header] : []), ...among, ...near];
      const bars = viewOf({ ...report, sources }, []).window?.bars ?? [];
      const [, group] = bars;
      assert.equal(bars.length, 5);
      assert.equal(group?.label, `Memories: ${spans.length}`);
      assert.equal(group?.parts[0]?.label, "src/0.ts:10-48");
      let end = group?.start;
      for (const { start, length } of group?.parts ?? []) {
        assert.equal(start, end);
        end = start + length;
      }
      assert.equal(end, bars[2]?.start);
      assert.equal(lengthOf(bars), report.window);
    }),
  );
});

test("a memory says how many of its tokens share a position", () => {
  const sources = [
    { kind: "memory" as const, place: at(1), before: 1212, after: 101 },
    { kind: "memory" as const, before: 41, after: 41 },
  ];
  const bars = viewOf({ ...report, sources }, []).window?.bars.slice(0, 2);
  assert.deepEqual(
    bars?.map(({ label, value }) => [label, value]),
    [
      ["src/1.ts:10-48", "1,212 → 101 (12x)"],
      ["Memory", "41 → 41 (1x)"],
    ],
  );
});

test("attaching is a stage where something was attached", () => {
  const kinds = (ms: number) => {
    const stages = [...report.stages.slice(0, 2), { kind: "attach" as const, ms }];
    return viewOf({ ...report, stages }, []).time?.bars.map(({ kind }) => kind);
  };
  assert.deepEqual(kinds(0), ["wait", "plan"]);
  assert.deepEqual(kinds(0.2), ["wait", "plan", "attach"]);
});

test("a limit of reading that was reached is told among what was left out", () => {
  const sentences = (limits: BudgetReport["limits"]) =>
    viewOf({ ...report, dropped: [], limits: limits ?? [] }, []).dropped.sentences;
  assert.deepEqual(sentences([]), []);
  assert.deepEqual(sentences([{ kind: "files", limit: 4000, left: 1234 }]), [
    "Of a folder at most 4,000 files are read, the nearest first; left out: 1,234.",
  ]);
});

test("the slider stands where the setting does, and says where it moves nothing", () => {
  const sliderOf = (change: Partial<typeof memories>) =>
    budgetView(
      { last: null, history: [], counted: null, memories: { ...memories, ...change } },
      language,
    ).slider;
  const { contributes } = JSON.parse(readFileSync("package.json", "utf8"));
  const properties = contributes.configuration.map(
    (section: { properties: object }) => section.properties,
  );
  assert.equal(Object.assign({}, ...properties)["pith.memories.budget"].maximum, greatestBudget);
  assert.deepEqual([sliderOf({}).value, sliderOf({}).note], [512, null]);
  assert.match(sliderOf({ enable: false }).note ?? "", /pith\.memories\.enable/);
  assert.equal(sliderOf({ budget: 1e6 }).value, greatestBudget);
});

test("the milliseconds of the stages add up to those of the whole, rounded as they are", () => {
  const { time, outcome } = viewOf(report, []);
  assert.deepEqual(
    time?.bars.map(({ length }) => length),
    [0, 1, 20, 81],
  );
  assert.equal(time?.scale, 102);
  assert.equal(outcome.sentence, "Suggested in 102 ms. Tokens: 7, characters: 12.");
});

test("parts that are rounded add up to the rounded sum", () => {
  const values = fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }));
  fc.assert(
    fc.property(values, (parts) => {
      const total = parts.reduce((sum, each) => sum + each, 0);
      const rounded = roundedParts(parts);
      assert.equal(
        rounded.reduce((sum, each) => sum + each, 0),
        Math.round(total),
      );
      assert.ok(rounded.every((each) => each >= 0));
    }),
  );
});

test("tokens before and after, what was computed and what was written again stand in a list", () => {
  const { entries } = viewOf(report, []).facts;
  assert.deepEqual(
    entries.map(({ value }) => value),
    ["1,425", "1,314", "20", "1,301", "7", "“conso”, tokens: 1"],
  );
});

test("what was left out is said with its reason", () => {
  const dropped: BudgetReport["dropped"] = [
    ...report.dropped,
    { kind: "suffix", characters: 9, why: "window" },
    { kind: "suffix", characters: 9, why: "not-infilling" },
    { kind: "answer", characters: 2, why: "behind-end" },
  ];
  const droppedMemories = 12;
  const { sentences } = viewOf({ ...report, dropped, droppedMemories }, []).dropped;
  assert.equal(new Set(sentences).size, 5);
  assert.match(sentences[4] ?? "", /no room in the budget: 12\.$/);
  assert.deepEqual(viewOf({ ...report, droppedMemories: 0 }, []).dropped.sentences.length, 1);
  assert.match(sentences[0] ?? "", /before the cursor .*: 12,345\.$/);
  assert.match(sentences[2] ?? "", /this model does not see: 9\.$/);
});

test("every reason is readable, and a model that was not asked has no bars", () => {
  for (const reason of emptyReasons) {
    const refused = { ...report, reason, window: 0, sources: [], dropped: [], alignment: null };
    const { outcome, window, time, facts } = viewOf(refused, [refused]);
    assert.deepEqual(outcome, {
      sentence: wordsFor(reason, english).sentence,
      isEmpty: true,
    });
    assert.deepEqual([window, time, facts.entries], [null, null, []]);
  }
});

test("the history names file, outcome and time of each completion", () => {
  const empty = { ...report, reason: "only-space" as const };
  const { rows } = viewOf(report, [report, empty]).history;
  assert.deepEqual(
    rows.map(([, ...cells]) => cells),
    [
      ["a b.ts", "7 tokens", "102"],
      ["a b.ts", "only space", "102"],
    ],
  );
});

test("the history keeps the newest, and one of those that were overtaken in a row", () => {
  const history = new BudgetHistory();
  const add = (time: number, reason: BudgetReport["reason"] = null) =>
    history.add({ ...report, time, version: time, reason });
  add(1);
  add(2, "superseded");
  add(3, "superseded");
  add(4, "cancelled");
  const times = () => history.reports.map(({ time }) => time);
  assert.deepEqual(times(), [4, 1]);
  assert.equal(history.last?.time, 1);
  add(5);
  add(5);
  assert.deepEqual(times(), [5, 4, 1]);
  for (let time = 6; time < 40; time++) add(time);
  assert.deepEqual([times().length, times()[0]], [20, 39]);
});

test("the text in front is counted as models elsewhere do", () => {
  const counted = { of: "selection" as const, o200k: 1234, cl100k: 1250 };
  const { elsewhere } = budgetView({ last: null, history: [], counted, memories }, language);
  assert.equal(elsewhere.title, "The selection for models elsewhere");
  assert.deepEqual(
    elsewhere.entries.map(({ value }) => value),
    ["1,234 tokens", "1,250 tokens"],
  );
  assert.deepEqual(viewOf(null, []).elsewhere.entries, []);
});

function viewOf(last: BudgetReport | null, history: BudgetReport[]) {
  return budgetView({ last, history, counted: null, memories }, language);
}

function at(index: number) {
  return { kind: "span" as const, path: `src/${index}.ts`, startLine: 9, endLine: 48 };
}

function lengthOf(bars: readonly { length: number }[]): number {
  return bars.reduce((sum, { length }) => sum + length, 0);
}

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: Parameters<Translate>[1][]): string {
  return message.replaceAll(/\{(\d)\}/g, (_, index) => `${values[Number(index)]}`);
}
