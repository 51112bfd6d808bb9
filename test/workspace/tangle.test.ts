// What is nested 30,000 deep is read as plain text, and breaks nothing for what comes after it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cutText } from "../../sidecar/workspace/cut.ts";
import { DocumentTrees } from "../../sidecar/workspace/syntax/document-trees.ts";
import { languageOf } from "../../sidecar/workspace/syntax/languages.ts";
import { type Syntax, SyntaxReader } from "../../sidecar/workspace/syntax/syntax.ts";

const depth = 30_000;
const nested = (open: string, close: string): string => open.repeat(depth) + close.repeat(depth);
const cases: [label: string, path: string, text: string][] = [
  ["brackets on one line", "a.js", `x = ${nested("[", "]")}`],
  ["brackets", "a.js", `x = ${nested("[\n", "]\n")}`],
  ["brackets that nothing closes", "a.js", `x = ${"[\n".repeat(depth)}`],
  ["calls", "a.ts", nested("f(\n", ")\n")],
  ["a chain of calls", "a.ts", `x${".a()\n".repeat(depth)}`],
  ["a chain of operators", "a.js", `x = ${"a +\n".repeat(depth)}a`],
  ["else if", "a.js", `${"if (a) {} else\n".repeat(depth)}{}`],
  ["tags", "a.tsx", `x = ${nested("<a>\n", "</a>\n")}`],
  ["tags of a page", "a.html", nested("<a>\n", "</a>\n")],
  ["brackets", "a.json", nested("[\n", "]\n")],
  ["brackets", "a.py", `x = ${nested("[\n", "]\n")}`],
  ["braces", "a.c", `int main() ${nested("{\n", "}\n")}`],
  ["braces", "a.java", `class A { void f() ${nested("{\n", "}\n")} }`],
  ["braces", "a.go", `package a\nfunc f() ${nested("{\n", "}\n")}`],
  ["braces", "a.rs", `fn f() ${nested("{\n", "}\n")}`],
  ["conditions", "a.sh", nested("if true; then\n", "fi\n")],
];
const reader = new SyntaxReader();
for (const [label, path, text] of cases)
  test(`${path}: ${label}`, async () => {
    const { borders, definitions } = await read(path, text);
    const pieces = cutText(text, borders, { countTokens: ({ length }) => length / 3, limit: 128 });
    assert.equal(pieces.map((piece) => piece.text).join(""), text);
    assert.deepEqual(definitions, []);
    const after = await read(path, "");
    assert.deepEqual(after.imports, []);
  });

test("what people write is not taken for it", async () => {
  const body = `${"if (a) {\n".repeat(100)}${"}\n".repeat(100)}`;
  const { definitions } = await read("a.ts", `function deep() {\n${body}}\n`.repeat(20));
  assert.equal(definitions.length, 20);
});

test("errors of an open document that is nested so are counted all the same", async () => {
  const prefix = "{\n".repeat(depth);
  const trees = new DocumentTrees({ treeMs: 60_000, countsMs: 60_000 });
  const document = {
    path: "a.js",
    languageId: "javascript",
    prefix,
    suffix: "}\n".repeat(depth - 1),
  };
  const counter = await trees.open(document);
  assert.ok((counter?.count("", 0) ?? 0) > 0);
});

async function read(path: string, text: string): Promise<Syntax> {
  return await reader.read(text, languageOf(path).grammar);
}
