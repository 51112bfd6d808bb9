// Embedded memories of a workspace on the tiny model and a real bank: what stands in front, what the
// bank knows them by, what is decoded from them, and what becomes of a model without an adapter.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { CancelledError, UnsupportedError } from "../../sidecar/errors.ts";
import type { Adapter, AdapterArm } from "../../sidecar/memory/adapter.ts";
import { Project } from "../../sidecar/project/project.ts";
import type { MemoryActivity, ProjectSettings } from "../../sidecar/project/request.ts";
import { cut, noAdapter } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const ring = "export function ringOf(thing: string): string {\n  return thing;\n}\n";
const here = 'import { ringOf } from "./ring.ts";\n\nconst total = ringOf(';
const files = {
  ".git/HEAD": "",
  "src/ring.ts": ring,
  "src/other.ts": "export const other = 12;\n",
  "src/here.ts": here,
};
const budget = 24;
const range = { startLine: 0, endLine: 3 };

interface Window {
  readonly project: Project;
  readonly folder: string;
  readonly bank: string;
  readonly activities: MemoryActivity[];
  readonly ring: { file: string; range: typeof range };
  configure(form: ProjectSettings["form"]): void;
  /** A pause; returns the kinds of work that were told. */
  pause(): Promise<Set<string>>;
  laid(): ReturnType<Project["laidFor"]>;
}

async function open(
  context: TestContext,
  given: { folder?: string; bank?: string; loadAdapter?: () => Promise<Adapter> } = {},
): Promise<Window> {
  const folder = given.folder ?? (await scratchFolder(context, files));
  const bank = given.bank ?? (await scratchFolder(context, {}));
  const { engine, tokenizer, loadGrams } = tiny;
  const { loadAdapter = tiny.loadAdapter } = given;
  const layout = readLayout(tokenizer);
  const parts = { vocabulary: tokenizer, layout, cut, loadGrams, loadAdapter };
  const memories = new Memories(engine, parts);
  const completer = new Completer(engine, tokenizer, defaults.alignment.limits, memories);
  const project = new Project({
    ...{ memories, completer, tokenizer, bank: { folder: bank, model: "tiny" } },
    onFailure: (error) => assert.fail(`${error}`),
  });
  context.after(() => project.dispose());
  const settings = { folders: [folder], exclude: [], bankLimit: 1e8, isEnabled: true, budget };
  const configure = (form: ProjectSettings["form"]) => project.configure({ ...settings, form });
  configure("embedded");
  const activities: MemoryActivity[] = [];
  const cursor = { file: join(folder, "src/here.ts"), languageId: "typescript" };
  const pause = async () => {
    activities.length = 0;
    const onActivity = (activity: MemoryActivity) => void activities.push(activity);
    const work = { edits: [], touched: [], cursor: { ...cursor, prefix: here, suffix: "" } };
    await project.work(work, { onActivity });
    return new Set(activities.map(({ kind }) => kind));
  };
  const laid = () => project.laidFor(cursor.file);
  const place = { file: join(folder, "src/ring.ts"), range };
  return { project, folder, bank, activities, ring: place, configure, pause, laid };
}

/** Of the tiny model's own kind, which has slots, or one that pools. */
async function adapterOf(arm: AdapterArm): Promise<Adapter> {
  const adapter = await tiny.loadAdapter();
  return arm === "uni" ? adapter : { ...adapter, arm, slot: null, sha256: "another" };
}

for (const arm of ["uni", "uni+ pool"] as const)
  test(`virtual tokens and their marks stand in front, within the budget: ${arm}`, async (context) => {
    const { project, pause, laid } = await open(context, { loadAdapter: () => adapterOf(arm) });
    assert.ok((await pause()).has("encoding"));
    const { blocks, contextAfter } = laid();
    const [sink, ...others] = blocks;
    assert.equal(sink?.key, "sink");
    assert.ok(others.length > 0 && others.every(({ key }) => key.startsWith("embedded ")));
    const positions = others.reduce((sum, { length }) => sum + length, 0);
    assert.equal(positions, contextAfter);
    assert.ok(contextAfter <= budget, `${contextAfter}`);
    const { memories } = project.selection;
    assert.equal(
      memories.reduce((sum, each) => sum + each.positions, 0),
      contextAfter,
    );
    assert.equal(memories[0]?.path, "src/ring.ts");
    const outcomes = new Set(memories.map(({ outcome }) => outcome));
    assert.deepEqual(outcomes, new Set(["compressed"]));
    const before = tiny.engine.counters.positions;
    assert.ok(!(await pause()).has("encoding"));
    assert.equal(tiny.engine.counters.positions, before);
  });

test("the bank knows them by form and adapter: no other form or adapter gets them", async (context) => {
  const first = await open(context);
  await first.pause();
  await first.project.dispose();
  const again = await open(context, first);
  assert.ok(!(await again.pause()).has("encoding"));
  const made = (await again.project.bankFacts()).memories;
  again.configure("kept");
  assert.ok((await again.pause()).has("encoding"));
  assert.ok(
    again
      .laid()
      .blocks.slice(1)
      .every(({ key }) => key.startsWith("kept ")),
  );
  assert.ok((await again.project.bankFacts()).memories > made);
  again.configure("embedded");
  assert.ok(!(await again.pause()).has("encoding"));
  await again.project.dispose();
  const other = await open(context, { ...first, loadAdapter: () => adapterOf("uni+ pool") });
  assert.ok((await other.pause()).has("encoding"));
});

test("what is decoded comes with the text, and takes no more steps than that has tokens", async (context) => {
  const { project, ring: lines } = await open(context);
  const kinds: string[] = [];
  const onActivity = ({ kind }: MemoryActivity) => void kinds.push(kind);
  const [text, ...rest] = await project.keptTexts([lines], { onActivity });
  assert.ok(text?.kind === "decoded" && rest.length === 0);
  // As it is encoded: behind its header, which begins with a token without bytes, and with a line end.
  assert.equal(text.text, `src/ring.ts\n${ring}\n`);
  assert.equal(text.positions, Math.ceil(text.tokenCount / 12) + 1);
  assert.deepEqual(kinds, ["encoding", "decoding"]);
  const before = tiny.engine.counters.positions;
  assert.deepEqual(await project.keptTexts([lines], { onActivity }), [text]);
  // REC stands where CONT does, and the last token is not run.
  const rows = tiny.engine.counters.positions - before;
  assert.ok(rows < text.positions + text.tokenCount, `${rows}`);
});

test("decoding can be broken off", async (context) => {
  const { project, ring: lines } = await open(context);
  const controller = new AbortController();
  const onActivity = ({ kind }: MemoryActivity) => {
    if (kind === "decoding") controller.abort();
  };
  const { signal } = controller;
  await assert.rejects(project.keptTexts([lines], { onActivity, signal }), CancelledError);
});

test("without an adapter a pause says why there are no memories, and kept ones work", async (context) => {
  const window = await open(context, { loadAdapter: noAdapter });
  const { project, activities, configure, pause, laid, ring: lines } = window;
  await pause();
  assert.deepEqual(activities, [{ kind: "unavailable", message: "memory embedded: none here" }]);
  assert.deepEqual(laid().blocks, []);
  const quietly = { onActivity: () => {} };
  await assert.rejects(project.compress([lines], quietly), UnsupportedError);
  await assert.rejects(project.keptTexts([lines], quietly), UnsupportedError);
  configure("kept");
  assert.ok(!(await pause()).has("unavailable"));
  assert.ok(laid().contextAfter > 0);
});

test("a purge leaves no virtual tokens in the process either", async (context) => {
  const { project, pause, laid } = await open(context);
  await pause();
  await project.purge();
  assert.deepEqual(laid().blocks, []);
  assert.equal((await project.bankFacts()).memories, 0);
  assert.ok((await pause()).has("encoding"));
});
