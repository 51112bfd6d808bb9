import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition, Translate } from "../../extension/status-text.ts";
import { reportLine, viewOf, wordsFor } from "../../extension/status-text.ts";
import { type CompletionReport, type EmptyReason, emptyReasons } from "../../sidecar/protocol.ts";

const model = "smollm2-135m";
const still = { last: null, off: null, activity: { kind: "resting" } } as const;
const conditions: [condition: Condition, text: string, detail: string][] = [
  [{ kind: "starting" }, "$(loading~spin) Pith", "The sidecar is starting."],
  [
    { kind: "restarting", delayMs: 1200 },
    "$(loading~spin) Pith",
    "The sidecar ended and starts again in 2 s.",
  ],
  [{ kind: "stopped", message: "SIGSEGV" }, "$(error) Pith", "The sidecar keeps ending: SIGSEGV"],
  [
    { kind: "model-missing", model, byteLength: 1 },
    "$(cloud-download) Pith: no model",
    "The model smollm2-135m is not on this machine yet.",
  ],
  [
    { kind: "downloading", model, fraction: 0.429 },
    "$(loading~spin) Pith 42 %",
    "The model smollm2-135m is being downloaded: 42 %.",
  ],
  [
    { kind: "preparing", model, fraction: 0.5 },
    "$(loading~spin) Pith 50 %",
    "The model smollm2-135m is being prepared, once: 50 %.",
  ],
  [{ kind: "loading", model }, "$(loading~spin) Pith", "The model smollm2-135m is being loaded."],
  [{ kind: "ready", model }, "$(sparkle) Pith", "Ready: smollm2-135m."],
  [
    { kind: "failed", model, message: "cut off" },
    "$(error) Pith",
    "The model smollm2-135m cannot be used: cut off",
  ],
];

for (const [condition, text, detail] of conditions)
  test(`a sidecar that is ${condition.kind} shows as ${text}`, () => {
    const view = viewOf({ ...still, condition }, english);
    assert.deepEqual({ text: view.text, detail: view.detail }, { text, detail });
  });

test("every reason has words of its own, for the status bar and as a sentence", () => {
  const words = emptyReasons.map((reason) => wordsFor(reason, english));
  const shorts = new Set(words.map(({ short }) => short));
  const sentences = new Set(words.map(({ sentence }) => sentence));
  assert.equal(shorts.size, emptyReasons.length);
  assert.equal(sentences.size, emptyReasons.length);
  for (const { short, sentence } of words) {
    assert.ok(short.length > 0 && short.length <= 22, short);
    assert.match(sentence, /^[A-Z].*\.$/);
  }
});

test("an empty completion shows its reason, the next one with a text takes it away", () => {
  const condition = { kind: "ready", model } as const;
  const empty = viewOf({ ...still, condition, last: reportOf("low-confidence") }, english);
  assert.equal(empty.text, "$(circle-slash) Pith: unsure");
  const filled = viewOf({ ...still, condition, last: reportOf(null) }, english);
  assert.equal(filled.text, "$(sparkle) Pith");
  assert.equal(filled.detail, "smollm2-135m: 5 tokens in 43 ms, 200 positions reused.");
});

test("what the settings rule out shows before any keystroke and whatever the model does", () => {
  const condition = { kind: "loading", model } as const;
  const view = viewOf({ ...still, condition, off: "untrusted" }, english);
  assert.equal(view.text, "$(circle-slash) Pith: restricted mode");
});

test("work on memories is told in the sentence and leaves the status bar's text alone", () => {
  const condition = { kind: "ready", model } as const;
  const activities = [
    [{ kind: "reading", done: 12, total: 300 }, "Reading files of the workspace: 12 of 300."],
    [{ kind: "encoding", done: 3, total: 12 }, "Encoding memories: 3 of 12."],
  ] as const;
  const quiet = viewOf({ ...still, condition }, english);
  for (const [activity, sentence] of activities) {
    const view = viewOf({ ...still, condition, activity }, english);
    assert.deepEqual(view, { ...quiet, isBusy: true, detail: `Ready: ${model}. ${sentence}` });
    const loading = { kind: "loading", model } as const;
    const before = viewOf({ ...still, condition: loading }, english);
    assert.deepEqual(viewOf({ ...still, condition: loading, activity }, english), before);
  }
});

test("that there can be no memories is a warning with the reason, unless there is worse", () => {
  const condition = { kind: "ready", model } as const;
  const activity = { kind: "unavailable", message: "no adapter" } as const;
  const view = viewOf({ ...still, condition, activity }, english);
  assert.deepEqual([view.severity, view.isBusy], ["warning", false]);
  assert.equal(view.detail, `Ready: ${model}. Completions do without memories: no adapter.`);
  const last = reportOf("engine-failed");
  assert.equal(viewOf({ ...still, condition, last, activity }, english).severity, "error");
});

test("an engine that failed shows as an error", () => {
  const condition = { kind: "ready", model } as const;
  const last = reportOf("engine-failed");
  assert.equal(viewOf({ ...still, condition, last }, english).severity, "error");
});

test("the log's line of a completion holds none of its text", () => {
  const line = reportLine(reportOf(null));
  assert.doesNotMatch(line, /secret/);
  assert.match(
    line,
    /version 7: 10 characters; .*memories 1212 as 101 .*computed 9 reused 200; prefill 20 decode 22 all 43/,
  );
  assert.match(reportLine(reportOf("superseded")), /version 7: superseded;/);
});

function reportOf(reason: EmptyReason | null): CompletionReport {
  const tokens = { prefix: 190, suffix: 10, contextBefore: 1212, contextAfter: 101 };
  return {
    uri: "file:///a.ts",
    version: 7,
    reason,
    text: reason === null ? "secret()=1" : "",
    tokens: { ...tokens, generated: 5, computed: 9, reused: 200 },
    ms: { load: 0, plan: 0.4, attach: 0, prefill: 20.2, decode: 22, total: 42.6 },
    latencyMs: 43.1,
  };
}

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: Parameters<Translate>[1][]): string {
  return message.replaceAll(/\{(\d)\}/g, (_, index) => `${values[Number(index)]}`);
}
