// What stays in the bank, and what goes, as files and rules change from one window to the next.
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { Bank } from "../../sidecar/bank/bank.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { CancelledError } from "../../sidecar/errors.ts";
import { MemoryBank } from "../../sidecar/project/memory-bank.ts";
import { Project } from "../../sidecar/project/project.ts";
import type { PauseWork } from "../../sidecar/project/request.ts";
import { cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const here = 'import { ringOf } from "./ring.ts";\n\nconst total = ringOf(';
const files = {
  ".git/HEAD": "",
  "rings.pith.md": "Make a ring\n=>\nconst ring = ringOf(thing);\n",
  "src/ring.ts":
    `export function ringOf(thing: string): string {\n` +
    `${"  call(thing, 12345);\n".repeat(8)}  return thing;\n}\n`,
  "src/here.ts": here,
};
const settings = {
  exclude: [],
  isEnabled: true,
  form: "kept" as const,
  budget: 200,
  bankLimit: 1e8,
};
const quietly = { onActivity: () => {} };

interface Places {
  readonly folder: string;
  readonly bank: string;
  /** Default "tiny". */
  readonly model?: string;
}

/** A window of the editor on `folder` and `bank`. */
async function open(context: TestContext, { folder, bank, model = "tiny" }: Places) {
  const { engine, tokenizer, loadGrams, loadAdapter } = tiny;
  const layout = readLayout(tokenizer);
  const parts = { vocabulary: tokenizer, layout, cut, loadGrams, loadAdapter };
  const memories = new Memories(engine, parts);
  const completer = new Completer(engine, tokenizer, defaults.alignment.limits, memories);
  const project = new Project({
    ...{ memories, completer, tokenizer, onFailure: (error: unknown) => assert.fail(`${error}`) },
    bank: { folder: bank, model },
  });
  context.after(() => project.dispose());
  project.configure({ ...settings, folders: [folder] });
  const file = join(folder, "src/here.ts");
  const cursor = { file, languageId: "typescript", prefix: here, suffix: "" };
  /** Returns how often something was encoded. */
  const pause = async (work: Partial<PauseWork> = {}, signal?: AbortSignal): Promise<number> => {
    let encoded = 0;
    await project.work(
      { edits: [], touched: [], cursor, ...work },
      { signal, onActivity: ({ kind }) => (encoded += kind === "encoding" ? 1 : 0) },
    );
    return encoded;
  };
  return { project, pause };
}

async function makeFolders(context: TestContext) {
  return { folder: await scratchFolder(context, files), bank: await scratchFolder(context, {}) };
}

/** Files that the bank has memories of. */
async function bankedFiles(folder: string): Promise<Set<string>> {
  const bank = await Bank.open(folder, { cap: 1e8 });
  const paths = (await bank.list()).map(({ path }) => path);
  await bank.close();
  return new Set(paths);
}

test("the third window on a bank encodes no more than the second, demonstrations among it", async (context) => {
  const places = await makeFolders(context);
  const counts: number[] = [];
  for (let window = 0; window < 3; window++) {
    const { project, pause } = await open(context, places);
    counts.push(await pause());
    assert.equal(project.selection.memories[0]?.kind, "demonstration");
    await project.dispose();
  }
  const [first = 0, ...others] = counts;
  assert.ok(first > 0);
  assert.deepEqual(others, [0, 0]);
});

test("who goes from one model to another and back encodes nothing again but what was edited", async (context) => {
  const places = await makeFolders(context);
  const pauseOf = async (model: string, work?: Partial<PauseWork>): Promise<number> => {
    const { project, pause } = await open(context, { ...places, model });
    const encoded = await pause(work);
    await project.dispose();
    return encoded;
  };
  await rm(join(places.folder, "rings.pith.md"));
  const pieces = await pauseOf("tiny");
  assert.deepEqual([pieces > 1, await pauseOf("other"), await pauseOf("tiny")], [true, pieces, 0]);
  const ring = join(places.folder, "src/ring.ts");
  await writeFile(ring, `// A ring.\n\n\n${files["src/ring.ts"]}`);
  await pauseOf("tiny");
  await writeFile(ring, files["src/ring.ts"]);
  assert.equal(await pauseOf("other"), 0, "its text was moved meanwhile");
  await writeFile(ring, "");
  await pauseOf("tiny");
  assert.ok(!(await bankedFiles(places.bank)).has(ring));
});

test("what a rule file comes to forbid goes from the bank in the next pause", async (context) => {
  const places = await makeFolders(context);
  const { project, pause } = await open(context, places);
  await pause();
  const ring = join(places.folder, "src/ring.ts");
  assert.ok((await bankedFiles(places.bank)).has(ring));
  const rules = join(places.folder, ".aiignore");
  await writeFile(rules, "ring.ts\n");
  await pause({ touched: [rules] });
  await project.dispose();
  assert.ok(!(await bankedFiles(places.bank)).has(ring));
});

test("what the settings come to exclude goes from the bank in the next pause", async (context) => {
  const places = await makeFolders(context);
  const { project, pause } = await open(context, places);
  await pause();
  project.configure({ ...settings, folders: [places.folder], exclude: ["ring.ts"] });
  await pause();
  await project.dispose();
  assert.ok(!(await bankedFiles(places.bank)).has(join(places.folder, "src/ring.ts")));
});

test("of a folder that is deleted nothing stays in the bank", async (context) => {
  const places = await makeFolders(context);
  const { folder } = places;
  await mkdir(join(folder, "far"));
  await writeFile(join(folder, "far/inner.ts"), "export const inner = 1;\n");
  const { project, pause } = await open(context, places);
  await project.compress([{ file: folder }], quietly);
  await pause();
  const inner = join(folder, "far/inner.ts");
  assert.ok((await bankedFiles(places.bank)).has(inner));
  await rm(join(folder, "far"), { recursive: true });
  await pause({ touched: [join(folder, "far")] });
  await project.dispose();
  assert.ok(!(await bankedFiles(places.bank)).has(inner));
});

test("what rules come to forbid while it is being encoded goes from the bank as well", async (context) => {
  const places = await makeFolders(context);
  const { project, pause } = await open(context, places);
  const rules = join(places.folder, ".aiignore");
  const noting: Promise<void>[] = [];
  const ring = join(places.folder, "src/ring.ts");
  const forbid = async () => {
    await writeFile(rules, "ring.ts\n");
    await project.note({ edits: [], touched: [rules] });
  };
  await project.compress([{ file: ring }], {
    onActivity: ({ kind }) => {
      if (kind === "encoding" && noting.length === 0) noting.push(forbid());
    },
  });
  await Promise.all(noting);
  assert.ok((await bankedFiles(places.bank)).has(ring));
  await pause();
  await project.dispose();
  assert.ok(!(await bankedFiles(places.bank)).has(ring));
});

test("a budget that changes makes nothing in the bank doubtful", async (context) => {
  const places = await makeFolders(context);
  const { project, pause } = await open(context, places);
  await pause();
  const { files } = MemoryBank.prototype;
  const listing = context.mock.method(MemoryBank.prototype, "files", files);
  project.configure({ ...settings, folders: [places.folder], budget: 300 });
  await pause();
  assert.equal(listing.mock.callCount(), 0);
});

test("memories of another window's folder stay in the bank", async (context) => {
  const places = await makeFolders(context);
  const first = await open(context, places);
  await first.pause();
  await first.project.dispose();
  const folder = await scratchFolder(context, {
    "src/here.ts": here,
    "src/a.ts": "const a = 1;\n",
  });
  const second = await open(context, { ...places, folder });
  await second.pause();
  await second.project.dispose();
  const banked = await bankedFiles(places.bank);
  assert.ok(banked.has(join(places.folder, "src/ring.ts")));
  assert.ok(banked.has(join(folder, "src/a.ts")));
});

test("what a pause that was broken off did not look for goes in the next", async (context) => {
  const places = await makeFolders(context);
  const { project, pause } = await open(context, places);
  await pause();
  const ring = join(places.folder, "src/ring.ts");
  await writeFile(ring, "");
  await assert.rejects(pause({ touched: [ring] }, AbortSignal.abort()), CancelledError);
  assert.ok((await bankedFiles(places.bank)).has(ring));
  await pause();
  await project.dispose();
  assert.ok(!(await bankedFiles(places.bank)).has(ring));
});

test("what is kept of a text that was edited since the pause is of the new text", async (context) => {
  const places = await makeFolders(context);
  const { project, pause } = await open(context, places);
  await pause();
  const file = join(places.folder, "src/ring.ts");
  await project.folders.edit(file, "const a = 1;\n");
  const range = { startLine: 0, endLine: 3 };
  const [text] = await project.keptTexts([{ file, range }], quietly);
  assert.ok(text?.kind === "kept");
  const sum = text.tokens.reduce((total, { share }) => total + share, 0);
  assert.ok(Math.abs(sum - text.positions) < 1e-3, `${sum} of ${text.positions}`);
});
