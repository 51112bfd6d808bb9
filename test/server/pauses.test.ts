// What pauses make of a workspace that changes: a real process, with the tiny model.
import assert from "node:assert/strict";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type {
  CompressedContext,
  DemonstrationEntry,
  RemoteCounts,
  Selection,
  TokenSplit,
} from "../../sidecar/protocol.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { Editor } from "./editor.ts";

const files = {
  ".git/HEAD": "",
  ".aiignore": "private.ts\n",
  ".env": "KEY=1\n",
  "private.ts": "export const own = 1;\n",
  "ring.ts": "export function ringOf(thing: string): string {\n  return thing;\n}\n",
  "other.ts": "export const other = 12;\n",
  "ways.pith.md": "---\ntitle: Ways\n---\nRing twice\n=>\nringOf(ringOf(thing));\n",
};
const here = 'import { ringOf } from "./ring.ts";\n\nconst total = $0\n';
const settings = {
  trace: "messages" as const,
  memories: { enable: true, budget: 60, form: "kept" as const },
};

let scratch = "";
let model = "";
before(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), "pith-memories-")));
  model = join(scratch, "tiny.gguf");
  await writeFile(model, makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes);
});
after(() => rm(scratch, { recursive: true, force: true }));

async function start(context: TestContext) {
  const folder = await scratchFolder(context, files);
  const home = await scratchFolder(context, {});
  const editor = await Editor.start({
    folder: pathToFileURL(folder).href,
    home,
    settings: { model, ...settings },
  });
  context.after(() => editor.process.kill());
  await editor.waitFor("ready");
  const uriOf = (path: string): string => pathToFileURL(join(folder, path)).href;
  const touch = (path: string, type: number) =>
    editor.connection.sendNotification("workspace/didChangeWatchedFiles", {
      changes: [{ uri: uriOf(path), type }],
    });
  /** Asks for a completion and waits for what a pause makes of it. */
  const pause = async (path: string, text: string) => {
    const request = await editor.open(uriOf(path), text, "typescript");
    await editor.complete(request);
    await editor.rest();
    return request;
  };
  const select = () => editor.request<Selection>("pith/memories/selection", undefined);
  return { editor, folder, uriOf, touch, pause, select };
}

test("in a pause memories are made, and the next completion has them in front", async (context) => {
  const { editor, uriOf, pause, select } = await start(context);
  assert.deepEqual((await select()).uri, null);
  const request = await pause("here.ts", here);
  const kinds = [...new Set(editor.activities.map(({ kind }) => kind))];
  assert.deepEqual(kinds, ["reading", "encoding", "resting"]);
  const { uri, budget, memories } = await select();
  assert.deepEqual([uri, budget], [uriOf("here.ts"), 60]);
  const paths = memories.map(({ path }) => path);
  assert.deepEqual(paths.slice(0, 2), ["ways.pith.md", "ring.ts"]);
  await editor.connection.sendNotification("pith/budget/watch", { isVisible: true });
  await editor.complete(request);
  const { sources } = await editor.budget(2);
  const laid = sources.filter(({ kind }) => kind === "memory");
  const used = memories.filter(({ positions }) => positions > 0);
  assert.deepEqual(
    laid.map(({ place, after: positions }) => [place?.path, positions]),
    used.map(({ path, positions }) => [path, positions]),
  );
  const spent = laid.reduce((sum, { after: positions }) => sum + positions, 0);
  assert.ok(spent > 0 && spent <= 60, `${spent}`);
});

test("a file that changes on the disk counts in the next pause, without a keystroke", async (context) => {
  const { editor, folder, touch, pause, select } = await start(context);
  await pause("here.ts", here);
  await rm(join(folder, "other.ts"));
  await writeFile(join(folder, "fresh.ts"), "export function totalOf(): void {}\n");
  await touch("other.ts", 3);
  await touch("fresh.ts", 1);
  await editor.rest();
  const paths = (await select()).memories.map(({ path }) => path);
  assert.ok(paths.includes("fresh.ts") && !paths.includes("other.ts"), paths.join());
});

test("files that change all the time do not keep the pause from coming", async (context) => {
  const { editor, pause, touch, select } = await start(context);
  const { activities } = editor;
  const pausing = pause("here.ts", here);
  for (let times = 0; times < 25 && activities.at(-1)?.kind !== "resting"; times += 1) {
    await touch(`log-${times}.txt`, 2);
    await wait(200);
  }
  assert.equal(activities[0]?.kind, "reading");
  await pausing;
  assert.ok((await select()).memories.length > 0);
});

test("context for a model elsewhere stays within its budget, in whichever tokens", async (context) => {
  const { editor, uriOf, pause } = await start(context);
  await pause("here.ts", here);
  const count = async (text: string, encoding: "model" | keyof RemoteCounts) => {
    if (encoding === "model")
      return (await editor.request<TokenSplit>("pith/tokens", { text })).ids.length;
    return (await editor.request<RemoteCounts>("pith/tokens/remote", { text }))[encoding];
  };
  for (const encoding of ["model", "o200k", "cl100k"] as const) {
    const ask = (budget: number) =>
      editor.request<CompressedContext>("pith/memories/context", {
        ...{ uri: uriOf("here.ts"), line: 2, character: 14, budget, encoding },
      });
    const all = await ask(10_000);
    assert.match(all.text, /^\/\/ ways.pith.md:4-6\n[\s\S]*\/\/ ring.ts:1-3\n/);
    for (const { text, tokens, budget } of [
      { ...all, budget: 10_000 },
      { ...(await ask(all.tokens - 1)), budget: all.tokens - 1 },
      { ...(await ask(0)), budget: 0 },
    ]) {
      assert.equal(tokens, await count(text, encoding), encoding);
      assert.ok(tokens <= budget, `${tokens} of ${budget} ${encoding}`);
    }
    assert.equal((await ask(all.tokens - 1)).spans, all.spans - 1);
  }
});

test("demonstrations are listed before any completion", async (context) => {
  const { editor, uriOf } = await start(context);
  const list = () => editor.request<DemonstrationEntry[]>("pith/demonstrations/list", undefined);
  assert.deepEqual(await list(), [
    {
      ...{ kind: "demonstration", uri: uriOf("ways.pith.md"), path: "ways.pith.md" },
      ...{ title: "Ways", startLine: 3, endLine: 6, summary: "Ring twice" },
    },
  ]);
});
