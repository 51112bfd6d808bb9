// The grammars over sample files: the scopes of every character are kept beside them. After a change
// that is meant, `UPDATE_GOLDEN=1` writes them again.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";

const folder = "test/syntaxes";
const tool = dirname(createRequire(import.meta.url).resolve("vscode-tmgrammar-test/package.json"));
// The tool goes by the last dot of a name, VS Code by the whole ending. Of the languages that examples
// are written in one has a grammar here, a small one.
const cases: [ending: string, scope: string][] = [
  [".pith.md", "text.pith.demonstrations"],
  [".pith-compressed", "text.pith.compressed"],
];

for (const [ending, scope] of cases)
  test(`files that end in ${ending} are coloured as their snapshots say`, () => {
    const names = readdirSync(folder);
    const files = names.filter((name) => name.endsWith(ending));
    // The tool would write a snapshot that is missing, and be content.
    assert.ok(files.length > 0 && files.every((name) => names.includes(`${name}.snap`)));
    const embedded = ["--grammar", join(folder, "typescript.tmLanguage.json")];
    const { UPDATE_GOLDEN } = process.env;
    const update = UPDATE_GOLDEN === undefined ? [] : ["--updateSnapshot"];
    const args = [join(tool, "dist/snapshot.js"), "--scope", scope, ...embedded, ...update];
    const paths = files.map((name) => join(folder, name));
    const { status, stdout } = spawnSync(process.execPath, [...args, ...paths], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  });
