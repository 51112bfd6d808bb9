// Counts of syntax errors by incremental parsing are those of a fresh parse, and stay within limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { DocumentTrees } from "../../sidecar/workspace/syntax/document-trees.ts";

const unhurried = { treeMs: Infinity, countsMs: Infinity };
const code = `function f(a) {\n  const b = "x" + a;\n  return [b, { c: 'd' }];\n}\n`;

/** Errors with `text` at `‸`, with the characters of `replaced` behind it left out. */
async function count(
  marked: string,
  { path = "a.ts", languageId = "", text = "", replaced = 0, trees = new DocumentTrees(unhurried) },
): Promise<number | null | undefined> {
  const [prefix = "", suffix = ""] = marked.split("‸");
  const counter = await trees.open({ path, languageId, prefix, suffix });
  return counter?.count(text, replaced);
}

const counts: [marked: string, path: string, text: string, replaced: number, errors: number][] = [
  ["f(‸);\n", "a.ts", "a", 0, 0],
  ["f(‸);\n", "a.ts", "a)", 0, 1],
  ["f(‸);\n", "a.ts", "a) || b(c", 0, 0],
  ["if (a‸)\n    b()\n", "a.py", "):", 1, 0],
  [`console.log(\`Hello \${‸}\`);\n`, "a.js", "name", 0, 0],
  ["const a = <p>‸</p>;\n", "a.tsx", "b</p>", 0, 1],
  ["const a = <p>‸</p>;\n", "a.tsx", "<i>b</i>", 0, 0],
  ["a {‸}\n", "a.css", " color: red; ", 0, 0],
];
for (const [marked, path, text, replaced, errors] of counts)
  test(`${JSON.stringify(marked)} with ${JSON.stringify(text)} has ${errors} errors`, async () =>
    assert.equal(await count(marked, { path, text, replaced }), errors));

test("the editor's language counts before the name, and no grammar gives no counter", async () => {
  assert.equal(await count("def f(): pass‸", { path: "a.ts", languageId: "python" }), 0);
  assert.equal(await count("f(‸)", { path: "a.md", text: ")" }), undefined);
  assert.equal(await count("f(‸)", { path: "a.ts", languageId: "markdown" }), undefined);
  assert.equal(await count("f(‸)", { path: "notes", languageId: "typescript", text: ")" }), 1);
});

test("edit after edit the counts are those of a fresh parse", async () => {
  const pieces = ["(", ")", "{", "}", "`", "${", "'", "\n", "a", " ", "é", "😀", "\ud83d", "=>"];
  const edits = fc.array(
    fc.record({
      at: fc.nat(1000),
      removed: fc.nat(6),
      text: fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((each) => each.join("")),
    }),
    { minLength: 1, maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      const trees = new DocumentTrees(unhurried);
      let text = code;
      for (const { at, removed, text: inserted } of changes) {
        const start = at % (text.length + 1);
        const document = { path: "a.ts", languageId: "typescript", prefix: text.slice(0, start) };
        const counter = await trees.open({ ...document, suffix: text.slice(start) });
        const after = counter?.count(inserted, Math.min(removed, text.length - start));
        text = `${text.slice(0, start)}${inserted}${text.slice(start + removed)}`;
        assert.equal(after, await count(`${text}‸`, {}));
        const next = await trees.open({ ...document, prefix: text, suffix: "" });
        assert.equal(next?.count("", 0), after);
      }
    }),
    { numRuns: 60 },
  );
});

test("more documents than trees are kept for are counted alike", async () => {
  const trees = new DocumentTrees({ ...unhurried, documents: 2 });
  for (const path of ["a.ts", "b.ts", "c.ts", "a.ts", "b.py", "b.ts"])
    assert.equal(await count("f(‸", { path, trees }), 1, path);
});

test("a document beyond the limit has no counter", async () => {
  const trees = new DocumentTrees({ ...unhurried, characters: 10 });
  assert.equal(await count("12345‸67890", { trees }), 0);
  assert.equal(await count("12345‸678901", { trees }), undefined);
});

test("a document that takes too long is read between other work and counted from then on", async () => {
  const trees = new DocumentTrees({ treeMs: 0, countsMs: Infinity, sliceMs: 1 });
  const long = `${code.repeat(3000)}f(‸)\n`;
  assert.equal(await count(long, { trees }), null);
  for (let turn = 0; turn < 5_000; turn += 1) {
    await nextTurn();
    const counted = await count(long, { trees });
    if (counted !== null) return assert.equal(counted, 0);
  }
  assert.fail("it was never read");
});

test("what takes too long to count is not known", async () => {
  const trees = new DocumentTrees({ ...unhurried, countsMs: -1 });
  const long = `f(‸)\n${code.repeat(3000)}`;
  assert.equal(await count(long, { trees, text: "`" }), null);
});
