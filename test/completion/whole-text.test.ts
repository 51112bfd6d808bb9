// What is shown where a parser knows the document: the longest cut that adds no syntax error, and a
// text in place of the closers behind the cursor. `$0` is the cursor.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readPlace } from "../../sidecar/completion/place.ts";
import { findEnd, shapeText } from "../../sidecar/completion/postprocess.ts";
import { DocumentTrees } from "../../sidecar/workspace/syntax/document-trees.ts";

const trees = new DocumentTrees({ treeMs: Infinity, countsMs: Infinity });

/** Shapes the whole text, and the text as far as decoding goes. */
async function shape(marked: string, generated: string, languageId: string) {
  const [prefix = "", suffix = ""] = marked.split("$0");
  const place = readPlace({ prefix, suffix, languageId }, "auto");
  const faults = await trees.open({ path: "a", languageId, prefix, suffix });
  const ends = Array.from(generated, (_, index) => generated.slice(0, index + 1));
  const decoded = ends.find((text) => findEnd(text, place) !== null) ?? generated;
  const shaped = shapeText(generated, place, false, faults);
  assert.deepEqual(shapeText(decoded, place, false, faults), shaped);
  return shaped;
}

const cuts: [
  label: string,
  languageId: string,
  marked: string,
  generated: string,
  shown: string,
][] = [
  ["a whole line", "typescript", "const a =$0\nb();\n", " f(1);\n", " f(1);"],
  ["a call that goes on", "typescript", "const a =$0\nb();\n", " f(c,\n", " f"],
  ["a callback's head", "typescript", "f($0);\nb();\n", "a, (c) => {\n", "a, (c)"],
  ["a block too many", "java", "class A {\n  $0\n}\n", "int a;\n}\n}\n", "int a;"],
  ["an unfinished object", "go", "package a\n\nvar b = c($0)\n", "d, e{f: 1,\n", "d, e"],
  ["an end too many", "ruby", "def f\n  $0\n  a\nend\n", "b\nend\n", "b"],
  ["a tag that stays open", "typescriptreact", "a = <p>$0</p>;\n", "Hi <b>you\n", "Hi"],
  ["nothing of a closer", "typescript", "function f() {\n  a();\n  $0\n  b();\n}\n", "}\n", ""],
  ["nothing of a bare head", "typescript", "a();\n$0\nb();\n", "if (a) {\n", ""],
  ["a line in a broken file", "typescript", "f(;\nconst a =$0\n", " 1;\n", " 1;"],
  ["a line that mends a file", "typescript", "f($0\n", "1);\n", "1);"],
  ["an unfinished line that adds nothing", "typescript", "f($0\n", "a, b\n", "a, b"],
];
for (const [label, languageId, marked, generated, shown] of cuts)
  test(`${label}: ${JSON.stringify(shown)} of ${JSON.stringify(generated)} is shown`, async () => {
    const shaped = await shape(marked, generated, languageId);
    assert.deepEqual([shaped.text, shaped.replaced], [shown, 0]);
    assert.equal(shaped.reason === null, shown !== "");
  });

const replacements: [languageId: string, marked: string, generated: string, after: string][] = [
  ["python", "if (a and b$0)\n    c()\n", "):\n", "if (a and b):\n    c()\n"],
  ["python", "def f($0)\n", "a, b):\n", "def f(a, b):\n"],
  ["c", "void f() {\n  puts($0)\n}\n", "text);\n", "void f() {\n  puts(text);\n}\n"],
  ["c", "void f() {\n  g(h($0))\n}\n", "a));\n", "void f() {\n  g(h(a));\n}\n"],
  ["javascript", "if (a$0)\n  b();\n}\n", " === 1) {\n", "if (a === 1) {\n  b();\n}\n"],
  // Both are whole: what the editor put there stays.
  ["javascript", "if (a$0)\n  b();\n", " === 1) {\n", "if (a === 1)\n  b();\n"],
  ["javascript", "f($0)\nb();\n", "a).then(c);\n", "f(a)\nb();\n"],
  // The statement has its end.
  ["c", "void f() {\n  puts($0);\n}\n", "text);\n", "void f() {\n  puts(text);\n}\n"],
];
for (const [languageId, marked, generated, after] of replacements)
  test(`${JSON.stringify(marked)} becomes ${JSON.stringify(after)}`, async () => {
    const [prefix = "", suffix = ""] = marked.split("$0");
    const { text, replaced } = await shape(marked, generated, languageId);
    assert.equal(`${prefix}${text}${suffix.slice(replaced)}`, after);
  });

test("what the parser does not know in time is left to the brackets", () => {
  const place = readPlace({ prefix: "f(", suffix: ")\n", languageId: "typescript" }, "auto");
  const unknown = { count: () => null };
  const text = "a, (b) => {\n";
  assert.deepEqual(shapeText(text, place, false, unknown), shapeText(text, place, false));
});
