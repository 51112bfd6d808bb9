// What the verbose log says of text that ends inside a token.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InlineAlignment } from "../../sidecar/completion/request.ts";
import { alignmentLine } from "../../sidecar/server/alignment-line.ts";

const alignment: InlineAlignment = {
  way: "exact",
  ...{ keptTokens: 12, lastKept: [5, 6, 7, 8, 9, 10, 11, 12] },
  ...{ tail: Buffer.from(' "conso'), ids: [30, 31], logWeight: -0.25 },
};

const lines: [label: string, change: Partial<InlineAlignment>, line: string][] = [
  [
    "of many kept ids the last",
    {},
    'alignment exact: 12 ids kept […, 5, 6, 7, 8, 9, 10, 11, 12], tail " \\"conso" made again as [30, 31], log weight -0.250',
  ],
  [
    "of few kept ids all",
    { way: "token", keptTokens: 2, lastKept: [5, 6] },
    'alignment token: 2 ids kept [5, 6], tail " \\"conso" made again as [30, 31], log weight -0.250',
  ],
  [
    "that none was kept",
    { keptTokens: 0, lastKept: [] },
    'alignment exact: 0 ids kept [], tail " \\"conso" made again as [30, 31], log weight -0.250',
  ],
];
for (const [label, change, line] of lines) {
  test(`the log tells ${label}`, () => {
    assert.equal(alignmentLine({ alignment: { ...alignment, ...change } }), line);
  });
}

test("the log tells nothing where nothing was aligned", () => {
  assert.equal(alignmentLine({ alignment: { ...alignment, way: "off" } }), null);
  assert.equal(alignmentLine({ alignment: null }), null);
});
