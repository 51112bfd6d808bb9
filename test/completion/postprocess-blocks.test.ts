// Where a text of several lines ends: with its block, in front of what the suffix has.
import { test } from "node:test";
import { type Case, check } from "./shaped-text.ts";

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

const bodies: Case[] = [
  {
    label: "a body that goes on is not closed",
    marked: "async function f(id) {\n  $0\n  const a = 1;\n  return a;\n}\n",
    generated: "const b = 2;\n  g(b);\n}\n\nfunction h() {}\n",
    shown: "const b = 2;\n  g(b);",
  },
  {
    label: "a body that goes on is not left",
    marked: "function f() {\n  $0\n  const a = 1;\n}\n",
    generated: "g();\n  return 1;\n}\n",
    shown: "g();",
  },
  {
    label: "a branch may be left",
    marked: "function f() {\n  $0\n  const a = 1;\n}\n",
    generated: "if (b) {\n    return;\n  }\n  g();\n}\n",
    shown: "if (b) {\n    return;\n  }\n  g();",
  },
  {
    label: "a block that an empty line opens is shown whole",
    marked: "function f() {\n  a();\n  $0\n  c();\n}\n",
    generated: "if (b) {\n    d();\n  }\n  e();\n}\n",
    shown: "if (b) {\n    d();\n  }",
  },
  {
    label: "a Python block that an empty line opens ends with its body",
    marked: "def f():\n    a = 1\n    $0\n    return a\n",
    generated: "for b in c:\n        a += b\n    print(a)\n",
    shown: "for b in c:\n        a += b",
    languageId: "python",
  },
  {
    label: "a comment that an empty line opens is shown whole",
    marked: "a();\n$0\nfunction f() {}\n",
    generated: "/**\n * Does it.\n */\nfunction g() {}\n",
    shown: "/**\n * Does it.\n */",
  },
  {
    label: "a block between braces before more arguments is a block",
    marked: "later(() => {$0}, 1000);\n",
    generated: "\n  a();\n}, 1000);\n",
    shown: "\n  a();\n",
  },
];

for (const each of [...blocks, ...bodies]) test(each.label, () => check(each));
