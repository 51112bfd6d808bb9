import assert from "node:assert/strict";
import { test } from "node:test";
import { keptPage } from "../../extension/kept-text.ts";
import type { ShadedText } from "../../sidecar/protocol.ts";

test("each line shows its text and the mean share of its tokens, each token its own", () => {
  const page = keptPage([
    kept(["const", " a", ";\n  ret", "urn\r\n", "\n", "x"], [1, 0, 0.5, 0.25, 0, 1]),
  ]);
  assert.deepEqual(page.text.split("\n"), [
    "[3x] src/a.ts:10-13  6 -> 2",
    "     50 %  const a;",
    "     38 %    return",
    "      0 %  ",
    "    100 %  x",
    "",
  ]);
  const lines = page.text.split("\n");
  assert.deepEqual(
    page.shades.map(({ line, start, end, share }) => [lines[line]?.slice(start, end), share]),
    [
      ["const", 1],
      [" a", 0],
      [";", 0.5],
      ["  ret", 0.5],
      ["urn", 0.25],
      ["x", 1],
    ],
  );
});

test("a character of several tokens belongs to the last of them", () => {
  const bytes = Buffer.from("é!");
  const tokens = [bytes.subarray(0, 1), bytes.subarray(1)].map((piece, index) => ({
    piece: piece.toString("base64"),
    share: index,
  }));
  const { text, shades } = keptPage([{ ...kept([], []), tokens }]);
  assert.match(text, / 50 % {2}é!\n$/);
  assert.deepEqual(
    shades.map(({ start, end, share }) => [end - start, share]),
    [[2, 1]],
  );
});

test("memories stand one below the other", () => {
  const page = keptPage([kept(["a"], [1]), kept(["b"], [0])]);
  assert.equal(page.text.match(/^\[/gm)?.length, 2);
  assert.deepEqual(
    page.shades.map(({ line }) => line),
    [1, 3],
  );
});

function kept(pieces: string[], shares: number[]): ShadedText {
  const tokens = pieces.map((piece, index) => ({
    piece: Buffer.from(piece).toString("base64"),
    share: shares[index] ?? 0,
  }));
  const place = { kind: "span" as const, path: "src/a.ts", startLine: 9, endLine: 13 };
  return { kind: "kept", place, positions: 2, tokens };
}
