import assert from "node:assert/strict";
import { test } from "node:test";
import { placeInLine, selectionText } from "../../extension/selection-text.ts";
import type { SelectedMemory, Selection } from "../../sidecar/protocol.ts";

const settings = { enable: true, budget: 512, form: "kept" as const };
const state = { settings, activity: { kind: "resting" as const } };
const memory: SelectedMemory = {
  kind: "span",
  path: "src/a.ts",
  startLine: 9,
  endLine: 48,
  score: 0.0487,
  places: { alike: 3, named: 0 },
  tokens: 1212,
  positions: 101,
  outcome: "compressed",
};
const memories: SelectedMemory[] = [
  memory,
  { ...memory, path: "b.ts", tokens: 41, positions: 41, outcome: "whole", places: { imported: 1 } },
  { ...memory, path: "c d.ts", positions: 0, outcome: "no-room", places: { recent: 0 } },
  { ...memory, kind: "demonstration", path: ".pith/x.pith.md", outcome: "compressed" },
];
const selection: Selection = { uri: "file:///w/or%20ders.ts", budget: 512, memories };

test("every candidate has a line with its ratio, place, counts, score and why", () => {
  assert.equal(
    selectionText(selection, state, english),
    `Candidates for or ders.ts: 4. Positions used: 243 of 512.

[12x] src/a.ts:10-48  1212 -> 101  score 0.049  compressed; #1 defines names used here, #4 alike in words
[1x] b.ts:10-48  41 -> 41  score 0.049  whole, being probably needed; #2 defines names that the file imports
[-] c d.ts:10-48  1212 -> 0  score 0.049  left out, the budget being used up by better ones; #1 recent
[12x] .pith/x.pith.md:10-48  1212 -> 101  score 0.049  compressed; #1 defines names used here, #4 alike in words
`,
  );
});

test("where nothing was selected, the page says why", () => {
  const none = { uri: null, budget: 512, memories: [] };
  const sentences = [
    selectionText(none, { ...state, settings: { ...settings, enable: false } }, english),
    selectionText(none, { ...state, settings: { ...settings, budget: 0 } }, english),
    selectionText(none, state, english),
    selectionText({ ...none, uri: "file:///a.ts" }, state, english),
  ];
  assert.match(sentences[0] ?? "", /pith\.memories\.enable/);
  assert.match(sentences[1] ?? "", /pith\.memories\.budget/);
  assert.match(sentences[2] ?? "", /not|nothing/i);
  assert.equal(new Set(sentences).size, 4);
  const activity = { kind: "reading" as const, done: 12, total: 300 };
  assert.match(selectionText(none, { settings, activity }, english), /\n.*12 of 300\.\n$/);
  const without = { kind: "unavailable" as const, message: "no adapter" };
  assert.match(
    selectionText(none, { settings, activity: without }, english),
    /^.*: no adapter\.\n$/,
  );
});

test("a line of the page leads back to its place", () => {
  const lines = selectionText(selection, state, english).split("\n");
  const places = lines.map(placeInLine).filter((place) => place !== null);
  assert.deepEqual(
    places,
    memories.map(({ path, startLine, endLine }) => ({ path, startLine, endLine })),
  );
});

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: (string | number)[]): string {
  return message.replaceAll(/\{(\d)\}/g, (_, index) => `${values[Number(index)]}`);
}
