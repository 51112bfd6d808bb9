// Ignore rules beside `git check-ignore`, and the kinds of rule Git does not know.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { aiIgnoreFiles, IgnoreRules, ruledFolder } from "../../sidecar/workspace/ignore-rules.ts";
import { scratchFolder } from "./scratch-folder.ts";

const tree: Record<string, string> = {
  ".gitignore": "*.log\n/build/\nlogs/\n!keep.log\n# a comment\n\\#odd\nsub/only.txt\n**/deep/x\n",
  "sub/.gitignore": "!again.log\nown.txt\n/rooted.txt\n",
  "build/.gitignore": "!back.ts\n",
  "a.ts": "",
  "b.log": "",
  "keep.log": "",
  "#odd": "",
  "build/back.ts": "",
  "logs/a.ts": "",
  "sub/logs/a.ts": "",
  "sub/again.log": "",
  "sub/c.log": "",
  "sub/own.txt": "",
  "sub/below/own.txt": "",
  "sub/rooted.txt": "",
  "sub/below/rooted.txt": "",
  "sub/only.txt": "",
  "other/only.txt": "",
  "one/two/deep/x": "",
  "one/two/deep/y": "",
  "left/out.ts": "",
};

test("Git and the rules leave out the same files", async (context) => {
  const folder = await scratchFolder(context, tree);
  execFileSync("git", ["init", "-q", folder]);
  await scratchExclude(folder, "left/\n");
  const paths = Object.keys(tree);
  // One that ignores nothing exits with 1; the tree above has both.
  const { stdout } = spawnSync("git", ["check-ignore", "--stdin"], {
    cwd: folder,
    input: paths.join("\n"),
    encoding: "utf8",
  });
  const rules = await IgnoreRules.open(folder);
  const ignored = [];
  for (const path of paths)
    if ((await rules.reasonFor(join(folder, path), "file")) === "ignored") ignored.push(path);
  assert(ignored.length > 5);
  assert.deepEqual(ignored.sort(), stdout.trim().split("\n").sort());
});

test("the rules of the repository hold in a workspace folder below its root", async (context) => {
  const folder = await scratchFolder(context, { ".gitignore": "*.log\n", "app/a.log": "" });
  execFileSync("git", ["init", "-q", folder]);
  await checkReason(join(folder, "app"), "a.log", "ignored");
});

for (const name of aiIgnoreFiles) {
  test(`${name} is obeyed, and .gitignore takes nothing back from it`, async (context) => {
    const folder = await scratchFolder(context, {
      [name]: "private/\n*.sql\n!open.sql\n",
      ".gitignore": "!private/\n",
      "nested/.gitignore": "!*.sql\n",
    });
    assert.equal(ruledFolder(join(folder, name)), folder);
    await checkReason(folder, "private/a.ts", "ai-ignored");
    await checkReason(folder, "nested/a.sql", "ai-ignored");
    await checkReason(folder, "open.sql", null);
    await checkReason(folder, "a.ts", null);
  });
}

const fixed: [path: string, reason: string | null][] = [
  [".env", "secret"],
  ["config/.env.production", "secret"],
  [".env.example", null],
  ["keys/id_ed25519", "secret"],
  ["keys/id_ed25519.pub", null],
  ["server.pem", "secret"],
  ["node_modules/a/index.js", "dependencies"],
  ["packages/a/node_modules/b.js", "dependencies"],
  [".git/config", "dependencies"],
  ["src/a.ts", null],
];
for (const [path, reason] of fixed)
  test(`${path}: ${reason ?? "read"}`, async (context) => {
    await checkReason(await scratchFolder(context, {}), path, reason);
  });

const excludes: [pattern: string, path: string, reason: string | null][] = [
  ["*.md", "docs/a.md", "excluded"],
  ["docs/*.md", "docs/a.md", "excluded"],
  ["docs/*.md", "other/docs/a.md", null],
  ["/a.md", "docs/a.md", null],
  ["docs/", "other/docs/a.md", "excluded"],
];
for (const [pattern, path, reason] of excludes)
  for (const place of [".", "app"])
    test(`exclude ${pattern} in ${place}: ${path} is ${reason ?? "read"}`, async (context) => {
      const folder = await scratchFolder(context, { ".git/config": "", "app/x": "" });
      await checkReason(join(folder, place), path, reason, [pattern]);
    });

test("a place outside is outside, and a folder that is gone has no rules", async (context) => {
  const folder = await scratchFolder(context, { "a/b.ts": "" });
  await checkReason(join(folder, "a"), "../c.ts", "outside");
  await rm(join(folder, "a"), { recursive: true });
  await checkReason(join(folder, "a"), "b.ts", null);
});

async function checkReason(
  folder: string,
  path: string,
  reason: string | null,
  exclude: readonly string[] = [],
): Promise<void> {
  const rules = await IgnoreRules.open(folder, exclude);
  assert.equal(await rules.reasonFor(join(folder, path), "file"), reason);
}

async function scratchExclude(folder: string, text: string): Promise<void> {
  await mkdir(join(folder, ".git/info"), { recursive: true });
  await appendFile(join(folder, ".git/info/exclude"), text);
}
