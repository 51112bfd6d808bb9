import assert from "node:assert/strict";
import { test } from "node:test";
import { readPlace } from "../../sidecar/completion/place.ts";
import { findEnd, shapeText } from "../../sidecar/completion/postprocess.ts";

interface Case {
  label: string;
  /** `$0` is the cursor. */
  marked: string;
  generated: string;
  /** The text shown, or the reason why there is none. */
  shown: string | { reason: string };
  languageId?: string;
  /** The answer was cut at its greatest length. */
  isCut?: boolean;
}

/** Shapes the whole text, and the text as far as decoding goes: character by character to its end. */
function check({ marked, generated, shown, languageId = "typescript", isCut = false }: Case): void {
  const [prefix = "", suffix = ""] = marked.split("$0");
  const place = readPlace({ prefix, suffix, languageId }, "auto");
  const ends = Array.from(generated, (_, index) => generated.slice(0, index + 1));
  const decoded = ends.find((text) => findEnd(text, place) !== null);
  for (const text of decoded === undefined ? [generated] : [generated, decoded]) {
    const shaped = shapeText(text, place, isCut && text === generated);
    assert.deepEqual(shaped.reason === null ? shaped.text : { reason: shaped.reason }, shown);
    assert.equal(shaped.reason === null, shaped.text !== "");
    assert.ok(generated.slice(0, shaped.length).endsWith(shaped.text));
  }
}

const lines: Case[] = [
  {
    label: "a line ends at its end",
    marked: "const a =$0\n",
    generated: " 1;\nconst b = 2;\n",
    shown: " 1;",
  },
  {
    label: "a Windows line end is not shown",
    marked: "const a =$0\r\n",
    generated: " 1;\r\nconst b",
    shown: " 1;",
  },
  {
    label: "blanks at the end of a line are not shown",
    marked: "const a =$0\n",
    generated: " 1;  \n",
    shown: " 1;",
  },
  { label: "a line without an end is shown", marked: "a$0", generated: "bc", shown: "bc" },
  {
    label: "no text at all is the end of the text",
    marked: "a;$0\n",
    generated: "",
    shown: { reason: "end-of-text" },
  },
  {
    label: "a line end alone is only space",
    marked: "a;$0\n",
    generated: "\nb;\n",
    shown: { reason: "only-space" },
  },
  {
    label: "blanks alone are only space",
    marked: "a;$0\n",
    generated: "   \n",
    shown: { reason: "only-space" },
  },
  {
    label: "a blank in front of the cursor is not doubled",
    marked: "  return $0\n",
    generated: " x;\n",
    shown: "x;",
  },
  {
    label: "a blank behind an indentation is not doubled",
    marked: "a();\n    $0\n",
    generated: " b();\n",
    shown: "b();",
  },
  {
    label: "a blank that makes the indentation even is shown",
    marked: "a();\n $0\n",
    generated: " b();\n",
    shown: " b();",
  },
  {
    label: "several blanks are an indentation",
    marked: "a();\n  $0\n",
    generated: "  b();\n",
    shown: "  b();",
  },
  {
    label: "a line that repeats the next one is not shown",
    marked: "$0\nreturn total;\n",
    generated: "return total;\n",
    shown: { reason: "repeats-suffix" },
  },
  {
    label: "a line that becomes the next one is not shown",
    marked: "  return$0\n\n  return total;\n",
    generated: " total;\n",
    shown: { reason: "repeats-suffix" },
  },
  {
    label: "a line like the next one but for its indentation and without a word is shown",
    marked: "  a($0\n  b\n);\n",
    generated: ");\n",
    shown: ");",
  },
];

const rests: Case[] = [
  {
    label: "a bracket right of the cursor is not repeated",
    marked: "call($0)\n",
    generated: "a, b);\n",
    shown: "a, b",
  },
  {
    label: "a bracket of the text's own is kept before the same bracket",
    marked: "print($0)\n",
    generated: "f(x)\n",
    shown: "f(x)",
  },
  {
    label: "of two brackets the outer one goes",
    marked: "print($0)\n",
    generated: "f(x))\n",
    shown: "f(x)",
  },
  {
    label: "brackets that the line still lacks are shown",
    marked: "foo(bar($0)\n",
    generated: "x));\n",
    shown: "x)",
  },
  {
    label: "two openers with two closers need no more",
    marked: "foo(bar($0))\n",
    generated: "x)));\n",
    shown: "x",
  },
  {
    label: "different brackets are closed in order",
    marked: "foo({$0)\n",
    generated: " a: 1 });\n",
    shown: " a: 1 }",
  },
  {
    label: "the rest of the line is not repeated",
    marked: "call(a$0, b);\n",
    generated: "bc, b);\n",
    shown: "bc",
  },
  {
    label: "a semicolon is not repeated",
    marked: "a = $0;\n",
    generated: "1;\n",
    shown: "1",
  },
  {
    label: "a comma before more of the line is not repeated",
    marked: "f($0, 10)\n",
    generated: "x,\n",
    shown: "x",
  },
  {
    label: "a quote right of the cursor is not repeated",
    marked: 'from "$0"\n',
    generated: 'node:test";\n',
    shown: "node:test",
  },
  {
    label: "an escaped quote does not end a string",
    marked: 'a = "$0"\n',
    generated: 'b\\"c";\n',
    shown: 'b\\"c',
  },
  {
    label: "a bracket in a string closes nothing",
    marked: "f($0)\n",
    generated: '")")\n',
    shown: '")"',
  },
  {
    label: "a blank before the rest of the line stays",
    marked: "const $0= 1;\n",
    generated: "total ",
    shown: "total ",
  },
  {
    label: "a text that is only the rest of the line repeats it",
    marked: "call(a$0);\n",
    generated: ");\n",
    shown: { reason: "repeats-suffix" },
  },
  {
    label: "a bracket on the next line is not repeated",
    marked: "foo(\n  a,$0\n);\n",
    generated: " b);\n",
    shown: " b",
  },
  {
    label: "a bracket that the next line's does not close is shown",
    marked: "foo(\n  bar(a,\n      b$0\n)\n",
    generated: ")\n",
    shown: ")",
  },
];

const blocks: Case[] = [
  {
    label: "a block ends with its closing line",
    marked: "function f() {$0\n",
    generated: "\n  return 1;\n}\n\nfunction g() {}\n",
    shown: "\n  return 1;\n}",
  },
  {
    label: "a block leaves its closing line to the suffix",
    marked: "function f() {$0\n}\n",
    generated: "\n  return 1;\n}\n",
    shown: "\n  return 1;",
  },
  {
    label: "a block leaves its bracket to the rest of the line",
    marked: "function f() {$0}\n",
    generated: "\n  return 1;\n}\n",
    shown: "\n  return 1;\n",
  },
  {
    label: "an empty deeper line is the first of a block",
    marked: "function f() {\n  $0\n}\n",
    generated: "const a = 1;\n  return a;\n}\n",
    shown: "const a = 1;\n  return a;",
  },
  {
    label: "the inner closing line is shown when the suffix has only the outer one",
    marked: "function f() {\n  if (a) {\n    $0\n}\n",
    generated: "b();\n  }\n}\n",
    shown: "b();\n  }",
  },
  {
    label: "a Python block ends before the next definition",
    marked: "def f(x):$0\n",
    generated: "\n    return x\n\n\ndef g(x):\n    pass\n",
    shown: "\n    return x",
    languageId: "python",
  },
  {
    label: "`else` goes on with the block",
    marked: "if a:\n    $0\n",
    generated: "b()\nelse:\n    c()\nd()\n",
    shown: "b()\nelse:\n    c()",
    languageId: "python",
  },
  {
    label: "a name that starts like `else` does not",
    marked: "if a:\n    $0\n",
    generated: "b()\nelsewhere()\n",
    shown: "b()",
    languageId: "python",
  },
  {
    label: "`} else {` goes on with the block",
    marked: "if (a) {\n  $0\n",
    generated: "b();\n} else {\n  c();\n}\nd();\n",
    shown: "b();\n} else {\n  c();\n}",
  },
  {
    label: "`end` closes a block",
    marked: "def f$0\n",
    generated: "(x)\n  x\nend\n\ndef g\n",
    shown: "(x)",
    languageId: "ruby",
  },
  {
    label: "`end` closes the block of `do`",
    marked: "list.each do |x|$0\n",
    generated: "\n  puts x\nend\n\nputs 1\n",
    shown: "\n  puts x\nend",
    languageId: "ruby",
  },
  {
    label: "a body on the opener's line is the whole block",
    marked: "const f = (x) =>$0\n",
    generated: " x + 1;\nconst g = 2;\n",
    shown: " x + 1;",
  },
  {
    label: "an arrow may go on with a brace",
    marked: "const f = (x) =>$0\n",
    generated: " {\n  return x;\n};\nf(1);\n",
    shown: " {\n  return x;\n};",
  },
  {
    label: "an arrow inside a call leaves the bracket to the line",
    marked: "list.map((x) =>$0);\n",
    generated: " x + 1);\n",
    shown: " x + 1",
  },
  {
    label: "empty lines inside a block stay",
    marked: "function f() {$0\n",
    generated: "\n  a();\n\n  b();\n}\n",
    shown: "\n  a();\n\n  b();\n}",
  },
  {
    label: "a line like the suffix's next one ends a block",
    marked: "function f() {\n  $0\n  return total;\n}\n",
    generated: "total += 1;\n  return total;\n}\n",
    shown: "total += 1;",
  },
  {
    label: "the last line of a block that was cut is left out",
    marked: "function f() {$0\n",
    generated: "\n  a();\n  b(",
    shown: "\n  a();",
    isCut: true,
  },
  {
    label: "a block of one line that was cut is shown",
    marked: "function f() {\n  $0\n",
    generated: "const a = b(",
    shown: "const a = b(",
    isCut: true,
  },
  {
    label: "a closing line that the suffix has first is a repetition",
    marked: "function f() {\n  a();\n    $0\n}\n",
    generated: "\n}\n",
    shown: { reason: "repeats-suffix" },
  },
];

for (const each of [...lines, ...rests, ...blocks]) test(each.label, () => check(each));

const earliest: [label: string, marked: string, generated: string, length: number][] = [
  ["a line end is the end of a line", "a =$0\n", " 1;\n", 4],
  ["the rest of the line is the end of a call", "f($0)\n", "a)", 2],
  ["a closing line is known with its line end", "f() {$0\n", "\n  a();\n}\n", 10],
  ["an arrow's body is known with its line end", "f = (x) =>$0\n", " x;\n", 4],
];
for (const [label, marked, generated, length] of earliest) {
  test(`decoding stops as soon as ${label}`, () => {
    const [prefix = "", suffix = ""] = marked.split("$0");
    const place = readPlace({ prefix, suffix, languageId: "typescript" }, "auto");
    assert.equal(findEnd(generated.slice(0, length - 1), place), null);
    assert.notEqual(findEnd(generated.slice(0, length), place), null);
  });
}
