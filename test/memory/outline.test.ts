// Pieces as tokens with a bar between them; the tokens that are outline, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { outlineWeight, outlineWeights } from "../../sidecar/memory/outline.ts";

const utf8 = new TextEncoder();

function outlineOf(piece: string): string[] {
  const tokens = piece.split("|");
  const weights = outlineWeights(tokens.map((token) => utf8.encode(token)));
  assert.equal(weights.length, tokens.length);
  assert.ok(outlineWeight > 1);
  assert.ok(weights.every((weight) => weight === 1 || weight === outlineWeight));
  return tokens.filter((_, index) => weights[index] === outlineWeight);
}

const cases: [name: string, piece: string, outline: string[]][] = [
  [
    "a definition behind its path: path, head and end, not what is inside",
    "// a.ts|\n|function ring|() {|\n  |return 1;|\n|}|\n",
    ["// a.ts", "function ring", "() {", "}"],
  ],
  [
    "an indented one: the path, and the head that is indented",
    "// a.py|\n|    |def ring():|\n        |return 1|\n",
    ["// a.py", "def ring():"],
  ],
  [
    "a class: the heads of its methods and of their blocks, not what is inside",
    "// a.ts|\n|class Ring {|\n  |turn() {|\n    |x = 1;|\n    |if (x) {|\n\n      |stop();|\n    |}|\n  |}|\n|}",
    ["// a.ts", "class Ring {", "turn() {", "if (x) {", "}"],
  ],
  [
    "a token that reaches into a line of the outline",
    "// a.ts|\nclass| Ring {|\n  x = 1;\n}|\n",
    ["// a.ts", "\nclass", " Ring {", "\n  x = 1;\n}"],
  ],
  [
    "tabs count as blanks do",
    "// a.go|\n|\tif ring {|\n\t\t|return|\n\t|}",
    ["// a.go", "\tif ring {"],
  ],
  [
    "without a path: the heads, and what is indented as little as the first line",
    "def ring():|\n    |if x:|\n        |y()|\n    |return 1|\n|z = 2|\n",
    ["def ring():", "if x:", "z = 2"],
  ],
  [
    "a piece that begins inside a block: its first line is like the others of its depth",
    "      |stop();|\n    |}|\n  |turn() {|\n    |x = 1;|\n  |}|\n",
    ["turn() {", "}"],
  ],
  [
    "line ends of Windows",
    "// a.py|\r\n|def ring():|\r\n|  |return|\r\n",
    ["// a.py", "def ring():"],
  ],
  ["a form feed is a blank line", "  x = 1|\n\f\n|  y = 2", ["  x = 1", "  y = 2"]],
  ["blank lines have no indentation", "// a.py|\n\n|  a:|\r\n|\r\n|    b", ["// a.py", "  a:"]],
  ["prose: all but line ends", "One line.|\n|And another.|\n", ["One line.", "And another."]],
  ["a line alone", "the| ring", ["the", " ring"]],
];
for (const [name, piece, outline] of cases)
  test(name, () => assert.deepEqual(outlineOf(piece), outline));

test("a special token has no bytes, and a piece of nothing else no outline", () => {
  assert.deepEqual([...outlineWeights([new Uint8Array(0)])], [1]);
  assert.deepEqual([...outlineWeights([])], []);
});
