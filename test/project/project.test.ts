// The memories of a workspace on the tiny model, real files and a real bank: what is selected, what it
// costs, what becomes stale.
import assert from "node:assert/strict";
import { readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { Bank } from "../../sidecar/bank/bank.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { CancelledError, UnsupportedError } from "../../sidecar/errors.ts";
import { sinkTokens } from "../../sidecar/memory/kept-encoder.ts";
import type { Cursor } from "../../sidecar/project/near-text.ts";
import { Project } from "../../sidecar/project/project.ts";
import type { MemoryActivity } from "../../sidecar/project/request.ts";
import { holdEngine } from "../support/held-engine.ts";
import { cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const ring = "export function ringOf(thing: string): string {\n  return thing;\n}\n";
const files = {
  ".git/HEAD": "",
  "src/ring.ts": ring,
  "src/other.ts": "export const other = 12;\n",
  "far/inner.ts": "export function inner(): number {\n  return 12;\n}\n",
  "src/here.ts": 'import { ringOf } from "./ring.ts";\n\nconst total = ringOf(',
};
const budget = 40;

interface Opened {
  readonly project: Project;
  readonly completer: Completer;
  readonly folder: string;
  readonly bank: string;
  readonly activities: MemoryActivity[];
  readonly failures: unknown[];
  readonly cursor: Cursor;
  /** A pause; returns the rows run. */
  pause(work?: Partial<Parameters<Project["work"]>[0]>, signal?: AbortSignal): Promise<number>;
}

interface Given {
  readonly folder?: string;
  readonly bank?: string;
  /** What every run of the model waits for. */
  readonly hold?: () => Promise<void>;
}

async function open(context: TestContext, given: Given = {}): Promise<Opened> {
  const folder = given.folder ?? (await scratchFolder(context, files));
  const bank = given.bank ?? (await scratchFolder(context, {}));
  const { tokenizer, loadGrams, loadAdapter } = tiny;
  const engine = given.hold ? holdEngine(tiny.engine, given.hold) : tiny.engine;
  const parts = {
    vocabulary: tokenizer,
    layout: readLayout(tokenizer),
    cut,
    loadGrams,
    loadAdapter,
  };
  const memories = new Memories(engine, parts);
  const completer = new Completer(engine, tokenizer, defaults.alignment.limits, memories);
  const failures: unknown[] = [];
  const project = new Project({
    ...{ memories, completer, tokenizer },
    bank: { folder: bank, model: "tiny" },
    onFailure: (error) => failures.push(error),
  });
  context.after(() => project.dispose());
  const settings = { folders: [folder], exclude: [], bankLimit: 100_000_000 };
  project.configure({ ...settings, isEnabled: true, form: "kept" as const, budget });
  const activities: MemoryActivity[] = [];
  const file = join(folder, "src/here.ts");
  const cursor = { file, languageId: "typescript", prefix: files["src/here.ts"], suffix: "" };
  const pause: Opened["pause"] = async (work = {}, signal) => {
    const before = engine.counters.positions;
    const onActivity = (activity: MemoryActivity) => void activities.push(activity);
    await project.work({ edits: [], touched: [], cursor, ...work }, { onActivity, signal });
    return engine.counters.positions - before;
  };
  return { project, completer, folder, bank, activities, failures, cursor, pause };
}

test("a pause lays memories within the budget, behind the sink, the defining file first", async (context) => {
  const { project, pause, cursor, activities, failures } = await open(context);
  assert.ok((await pause()) > 0);
  const { blocks, contextAfter } = project.laidFor(cursor.file);
  const lengths = blocks.map(({ length }) => length);
  assert.equal(blocks[0]?.key, "sink");
  assert.equal(
    lengths.slice(1).reduce((sum, length) => sum + length, 0),
    contextAfter,
  );
  assert.ok(contextAfter > 0 && contextAfter <= budget, `${contextAfter}`);
  const [best] = project.selection.memories;
  assert.equal(best?.path, "src/ring.ts");
  assert.deepEqual(Object.values(best?.places ?? {}).slice(0, 2), [0, 0]);
  assert.ok(activities.some(({ kind }) => kind === "reading"));
  assert.ok(activities.some(({ kind }) => kind === "encoding"));
  assert.deepEqual(failures, []);
});

test("in a folder that is a link memories are laid as in any other", async (context) => {
  const folder = await scratchFolder(context, files);
  const link = `${folder}-link`;
  await symlink(folder, link);
  context.after(() => rm(link));
  const { project, pause, cursor, failures } = await open(context, { folder: link });
  assert.ok((await pause()) > 0);
  assert.ok(project.laidFor(cursor.file).contextAfter > 0);
  assert.equal(project.selection.file, join(link, "src/here.ts"));
  assert.equal(await pause(), 0);
  assert.equal(await project.reasonFor(cursor.file), null);
  assert.deepEqual(failures, []);
});

test("a file that is open by a link is not offered to itself, and is edited by it", async (context) => {
  const { project, pause, folder, bank, cursor } = await open(context);
  const link = join(folder, "alias.ts");
  await symlink(cursor.file, link);
  const longer = `${files["src/here.ts"]}"");\nexport const added = total;\n`;
  await pause({ cursor: { ...cursor, file: link }, edits: [{ file: link, text: longer }] });
  assert.equal(project.selection.file, link);
  const paths = project.selection.memories.map(({ path }) => path);
  assert.ok(paths.includes("src/ring.ts") && !paths.includes("src/here.ts"), paths.join());
  const { spans } = await project.compress([{ file: link }], { onActivity: () => {} });
  assert.ok(spans > 0);
  await pause({ edits: [{ file: link, text: "const short = 1;\n" }] });
  await project.dispose();
  const banked = await Bank.open(bank, { cap: 100_000_000 });
  const ofHere = (await banked.list()).filter(({ path }) => path === cursor.file);
  await banked.close();
  assert.deepEqual(ofHere, [], "the old text is gone");
});

test("what a link leads to decides whether it may be read", async (context) => {
  const { project, folder } = await open(context);
  await writeFile(join(folder, ".env"), "KEY=1\n");
  await symlink(join(folder, ".env"), join(folder, "settings.ts"));
  assert.equal(await project.reasonFor(join(folder, "settings.ts")), "secret");
});

test("of nested folders the innermost is selected from", async (context) => {
  const { project, pause, folder } = await open(context);
  const settings = { exclude: [], bankLimit: 100_000_000, isEnabled: true, form: "kept" as const };
  project.configure({ ...settings, budget, folders: [folder, join(folder, "src")] });
  await pause();
  const paths = project.selection.memories.map(({ path }) => path);
  assert.deepEqual(paths.sort(), ["other.ts", "ring.ts"]);
});

test("a second pause in which nothing has changed runs nothing", async (context) => {
  const { pause } = await open(context);
  await pause();
  assert.equal(await pause(), 0);
});

test("a keystroke computes no more rows with memories than without", async (context) => {
  const { project, completer, cursor, pause } = await open(context);
  await pause();
  const document = { path: "src/here.ts", languageId: "typescript", suffix: "" };
  const options = { multiline: "never", alignment: "off" } as const;
  const spent: { computed: number; generated: number; reused: number; contextAfter: number }[] = [];
  for (const memories of [project.laidFor(cursor.file), undefined]) {
    const prefix = "const total = ";
    await completer.completeInline({ ...document, ...options, prefix }, { memories });
    const next = await completer.completeInline(
      { ...document, ...options, prefix: `${prefix}r` },
      { memories },
    );
    spent.push(next.tokens);
  }
  const [laid, plain] = spent;
  assert.ok(laid !== undefined && plain !== undefined && laid.contextAfter > 0);
  // Of the prompt all but the last rows is reused: the memories and their sink make the difference.
  assert.equal(laid.reused - plain.reused, laid.contextAfter + sinkTokens);
  // And nothing else is run; the last token of an answer need not be.
  const rows = [laid, plain].map(({ computed, generated }) => computed - generated);
  assert.ok(Math.abs((rows[0] ?? 0) - (rows[1] ?? 0)) <= 1, `${rows}`);
});

test("an edit makes what it changed vanish from the selection and the bank", async (context) => {
  const { project, pause, folder, bank } = await open(context);
  await pause();
  const file = join(folder, "src/ring.ts");
  await pause({ edits: [{ file, text: "export const nothing = 1;\n" }] });
  const shown = project.selection.memories.filter(({ path }) => path === "src/ring.ts");
  assert.ok(shown.every(({ endLine }) => endLine === 1));
  await pause({ edits: [{ file, text: null }], touched: [file] });
  await rm(file);
  await pause({ touched: [file] });
  assert.ok(project.selection.memories.every(({ path }) => path !== "src/ring.ts"));
  await project.dispose();
  const banked = await Bank.open(bank, { cap: 100_000_000 });
  const paths = (await banked.list()).map(({ path }) => path);
  await banked.close();
  assert.ok(paths.length > 0 && !paths.includes(file), paths.join("\n"));
});

test("another window with the same bank encodes nothing", async (context) => {
  const first = await open(context);
  await first.pause();
  await first.project.dispose();
  const second = await open(context, first);
  await second.pause();
  assert.ok(!second.activities.some(({ kind }) => kind === "encoding"));
});

test("a pause that is broken off leaves what was encoded, and the next goes on", async (context) => {
  const { project, pause, activities, cursor } = await open(context);
  const controller = new AbortController();
  activities.push = (...items) => {
    if (items.some(({ kind }) => kind === "encoding")) controller.abort();
    return Array.prototype.push.apply(activities, items);
  };
  await assert.rejects(pause({}, controller.signal), CancelledError);
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
  await pause();
  assert.ok(project.laidFor(cursor.file).contextAfter > 0);
});

test("demonstrations stay in the bank from window to window", async (context) => {
  const first = await open(context);
  await writeFile(join(first.folder, "ways.pith.md"), "Ring\n=>\nringOf(thing);\n");
  await first.pause();
  await first.project.dispose();
  for (let windows = 0; windows < 2; windows += 1) {
    const { project, pause, activities } = await open(context, first);
    await pause();
    assert.equal(project.selection.memories[0]?.kind, "demonstration");
    assert.ok(!activities.some(({ kind }) => kind === "encoding"));
    await project.dispose();
  }
});

test("settings that change during a pause count at once", async (context) => {
  const { project, pause, folder, cursor, activities } = await open(context);
  const settings = {
    folders: [folder],
    exclude: [],
    bankLimit: 100_000_000,
    form: "kept" as const,
  };
  activities.push = (...items) => {
    if (items.some(({ kind }) => kind === "encoding"))
      project.configure({ ...settings, budget, isEnabled: false });
    return Array.prototype.push.apply(activities, items);
  };
  await assert.rejects(pause(), CancelledError);
  await pause();
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
});

test("a purge during a pause leaves nothing either", async (context) => {
  const { project, pause, bank, activities } = await open(context);
  let purging: Promise<void> | undefined;
  activities.push = (...items) => {
    if (items.some(({ kind }) => kind === "encoding")) purging ??= project.purge();
    return Array.prototype.push.apply(activities, items);
  };
  await assert.rejects(pause(), CancelledError);
  await purging;
  assert.deepEqual(await readdir(bank), []);
  assert.deepEqual(project.selection.memories, []);
});

test("a purge while the last piece is encoded leaves nothing either", async (context) => {
  const { project, pause, cursor, activities } = await open(context);
  let purging: Promise<void> | undefined;
  activities.push = (...items) => {
    const isLast = items.some((each) => each.kind === "encoding" && each.done === each.total - 1);
    if (isLast) purging ??= project.purge();
    return Array.prototype.push.apply(activities, items);
  };
  await assert.rejects(pause(), CancelledError);
  await purging;
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
});

test("what rules come to forbid stands in front of no file any more", async (context) => {
  const { project, pause, folder, cursor } = await open(context);
  await pause();
  const other = { ...cursor, file: join(folder, "src/other.ts") };
  await pause({ cursor: other });
  assert.ok(project.selectedFor(cursor.file).some(({ path }) => path === "src/ring.ts"));
  const rules = join(folder, ".aiignore");
  await writeFile(rules, "ring.ts\n");
  await pause({ cursor: other, touched: [rules] });
  assert.ok(project.laidFor(other.file).contextAfter > 0);
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
});

test("rules that change during a pause count at once", async (context) => {
  let hold = async (): Promise<void> => {};
  const { project, pause, folder, cursor } = await open(context, { hold: () => hold() });
  const { folders } = project;
  const rules = join(folder, ".aiignore");
  let noting: Promise<void> | undefined;
  // The model goes on once the project knows of the change.
  hold = () =>
    new Promise((resolve) => {
      if (noting !== undefined) return resolve();
      const touch = folders.touch.bind(folders);
      context.mock.method(folders, "touch", async (file: string) => {
        const touched = await touch(file);
        setImmediate(resolve);
        return touched;
      });
      noting = writeFile(rules, "ring.ts\n").then(() =>
        project.note({ edits: [], touched: [rules] }),
      );
    });
  await assert.rejects(pause(), CancelledError);
  await noting;
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
});

test("after a purge the bank is empty, and so is the selection", async (context) => {
  const { project, pause, bank, cursor } = await open(context);
  await pause();
  assert.ok((await project.bankFacts()).memories > 0);
  await project.purge();
  assert.deepEqual(await readdir(bank), []);
  assert.deepEqual(project.selection.memories, []);
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
});

test("switched off, nothing is laid", async (context) => {
  const { project, pause, folder, cursor } = await open(context);
  await pause();
  const settings = {
    folders: [folder],
    exclude: [],
    bankLimit: 100_000_000,
    budget,
    form: "kept" as const,
  };
  project.configure({ ...settings, isEnabled: false });
  await pause();
  assert.deepEqual(project.laidFor(cursor.file).blocks, []);
});

test("as raw text a span stands there whole or not at all", async (context) => {
  const { project, pause, folder } = await open(context);
  const settings = { folders: [folder], exclude: [], bankLimit: 100_000_000, budget: 70 };
  project.configure({ ...settings, isEnabled: true, form: "raw" });
  await pause();
  const outcomes = project.selection.memories.map(({ outcome }) => outcome);
  assert.ok(outcomes.includes("whole") && !outcomes.includes("compressed"), outcomes.join());
});

test("files, folders and lines are made into memories at a wish", async (context) => {
  const { project, folder } = await open(context);
  const options = { onActivity: () => {} };
  const ofFolder = await project.compress([{ file: join(folder, "src") }], options);
  assert.deepEqual([ofFolder.files, ofFolder.skipped], [3, []]);
  assert.ok(ofFolder.positions > 0 && ofFolder.positions < ofFolder.tokens);
  const range = { startLine: 0, endLine: 1 };
  const ofLine = await project.compress([{ file: join(folder, "far/inner.ts"), range }], options);
  assert.deepEqual([ofLine.files, ofLine.spans], [1, 1]);
  await writeFile(join(folder, "src/key.ts"), "\0");
  await project.folders.touch(join(folder, "src/key.ts"));
  const skipping = await project.compress([{ file: join(folder, "src") }], options);
  assert.deepEqual(skipping.skipped, [{ path: "src/key.ts", reason: "binary" }]);
  const twice = [{ file: join(folder, "src") }, { file: join(folder, "src/ring.ts") }];
  assert.deepEqual((await project.compress(twice, options)).spans, ofFolder.spans);
  const outside = project.compress([{ file: "/nowhere/a.ts" }], options);
  await assert.rejects(outside, UnsupportedError);
});

test("for one file no other is read", async (context) => {
  const { project, folder } = await open(context);
  const totals: number[] = [];
  const onActivity = (activity: MemoryActivity) => {
    if (activity.kind === "reading") totals.push(activity.total);
  };
  const report = await project.compress([{ file: join(folder, "far/inner.ts") }], { onActivity });
  assert.deepEqual([report.files, totals], [1, [1]]);
});

test("what a memory keeps adds up to its positions", async (context) => {
  const { project, folder, pause } = await open(context);
  await pause();
  const lines = { file: join(folder, "src/ring.ts"), range: { startLine: 0, endLine: 3 } };
  const [text] = await project.keptTexts([lines], { onActivity: () => {} });
  assert.ok(text?.kind === "kept" && text.tokens.length > 0);
  const shares = text.tokens.map(({ share }) => share);
  assert.ok(shares.every((share) => share >= 0 && share <= 1));
  const sum = shares.reduce((total, share) => total + share, 0);
  assert.ok(Math.abs(sum - text.positions) < 1e-3, `${sum} of ${text.positions}`);
  const bytes = Buffer.concat(text.tokens.map((token) => token.bytes));
  assert.ok(bytes.toString().includes("return thing;"));
});
