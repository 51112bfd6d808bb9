// Files of a folder as spans, and every reason for which there are none.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as host from "node:fs/promises";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Disk, type DiskCalls } from "../../sidecar/workspace/disk.ts";
import type { SkippedFile, SpannedFile } from "../../sidecar/workspace/workspace.ts";
import { Workspace } from "../../sidecar/workspace/workspace.ts";
import { scratchFolder } from "./scratch-folder.ts";

const countTokens = (text: string): number => text.match(/\w+|[^\w\s]/g)?.length ?? 0;
const token = `ghp_${randomBytes(40).toString("hex").slice(0, 36)}`;
const files = {
  ".gitignore": "ignored.ts\n",
  ".aiignore": "private/\n",
  "src/shop.ts": `import { price } from "./price";\n\nexport class Shop {\n  open(): number {\n    return price(1);\n  }\n}\n\nexport function close(shop: Shop): void {\n  shop.open();\n}\n`,
  "src/price.ts": "export const price = (n: number) => n;\n",
  "src/login.ts": `export function login(): string {\n  return "${token}";\n}\n\n\nexport function logout(): void {\n  forget();\n}\n`,
  "ignored.ts": "",
  "private/a.ts": "",
  ".env": "A=1\n",
  "node_modules/a/index.js": "",
  "yarn.lock": "",
};

test("a file is cut into spans that know their place, language and definitions", async (context) => {
  const { folder, workspace } = await openScratch(context, 24);
  const file = await checkRead(workspace, join(folder, "src/shop.ts"));
  assert.deepEqual(
    file.spans.map(({ path, language, startLine, endLine, defines }) =>
      [path, language, startLine, endLine, defines.join(" ")].join(" | "),
    ),
    [
      "src/shop.ts | typescript | 0 | 2 | ",
      "src/shop.ts | typescript | 2 | 8 | Shop open",
      "src/shop.ts | typescript | 8 | 11 | close",
    ],
  );
  assert.deepEqual(file.imports, [{ source: "./price", names: ["price"], line: 0 }]);
});

test("the text of an open editor goes before what the disk has, also for a new file", async (context) => {
  const { folder, workspace } = await openScratch(context);
  for (const name of ["src/price.ts", "src/new.ts"]) {
    const text = "export function fresh() {}\n";
    const file = await checkRead(workspace, join(folder, name), text);
    assert.deepEqual(file.spans[0]?.defines, ["fresh"]);
  }
});

test("a span with a secret is withheld, the others of its file are not", async (context) => {
  const { folder, workspace } = await openScratch(context, 16);
  const file = await checkRead(workspace, join(folder, "src/login.ts"));
  assert.deepEqual(file.withheld, [{ startLine: 1, endLine: 2, reason: "secret" }]);
  assert.deepEqual(
    file.spans.flatMap(({ defines }) => defines),
    ["logout"],
  );
  assert(file.spans.every(({ text }) => !text.includes(token)));
});

test("a file whose search for secrets fails is unchecked as a whole", async (context) => {
  const { folder, workspace } = await openScratch(context);
  const failing = context.mock.method(String.prototype, "matchAll", () => {
    throw new RangeError("made by the test");
  });
  const file = await workspace.read(join(folder, "src/shop.ts"));
  failing.mock.restore();
  assert.deepEqual(file, { path: "src/shop.ts", skipped: "unchecked" });
  assert("spans" in (await workspace.read(join(folder, "src/shop.ts"))));
});

const skipped: [path: string, reason: string][] = [
  ["ignored.ts", "ignored"],
  ["private/a.ts", "ai-ignored"],
  [".env", "secret"],
  ["node_modules/a/index.js", "dependencies"],
  ["yarn.lock", "generated"],
  ["excluded/a.ts", "excluded"],
  ["../elsewhere.ts", "outside"],
];
for (const [path, reason] of skipped) {
  test(`${path} is ${reason}, by its text too`, async (context) => {
    const { folder, workspace } = await openScratch(context);
    const file = await workspace.read(join(folder, path), { text: "const a = 1;\n" });
    assert.equal("skipped" in file ? file.skipped : null, reason);
  });
}

test("a link counts for what it leads to", async (context) => {
  const { folder, workspace } = await openScratch(context);
  const outside = await scratchFolder(context, { "a.ts": "const a = 1;\n" });
  await symlink(join(folder, ".env"), join(folder, "harmless.ts"));
  await symlink(join(outside, "a.ts"), join(folder, "far.ts"));
  await symlink(join(folder, "src/price.ts"), join(folder, "near.ts"));
  assert.deepEqual(await workspace.read(join(folder, "harmless.ts")), {
    path: ".env",
    skipped: "secret",
  });
  const far = await workspace.read(join(folder, "far.ts"));
  assert.equal("skipped" in far && far.skipped, "outside");
  assert.equal((await checkRead(workspace, join(folder, "near.ts"))).path, "src/price.ts");
});

test("what is no file and no folder is left out by a list and by a read", async (context) => {
  const { folder, workspace } = await openScratch(context);
  const pipes = ["src/.gitignore", "src/control.py"].map((name) => join(folder, name));
  execFileSync("mkfifo", pipes);
  await symlink("/dev/zero", join(folder, "zeros.ts"));
  const left = (await listed(workspace, join(folder, "src"))).filter((each) => each.includes(" "));
  assert.deepEqual(left, ["src/.gitignore not-a-file", "src/control.py not-a-file"]);
  for (const path of pipes) assert.equal(await reasonOf(workspace, path), "not-a-file");
  assert.equal(await reasonOf(workspace, join(folder, "zeros.ts")), "outside");
});

test("a folder that does not answer is left out, and what is beside it is not", async (context) => {
  const folder = await scratchFolder(context, { "share/a.ts": "", "src/b.ts": "" });
  const never = new Promise<never>(() => {});
  const readdir: DiskCalls["readdir"] = (path, options) =>
    path.endsWith("share") ? never : host.readdir(path, options);
  const disk = new Disk({ ...host, readdir }, { answerMs: 50, calls: 3 });
  const workspace = await Workspace.open(folder, { countTokens, limit: 128 }, { disk });
  assert.deepEqual(await listed(workspace, join(folder, "share")), ["share/ hung"]);
  assert.deepEqual(await listed(workspace, join(folder, "src")), ["src/b.ts"]);
});

test("a folder's list names every file and folder and every thing left out, once", async (context) => {
  const { folder, workspace } = await openScratch(context);
  await symlink(join(folder, "src"), join(folder, "again"));
  assert.deepEqual(await listed(workspace, folder), [
    ".aiignore",
    ".env secret",
    ".gitignore",
    "again link",
    "ignored.ts ignored",
    "node_modules/ dependencies",
    "private/ ai-ignored",
    "src/",
    "yarn.lock generated",
  ]);
  const below = await listed(workspace, join(folder, "src"));
  assert.deepEqual(below, ["src/login.ts", "src/price.ts", "src/shop.ts"]);
});

async function openScratch(
  context: TestContext,
  limit = 128,
): Promise<{ folder: string; workspace: Workspace }> {
  const folder = await scratchFolder(context, files);
  const workspace = await Workspace.open(
    folder,
    { countTokens, limit },
    { exclude: ["excluded/"] },
  );
  return { folder, workspace };
}

async function listed(workspace: Workspace, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of workspace.list(path))
    found.push("skipped" in entry ? `${entry.path} ${entry.skipped}` : entry.path);
  return found;
}

async function reasonOf(workspace: Workspace, path: string): Promise<string | null> {
  const file = await workspace.read(path);
  return "skipped" in file ? file.skipped : null;
}

async function checkRead(workspace: Workspace, path: string, text?: string): Promise<SpannedFile> {
  const file: SpannedFile | SkippedFile = await workspace.read(path, { text });
  assert("spans" in file, JSON.stringify(file));
  return file;
}
