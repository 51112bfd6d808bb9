import assert from "node:assert/strict";
import { test } from "node:test";
import type { Translate } from "../../extension/status-text.ts";
import { tokenText } from "../../extension/token-text.ts";

const pieces = [
  Buffer.from("const"),
  Buffer.from(" é"),
  Buffer.from([0xe2, 0x82]),
  Buffer.from("\n"),
];
const page = {
  source: "a.ts:1-2",
  model: "smollm2-135m",
  split: { ids: [7, 12345, 9, 198], pieces: pieces.map((piece) => piece.toString("base64")) },
  underTrained: new Set([9]),
};

test("each token has a line with its number, id, text, bytes, and a mark where it is hardly known", () => {
  assert.deepEqual(tokenText(page, english).split("\n"), [
    "a.ts:1-2: 11 bytes are 4 tokens of smollm2-135m",
    "",
    "token     id  text     bytes",
    '    1      7  "const"  63 6f 6e 73 74',
    '    2  12345  " é"     20 c3 a9',
    '    3      9  "�"      e2 82           hardly seen in training',
    '    4    198  "\\n"     0a',
    "",
  ]);
});

test("a token that is longer than a column pushes its own line only", () => {
  const long = Buffer.from(" ".repeat(80)).toString("base64");
  const text = tokenText({ ...page, split: { ids: [1, 2], pieces: [long, "YQ=="] } }, english);
  const [, , , first = "", second = ""] = text.split("\n");
  assert.ok(first.length > 300 && second.length < 60, text);
});

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: Parameters<Translate>[1][]): string {
  return message.replaceAll(/\{(\d)\}/g, (_, index) => `${values[Number(index)]}`);
}
