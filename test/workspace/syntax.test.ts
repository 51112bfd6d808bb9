// What a file defines and imports, by its syntax, in every language that has a table.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Grammar, languageOf } from "../../sidecar/workspace/syntax/languages.ts";
import { type Import, type Syntax, SyntaxReader } from "../../sidecar/workspace/syntax/syntax.ts";

const reader = new SyntaxReader();

const definitions: [grammar: Grammar, text: string, names: string][] = [
  [
    "typescript",
    "export const a = 1;\nfunction f() { const hidden = 1; }\nexport default class A {\n  x = 1;\n  m(): void {}\n}\ninterface I { q(): void }\ntype T = 1;\nenum E { P }\ndeclare function g(): void;",
    "a f A x m I q T E g",
  ],
  ["tsx", "export function Button() { return <b>ok</b>; }", "Button"],
  [
    "javascript",
    "exports.k = 1;\nA.prototype.m = function () {};\nmodule.exports = { c() {} };\nclass B { y = 1; }",
    "k m c B y",
  ],
  [
    "python",
    "X: int = 1\nclass A:\n    y = 1\n    @p\n    def f(self):\n        z = 1\ndef g(): pass",
    "X A y f g",
  ],
  ["java", "class A { int x = 1; void m() {} enum E { P } }", "A x m E P"],
  ["go", "package a\nconst X = 1\ntype T struct{}\nfunc (t T) M() {}\nfunc F() {}", "X T M F"],
  [
    "rust",
    "struct S;\nimpl S { fn f() {} }\nconst C: u8 = 1;\nmacro_rules! m { () => {} }",
    "S f C m",
  ],
  [
    "cpp",
    "#define X 1\nclass A { int f(int x); };\nint *A::g(int x) { return 1; }\nusing J = int;",
    "X A f g J",
  ],
  [
    "c-sharp",
    "namespace N { class A { int P { get; set; } void M() {} } record R(int x); }",
    "A P M R",
  ],
  ["php", "<?php\nclass A { const Y = 2; function m() {} }\nfunction g() {}", "A Y m g"],
  [
    "ruby",
    "module M\n  X = 1\n  class A\n    def f; end\n    def self.h; end\n  end\nend",
    "M X A f h",
  ],
  ["bash", "f() {\n  ls\n}", "f"],
  ["css", "a { b: c; }", ""],
];
for (const [grammar, text, names] of definitions) {
  test(`${grammar}: definitions`, async () => {
    const found = await checkSyntax(text, grammar);
    assert.equal(found.definitions.map(({ name }) => name).join(" "), names);
  });
}

test("a definition has its lines, the end exclusive", async () => {
  const { definitions } = await checkSyntax("\nclass A {\n  m() {\n  }\n}\n", "typescript");
  assert.deepEqual(definitions, [
    { name: "A", line: 1, endLine: 5 },
    { name: "m", line: 2, endLine: 4 },
  ]);
});

const imports: [grammar: Grammar, text: string, expected: Omit<Import, "line">[]][] = [
  [
    "typescript",
    'import D, {\n  x as y,\n  type z,\n} from "./q";\nexport * from "./e";\nimport "./side";',
    [
      { source: "./q", names: ["D", "x", "z"] },
      { source: "./e", names: [] },
      { source: "./side", names: [] },
    ],
  ],
  [
    "javascript",
    'const { a, b: c } = require("./r");\nconst d = require("./s");\nimport("./t");',
    [
      { source: "./r", names: ["a", "b"] },
      { source: "./s", names: ["d"] },
      { source: "./t", names: [] },
    ],
  ],
  [
    "python",
    "from .a import (\n    b as c,\n    d,\n)\nimport f.g as h\nfrom . import e",
    [
      { source: ".a", names: ["b", "d"] },
      { source: "f.g", names: [] },
      { source: ".", names: ["e"] },
    ],
  ],
];
for (const [grammar, text, expected] of imports) {
  test(`${grammar}: imports`, async () => {
    const found = await checkSyntax(text, grammar);
    assert.deepEqual(
      found.imports.map(({ source, names }) => ({ source, names })),
      expected,
    );
  });
}

test("a text without a grammar has borders and nothing else", async () => {
  const { borders, ...rest } = await reader.read("a\n\nb\n", null);
  assert.equal(borders.length, 4);
  assert.deepEqual(rest, { definitions: [], imports: [] });
});

test("reading stops with the signal", async () => {
  const text = "const a = [1, 2, 3];\n".repeat(20_000);
  await assert.rejects(reader.read(text, "typescript", AbortSignal.abort()), {
    name: "CancelledError",
  });
  const controller = new AbortController();
  await reader.read("", "typescript");
  const reading = reader.read(text, "typescript", controller.signal);
  controller.abort();
  await assert.rejects(reading, { name: "CancelledError" });
});

const languages: [path: string, id: string, grammar: Grammar | null][] = [
  ["src/a.tsx", "typescriptreact", "tsx"],
  ["A.PY", "python", "python"],
  ["a.d.ts", "typescript", "typescript"],
  ["Makefile", "plaintext", null],
  ["a.yaml", "yaml", null],
  [".env", "plaintext", null],
];
for (const [path, id, grammar] of languages)
  test(`${path} is ${id}`, () => assert.deepEqual(languageOf(path), { id, grammar }));

async function checkSyntax(text: string, grammar: Grammar): Promise<Syntax> {
  return await reader.read(text, grammar);
}
