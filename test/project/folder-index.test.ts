// A folder read into a ranking: what is read when, and what a change on the disk or in an editor does.
import assert from "node:assert/strict";
import * as host from "node:fs/promises";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FolderIndex } from "../../sidecar/project/folder-index.ts";
import { fileLimit } from "../../sidecar/project/reading-queue.ts";
import { Disk, type DiskCalls } from "../../sidecar/workspace/disk.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

const files = {
  ".git/HEAD": "",
  ".gitignore": "ignored.ts\n",
  ".aiignore": "private/\n",
  ".env": "KEY=1\n",
  "app/here.ts": 'import { far } from "../lib/far.ts";\n\nfar();\n',
  "app/beside.ts": "export const beside = 1;\n",
  "lib/far.ts": "export function far(): void {}\n",
  "lib/other.ts": "export const other = 1;\n",
  "ignored.ts": "export const ignored = 1;\n",
  "private/a.ts": "export const own = 1;\n",
  "excluded/a.ts": "export const excluded = 1;\n",
  "ways.pith.md": "Greet\n=>\nhello();\n",
};
const sources = ["app/beside.ts", "app/here.ts", "lib/far.ts", "lib/other.ts"];
const cutting = { countTokens: (text: string) => text.length / 4, limit: 128 };
const quietly = (): void => {};

async function open(context: TestContext) {
  const folder = await scratchFolder(context, files);
  const index = await FolderIndex.open(folder, { cutting, exclude: ["excluded/"] });
  const pathsRead = (): string[] => [...new Set(index.spansIn("").map(({ path }) => path))].sort();
  const definitions = (path: string): string[] =>
    index.spansIn(path).flatMap(({ defines }) => defines);
  return { folder, index, pathsRead, definitions };
}

test("first what is imported and what lies beside is read, then the rest, and nothing twice", async (context) => {
  const { index, pathsRead } = await open(context);
  const told: [number, number][] = [];
  await index.readAround("app/here.ts", (...progress) => told.push(progress));
  assert.deepEqual(pathsRead(), ["app/beside.ts", "app/here.ts", "lib/far.ts"]);
  assert.deepEqual(told, [
    [0, 2],
    [1, 2],
  ]);
  assert.equal(index.isRead, false);
  assert.ok((await index.readRest(quietly)) > 0);
  assert.deepEqual(
    pathsRead().filter((path) => path.endsWith(".ts")),
    sources,
  );
  assert.equal(index.isRead, true);
  assert.equal(await index.readRest(quietly), 0);
  await index.readAround("app/here.ts", () => assert.fail("all is read"));
});

test("nothing of a file that is to be left alone becomes a span, by its open text either", async (context) => {
  const { index, pathsRead } = await open(context);
  const reasons = {
    "ignored.ts": "ignored",
    "private/a.ts": "ai-ignored",
    "excluded/a.ts": "excluded",
    ".env": "secret",
  };
  for (const path of Object.keys(reasons)) index.setText(path, "export const open = 1;\n");
  await index.readRest(quietly);
  for (const [path, reason] of Object.entries(reasons)) {
    assert.ok(!pathsRead().includes(path), path);
    assert.equal(await index.reasonFor(path), reason);
    assert.ok(index.skippedIn(path).some((each) => each.reason === reason));
  }
});

test("the text of an open editor counts until it is closed", async (context) => {
  const { index, definitions } = await open(context);
  await index.readRest(quietly);
  index.setText("lib/far.ts", "export function near(): void {}\n");
  assert.equal(await index.readRest(quietly), 1);
  assert.deepEqual(definitions("lib/far.ts"), ["near"]);
  index.touch("lib/far.ts");
  await index.readRest(quietly);
  assert.deepEqual(definitions("lib/far.ts"), ["near"]);
  index.setText("lib/far.ts", null);
  await index.readRest(quietly);
  assert.deepEqual(definitions("lib/far.ts"), ["far"]);
});

test("a file that is changed, made or deleted on the disk is read anew, appears or vanishes", async (context) => {
  const { folder, index, definitions } = await open(context);
  await index.readRest(quietly);
  await writeFile(join(folder, "lib/far.ts"), "export function farther(): void {}\n");
  await writeFile(join(folder, "lib/new.ts"), "export function fresh(): void {}\n");
  await rm(join(folder, "lib/other.ts"));
  for (const name of ["far", "new", "other"]) index.touch(`lib/${name}.ts`);
  await index.readRest(quietly);
  assert.deepEqual(definitions("lib/far.ts"), ["farther"]);
  assert.deepEqual(definitions("lib/new.ts"), ["fresh"]);
  assert.deepEqual(definitions("lib/other.ts"), []);
  assert.equal(index.isRead, true);
});

test("demonstrations are read; a file that is malformed is left out until it is mended", async (context) => {
  const { index } = await open(context);
  await index.readRest(quietly);
  const tasks = () => index.demonstrations.map(({ path, task }) => `${path} ${task}`);
  assert.deepEqual(tasks(), ["ways.pith.md Greet"]);
  index.setText("ways.pith.md", "Greet\n=>\n");
  await index.readRest(quietly);
  assert.deepEqual(tasks(), []);
  const skipped = [{ path: "ways.pith.md", reason: "malformed" }];
  assert.deepEqual(index.skippedIn("ways.pith.md"), skipped);
  index.setText("ways.pith.md", "Part\n=>\nbye();\n");
  await index.readRest(quietly);
  assert.deepEqual(tasks(), ["ways.pith.md Part"]);
  assert.deepEqual(index.skippedIn("ways.pith.md"), []);
});

test("a listing and a reading that are broken off go on later", async (context) => {
  const { index, pathsRead } = await open(context);
  const cancelled = { name: "CancelledError" };
  await assert.rejects(index.readRest(quietly, AbortSignal.abort()), cancelled);
  const controller = new AbortController();
  const stop = (done: number): void => void (done === 2 && controller.abort());
  await assert.rejects(index.readRest(stop, controller.signal), cancelled);
  await index.readRest(quietly);
  assert.deepEqual(
    pathsRead().filter((path) => path.endsWith(".ts")),
    sources,
  );
});

test("a folder that is renamed takes its files along, whatever of it the editor names", async (context) => {
  const { folder, index, pathsRead } = await open(context);
  await index.readRest(quietly);
  await rename(join(folder, "lib"), join(folder, "moved"));
  index.touch("lib");
  index.touch("moved");
  await index.readRest(quietly);
  const paths = pathsRead().filter((path) => /^(lib|moved)/.test(path));
  assert.deepEqual(paths, ["moved/far.ts", "moved/other.ts"]);
  assert.equal(index.isRead, true);
});

test("what is gone was not left out, and a link is known by where it leads alone", async (context) => {
  const { folder, index, pathsRead } = await open(context);
  await index.readRest(quietly);
  const spans = pathsRead().length;
  await rm(join(folder, "lib/other.ts"));
  await rm(join(folder, ".env"));
  await symlink(join(folder, "lib"), join(folder, "again"));
  await symlink(join(folder, "lib/far.ts"), join(folder, "again.ts"));
  for (const path of ["lib/other.ts", ".env", "again", "again.ts"]) index.touch(path);
  await index.readRest(quietly);
  const skipped = index.skippedIn("").map(({ path, reason }) => `${path} ${reason}`);
  assert.deepEqual(skipped.sort(), [
    ...[".git/ dependencies", "again link", "again.ts link", "excluded/ excluded"],
    ...["ignored.ts ignored", "private/ ai-ignored"],
  ]);
  assert.equal(pathsRead().length, spans - 1);
  assert.equal(index.spansIn("lib/far.ts").length, 1);
});

test("what changes in a folder that is left out is not taken note of", async (context) => {
  const { index } = await open(context);
  await index.readRest(quietly);
  const before = index.skippedIn("");
  for (const path of [".git/HEAD", ".git/index.lock", "private/a.ts"]) index.touch(path);
  await index.readRest(quietly);
  assert.deepEqual(index.skippedIn(""), before);
});

test("a folder that is left out is left out still when it, or one around it, is named", async (context) => {
  const { folder, index } = await open(context);
  await mkdir(join(folder, "lib/node_modules"));
  await index.readRest(quietly);
  const left = () => index.skippedIn("").map(({ path, reason }) => `${path} ${reason}`);
  const before = left().sort();
  assert.ok(before.includes("lib/node_modules/ dependencies"));
  for (const path of ["private", ".git", "lib"]) index.touch(path);
  await index.readRest(quietly);
  assert.deepEqual(left().sort(), before);
  await rm(join(folder, "lib"), { recursive: true });
  index.touch("lib");
  await index.readRest(quietly);
  assert.ok(!left().some((each) => each.startsWith("lib")));
});

test("rules that come along with a folder hold in it", async (context) => {
  const { folder, index, pathsRead } = await open(context);
  await index.readRest(quietly);
  await rm(join(folder, "lib"), { recursive: true });
  await mkdir(join(folder, "lib"));
  await writeFile(join(folder, "lib/.aiignore"), "far.ts\n");
  await writeFile(join(folder, "lib/far.ts"), "export function own(): void {}\n");
  index.touch("lib");
  await index.readRest(quietly);
  assert.ok(!pathsRead().includes("lib/far.ts"));
  assert.equal(await index.reasonFor("lib/far.ts"), "ai-ignored");
});

test("an edit while its file is being read is read as well", async (context) => {
  const { index, definitions } = await open(context);
  await index.readRest(quietly);
  index.setText("lib/far.ts", "export function first(): void {}\n");
  const reading = index.readRest(quietly);
  // What is read by now is the first text.
  await new Promise((resolve) => setImmediate(resolve));
  index.setText("lib/far.ts", "export function second(): void {}\n");
  await reading;
  await index.readRest(quietly);
  assert.deepEqual(definitions("lib/far.ts"), ["second"]);
});

test("no more files are read than the limit, however they come, and the one at hand is", async (context) => {
  const folder = await scratchFolder(context, { ".git/HEAD": "" });
  const write = async (path: string) => {
    await writeFile(join(folder, path), `export const ${path.slice(-6, -3)} = 1;\n`);
    return path;
  };
  await mkdir(join(folder, "many"));
  for (let count = 0; count < fileLimit - 1; count += 1)
    await write(`many/${String(count).padStart(5, "0")}.ts`);
  const index = await FolderIndex.open(folder, { cutting, exclude: [] });
  const pathsRead = () => new Set(index.spansIn("").map(({ path }) => path));
  await index.readRest(quietly);
  assert.equal(pathsRead().size, fileLimit - 1);
  await mkdir(join(folder, "more"));
  for (const name of ["aaa", "bbb", "ccc"]) await write(`more/${name}.ts`);
  index.touch("more");
  await index.readRest(quietly);
  index.touch(await write("ddd.ts"));
  await index.readRest(quietly);
  assert.equal(pathsRead().size, fileLimit);
  assert.ok(pathsRead().has("more/aaa.ts") && !pathsRead().has("ddd.ts"));
  await index.readAround("ddd.ts", quietly);
  index.setText("more/bbb.ts", "export const bbb = 2;\n");
  await index.readRest(quietly);
  const read = pathsRead();
  assert.deepEqual(
    [read.size, read.has("ddd.ts"), read.has("more/bbb.ts"), read.has("more/ccc.ts")],
    [fileLimit, true, true, false],
  );
  assert.equal(index.isRead, true);
});

test("a file on which something breaks costs its own spans, until it changes", async (context) => {
  const folder = await scratchFolder(context, files);
  const failures: unknown[] = [];
  let asked = 0;
  const countTokens = (text: string): number => {
    if (text.includes("far") && ++asked > 0) throw new RangeError("made by the test");
    return text.length / 4;
  };
  const options = { cutting: { countTokens, limit: 128 }, exclude: ["excluded/"] };
  const onFailure = (error: unknown): void => void failures.push(error);
  const index = await FolderIndex.open(folder, { ...options, onFailure });
  await index.readRest(quietly);
  assert.equal(index.spansIn("lib/other.ts").length, 1);
  assert.deepEqual(index.skippedIn("lib"), [{ path: "lib/far.ts", reason: "failed" }]);
  assert.match(String(failures[0]), /far\.ts|here\.ts/);
  const before = asked;
  assert.equal(await index.readRest(quietly), 0);
  assert.equal(asked, before);
  await writeFile(join(folder, "lib/far.ts"), "export const near = 1;\n");
  index.touch("lib/far.ts");
  await index.readRest(quietly);
  assert.deepEqual(index.skippedIn("lib"), []);
});

test("a file that hangs is left out, and read when the file system has answered", async (context) => {
  const folder = await scratchFolder(context, files);
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const stat: DiskCalls["stat"] = (path) =>
    path.endsWith("far.ts") ? gate.then(() => host.stat(path)) : host.stat(path);
  const disk = new Disk({ ...host, stat }, { answerMs: 50, calls: 3 });
  const index = await FolderIndex.open(folder, { cutting, exclude: [], disk });
  await index.readRest(quietly);
  assert.deepEqual(index.skippedIn("lib"), [{ path: "lib/far.ts", reason: "hung" }]);
  assert.equal(index.spansIn("lib/other.ts").length, 1);
  assert.equal(await index.readRest(quietly), 0);
  letGo();
  while (disk.isHung(join(folder, "lib/far.ts"))) await new Promise(setImmediate);
  await index.readRest(quietly);
  assert.equal(index.spansIn("lib/far.ts").length, 1);
});
