// A bank, a folder and parts of the model that could not be opened at first: nothing of that is
// remembered once they can.
import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Bank } from "../../sidecar/bank/bank.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { openWindow, type TinyWindow } from "./tiny-window.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const here = 'import { one } from "./one.ts";\n\nconst total = one(';
const files = {
  "here.ts": here,
  "one.ts": "export function one(): number {\n  return 1;\n}\n",
};

/** A pause in `here.ts`; returns the positions that memories take there. */
async function pause({ project, settings }: TinyWindow): Promise<number> {
  const file = join(settings.folders[0] ?? "", "here.ts");
  const cursor = { file, languageId: "", prefix: here, suffix: "" };
  await project.work({ edits: [], touched: [], cursor }, { onActivity: () => {} });
  return project.laidFor(file).contextAfter;
}

test("a bank that could not be opened serves from the pause on in which it can", async (context) => {
  const folder = await scratchFolder(context, files);
  const scratch = await scratchFolder(context, { bank: "no folder" });
  const bank = join(scratch, "bank");
  const window = openWindow(context, tiny, { folder, bank });
  const { project, failures } = window;
  assert.ok((await pause(window)) > 0);
  assert.equal((await project.bankFacts()).memories, 0);
  await assert.rejects(project.purge(), /EEXIST/);
  await pause(window);
  assert.equal(failures.length, 1, failures.join("\n"));
  await rm(bank);
  project.configure({ ...window.settings, budget: 200 });
  await pause(window);
  await project.compress([{ file: folder }], { onActivity: () => {} });
  await project.purge();
  await project.compress([{ file: folder }], { onActivity: () => {} });
  const { memories } = await project.bankFacts();
  assert.ok(memories > 0);
  await project.dispose();
  await project.dispose();
  const stored = await Bank.open(bank, { cap: 1e8 });
  assert.equal((await stored.list()).length, memories);
  await stored.close();
});

test("a folder of the workspace that comes later is read then", async (context) => {
  const parent = await scratchFolder(context, {});
  const folder = join(parent, "late");
  const window = openWindow(context, tiny, { folder, bank: await scratchFolder(context, {}) });
  assert.equal(await pause(window), 0);
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  assert.ok((await pause(window)) > 0);
});

test("what memories need of the model is asked for again after it could not be read", async (context) => {
  const folder = await scratchFolder(context, files);
  const place = { folder, bank: await scratchFolder(context, {}) };
  let fails = 2;
  const loadGrams = async () => {
    if (fails-- > 0) throw new Error("grams: cannot be read");
    return await tiny.loadGrams();
  };
  const window = openWindow(context, { ...tiny, loadGrams }, place);
  await assert.rejects(pause(window), /grams: cannot be read/);
  await assert.rejects(pause(window), /grams: cannot be read/);
  assert.ok((await pause(window)) > 0);
});

test("a graph that could not be loaded is loaded when it can be", async (context) => {
  const model = await openTiny({ architecture: "qwen2" });
  context.after(() => model.close());
  const folder = await scratchFolder(context, files);
  const window = openWindow(context, model, { folder, bank: await scratchFolder(context, {}) });
  await rename(model.attentionGraph, `${model.attentionGraph}.away`);
  await assert.rejects(pause(window));
  await rename(`${model.attentionGraph}.away`, model.attentionGraph);
  assert.ok((await pause(window)) > 0);
});

test("an engine whose graphs could not be loaded is let go of all the same", async (context) => {
  const model = await openTiny({ architecture: "qwen2" });
  const folder = await scratchFolder(context, files);
  const window = openWindow(context, model, { folder, bank: await scratchFolder(context, {}) });
  await rm(model.attentionGraph);
  await assert.rejects(pause(window));
  await window.project.dispose();
  await model.close();
});
