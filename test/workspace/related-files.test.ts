// Which files an import names, and the order of related files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { relatedFiles, resolveImports } from "../../sidecar/workspace/related-files.ts";
import type { Import } from "../../sidecar/workspace/syntax/syntax.ts";

const resolutions: [from: string, source: string, files: string, expected: string][] = [
  ["src/a.ts", "./b", "src/b.ts b.ts", "src/b.ts"],
  ["src/a.ts", "./b.js", "src/b.ts", "src/b.ts"],
  ["src/a.ts", "./b.js", "src/b.js", "src/b.js"],
  ["src/a.ts", "./b.ts", "src/b.ts", "src/b.ts"],
  ["src/a.ts", "../lib", "lib/index.tsx", "lib/index.tsx"],
  ["src/a.ts", ".", "src/index.ts", "src/index.ts"],
  ["src/a.ts", "@/parts/b", "app/src/parts/b.tsx parts/c.ts", "app/src/parts/b.tsx"],
  ["src/a.ts", "b", "b.ts src/b.ts", ""],
  ["src/a.ts", "../../b", "b.ts", ""],
  ["pkg/a.py", ".b", "pkg/b.py b.py", "pkg/b.py"],
  ["pkg/sub/a.py", "..b", "pkg/b.py pkg/sub/b.py", "pkg/b.py"],
  ["pkg/a.py", "pkg.sub.b", "src/pkg/sub/b.py pkg/sub/c.py", "src/pkg/sub/b.py"],
  ["pkg/a.py", "pkg.sub", "pkg/sub/__init__.py", "pkg/sub/__init__.py"],
  ["pkg/a.py", "copy", "tools/copy.py", ""],
  ["pkg/a.py", "tools", "tools/__init__.py", "tools/__init__.py"],
];
for (const [from, source, files, expected] of resolutions)
  test(`${source} in ${from} is ${expected || "nothing of the workspace"}`, () => {
    checkImports(from, { source, names: [], line: 0 }, files, expected);
  });

test("a name imported from a Python package may be a module of it", () => {
  const imported = { source: ".", names: ["b", "c"], line: 0 };
  checkImports("pkg/a.py", imported, "pkg/b.py pkg/__init__.py", "pkg/__init__.py pkg/b.py");
});

test("imports come first, then the folder, then shared identifiers, the most first", () => {
  const files = new Map([
    ["src/a.ts", new Set(["x", "y", "z"])],
    ["lib/one.ts", new Set(["x"])],
    ["lib/two.ts", new Set(["x", "y"])],
    ["lib/none.ts", new Set(["other"])],
    ["src/beside.ts", new Set<string>()],
    ["lib/imported.ts", new Set<string>()],
  ]);
  const query = {
    path: "src/a.ts",
    imports: [{ source: "../lib/imported", names: [], line: 0 }],
    identifiers: new Set(["x", "y", "z"]),
  };
  const related = relatedFiles(query, files).map(({ path, why }) => `${path} ${why}`);
  assert.deepEqual(related, [
    "lib/imported.ts import",
    "src/beside.ts folder",
    "lib/two.ts identifiers",
    "lib/one.ts identifiers",
  ]);
});

test("no more than 64 files are related", () => {
  const files = new Map(Array.from({ length: 100 }, (_, at) => [`src/${at}.ts`, new Set(["x"])]));
  const query = { path: "src/0.ts", imports: [], identifiers: new Set(["x"]) };
  assert.equal(relatedFiles(query, files).length, 64);
});

function checkImports(path: string, imported: Import, files: string, expected: string): void {
  const found = resolveImports({ path, imports: [imported] }, new Set(files.split(" ")));
  assert.equal(found.join(" "), expected);
}
