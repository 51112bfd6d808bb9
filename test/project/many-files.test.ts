// Workspaces with more than is read: what does not count, what comes first, and what is told of the rest.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { FolderIndex } from "../../sidecar/project/folder-index.ts";
import { FolderListing } from "../../sidecar/project/folder-listing.ts";
import { ReadingOrder } from "../../sidecar/project/reading-order.ts";
import { fileLimit } from "../../sidecar/project/reading-queue.ts";
import { Workspace } from "../../sidecar/workspace/workspace.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

const cutting = { countTokens: (text: string) => text.length / 4, limit: 128 };
const quietly = (): void => {};
const sources = {
  ".git/HEAD": "",
  "src/money.ts": "export function addMoney(left: number, right: number): number {}\n",
  "src/main.ts": 'import { addMoney } from "./money";\n\nconst sum = addMoney(\n',
};

const crowds: [what: string, nameOf: (index: number) => string, text: string][] = [
  ["pictures", (index) => `assets/${index}.png`, "\x89PNG\r\n\x1a\n\0"],
  ["data", (index) => `assets/${index}.json`, '{ "a": 1 }\n'],
  ["binaries of no known name", (index) => `assets/${index}.q7`, "a\0b"],
];
for (const [what, nameOf, text] of crowds)
  test(`${fileLimit} ${what} that sort before the sources change nothing`, async (context) => {
    const folder = await scratchFolder(context, sources);
    await writeMany(folder, fileLimit, nameOf, text);
    const index = await FolderIndex.open(folder, { cutting, exclude: [] });
    await index.readRest(quietly);
    assert.equal(index.spansIn("src").length, 2);
  });

let crowded = "";
before(async (context) => {
  crowded = await scratchFolder(context as never, sources);
  const one = (index: number) => `export const v${index} = 1;\n`;
  await writeMany(crowded, fileLimit + 20, (index) => `app/${index}.ts`, one);
  await writeMany(crowded, 30, (index) => `tools/deep/${index}.ts`, one);
});

async function openCrowded() {
  const index = await FolderIndex.open(crowded, { cutting, exclude: [] });
  const countBelow = (path: string) => new Set(index.spansIn(path).map((span) => span.path)).size;
  return { index, countBelow };
}

test("what lies beside the file in use is read, what does not fit is told, and moving on changes it", async () => {
  const { index, countBelow } = await openCrowded();
  assert.deepEqual(index.reachedLimits, []);
  await index.readAround("tools/deep/3.ts", quietly);
  await index.readRest(quietly);
  assert.deepEqual([countBelow(""), countBelow("tools"), countBelow("src")], [fileLimit, 30, 2]);
  assert.deepEqual(index.reachedLimits, [{ kind: "files", limit: fileLimit, left: 52 }]);
  await index.readAround("app/9.ts", quietly);
  await index.readRest(quietly);
  assert.deepEqual([countBelow(""), countBelow("app/9.ts")], [fileLimit, 1]);
  assert.equal(index.isRead, true);
  assert.equal(await index.readRest(quietly), 0);
});

test("a file that is asked for by name is read whatever the limit, and so is what it imports", async () => {
  const { index, countBelow } = await openCrowded();
  await index.readRest(quietly);
  const last = "app/99.ts";
  assert.equal(countBelow(last), 0);
  await index.readBelow(last, quietly);
  assert.equal(countBelow(last), 1);
  assert.deepEqual(index.limitsBelow(last), []);
  await writeFile(
    join(crowded, "main.ts"),
    'import { v9 } from "./app/9.ts";\nimport "./src/money";\n',
  );
  await index.readAround("main.ts", quietly);
  for (const path of ["main.ts", "app/9.ts", "src/money.ts"])
    assert.equal(countBelow(path), 1, path);
  assert.equal(countBelow(""), fileLimit);
});

test("a listing goes on where it was broken off, looks at near folders first, and has an end", async (context) => {
  const folder = await scratchFolder(context, {});
  const kinds = ["a.ts", "b.json", "c.png"] as const;
  for (const kind of kinds)
    await writeMany(folder, 64, (at) => `${at >> 4}/${(at >> 2) & 3}/${at & 3}/${kind}`, "");
  const order = new ReadingOrder();
  order.use("3/1/here.ts", []);
  const workspace = await Workspace.open(folder, cutting);
  const found: string[] = [];
  const limits = { sources: 20, texts: 10, skipped: 5, folders: 60 };
  const listing = new FolderListing({
    ...{ workspace, order, limits },
    onEntry: ({ path }) => void found.push(path),
  });
  await listing.listBelow("", { count: 4 });
  assert.deepEqual(
    found,
    kinds.map((kind) => `3/1/0/${kind}`),
  );
  const cancelled = { name: "CancelledError" };
  await assert.rejects(listing.listBelow("", { signal: AbortSignal.abort() }), cancelled);
  assert.equal(listing.isDone, false);
  await listing.listBelow("", {});
  assert.equal(new Set(found).size, found.length);
  const counts = kinds.map((kind) => found.filter((path) => path.endsWith(kind)).length);
  assert.deepEqual(counts, [20, 10, 5]);
  // 60 of 85 folders, of which 1, 4 and 16 have no files.
  assert.equal(listing.isDone, true);
  assert.deepEqual(listing.left, { files: 2 * (60 - 21) - 30, folders: 25 });
  found.length = 0;
  await listing.listOne("2/3/3");
  assert.equal(found.length, 3, "whatever the limits");
});

async function writeMany(
  folder: string,
  count: number,
  nameOf: (index: number) => string,
  text: string | ((index: number) => string),
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const path = join(folder, nameOf(index));
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, typeof text === "string" ? text : text(index));
  }
}
