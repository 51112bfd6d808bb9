import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type EmptyState, emptyStateOf, emptyStates } from "../../extension/empty-state.ts";
import type { Condition } from "../../extension/status-text.ts";

const model = "smollm2-135m";
const missing: Condition = { kind: "model-missing", model, byteLength: null };
const ready: Condition = { kind: "ready", model };
const cases: [EmptyState, Condition, { isTrusted?: boolean; hasCompleted?: boolean }][] = [
  ["untrusted", ready, { isTrusted: false, hasCompleted: true }],
  ["model-missing", missing, { hasCompleted: true }],
  ["model-missing", { kind: "downloading", model, fraction: 0.1 }, {}],
  ["failed", { kind: "failed", model, message: "cut" }, {}],
  ["failed", { kind: "stopped", message: "SIGSEGV" }, {}],
  ["none", { kind: "stopped", message: "SIGSEGV" }, { hasCompleted: true }],
  ["starting", { kind: "starting" }, {}],
  ["starting", { kind: "loading", model }, {}],
  ["none", { kind: "loading", model }, { hasCompleted: true }],
  ["nothing-yet", ready, {}],
  ["none", ready, { hasCompleted: true }],
];

for (const [state, condition, known] of cases)
  test(`${condition.kind} with ${JSON.stringify(known)} is ${state}`, () => {
    const all = { isTrusted: true, hasCompleted: false, ...known };
    assert.equal(emptyStateOf(condition, all), state);
  });

test("each empty state has a welcome text, and one view or the other is there", () => {
  const { viewsWelcome, views } = JSON.parse(readFileSync("package.json", "utf8")).contributes;
  assert.deepEqual(
    viewsWelcome.map(({ when }: { when: string }) => when),
    emptyStates.filter((state) => state !== "none").map((state) => `pith.emptyState == ${state}`),
  );
  assert.deepEqual(
    views.pith.map(({ when }: { when: string }) => when),
    ["pith.emptyState != none", "pith.emptyState == none"],
  );
});
