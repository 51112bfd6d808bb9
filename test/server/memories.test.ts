// Memories over the server's messages: a real process, real weights, a workspace and a home of its own.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type {
  BankFacts,
  CompressedContext,
  CompressReport,
  DemonstrationEntry,
  Selection,
  ShadedText,
} from "../../sidecar/protocol.ts";
import { realWeights } from "../support/weights.ts";
import { Editor } from "./editor.ts";
import { order, shipping } from "./parcels.ts";

let editor: Editor;
let folder = "";
let home = "";
let request: object;
const uriOf = (name: string) => pathToFileURL(join(folder, name)).href;
const settings = { memories: { enable: true, budget: 512, form: "kept" as const } };

before(async () => {
  const model = await realWeights("smollm2-135m");
  const scratch = await realpath(await mkdtemp(join(tmpdir(), "pith-memories-")));
  folder = join(scratch, "project");
  home = join(scratch, "home");
  await mkdir(join(folder, ".pith"), { recursive: true });
  await mkdir(home);
  await writeFile(join(folder, "shipping.ts"), shipping);
  await writeFile(join(folder, "hidden.ts"), shipping);
  await writeFile(join(folder, ".cursorignore"), "hidden.ts\n");
  await writeFile(join(folder, ".pith/typescript.pith.md"), "Add two numbers\n=>\na + b\n");
  const given = { ...settings, model };
  editor = await Editor.start({ settings: given, home, folder: pathToFileURL(folder).href });
  await editor.waitFor("ready");
  request = await editor.open(uriOf("order.ts"), order, "typescript");
});

after(async () => {
  editor.process.kill();
  await rm(join(folder, ".."), { recursive: true, force: true });
});

test("the pause behind a request puts what it needs in front of the next one", async () => {
  await editor.complete(request);
  assert.equal((await editor.report(1)).tokens.contextAfter, 0);
  await editor.rest();
  const kinds = new Set(editor.activities.map(({ kind }) => kind));
  assert.deepEqual(kinds, new Set(["reading", "encoding", "resting"]));
  const [item] = await editor.complete(request);
  assert.equal(item?.insertText, "CarrierByWeight(parcel);");
  const { tokens } = await editor.report(2);
  assert.ok(tokens.contextAfter > 0 && tokens.contextAfter <= 512);
  const selection = await editor.request<Selection>("pith/memories/selection", undefined);
  assert.equal(selection.uri, uriOf("order.ts"));
  const used = selection.memories.reduce((sum, { positions }) => sum + positions, 0);
  assert.equal(used, tokens.contextAfter);
  assert.ok(selection.memories.some(({ path }) => path === "shipping.ts"));
});

test("another budget counts from the next pause on, without a keystroke", async () => {
  const memories = { ...settings.memories, budget: 20 };
  const model = await realWeights("smollm2-135m");
  await editor.connection.sendNotification("pith/settings", { ...settings, model, memories });
  await editor.rest();
  const { budget, memories: selected } = await editor.request<Selection>(
    "pith/memories/selection",
    undefined,
  );
  assert.equal(budget, 20);
  const used = selected.reduce((sum, { positions }) => sum + positions, 0);
  assert.ok(used > 0 && used <= 20, `${used}`);
});

test("what a memory keeps is told token by token", async () => {
  const range = { startLine: 0, endLine: 8 };
  const texts = await editor.request<ShadedText[]>("pith/memories/kept", {
    targets: [{ uri: uriOf("shipping.ts"), range }],
    token: "kept-1",
  });
  const whole = texts.flatMap(({ tokens }) =>
    tokens.map(({ piece }) => Buffer.from(piece, "base64")),
  );
  assert.ok(Buffer.concat(whole).toString().includes("chooseCarrierByWeight"));
});

test("files are compressed with progress, and counted in the bank", async () => {
  const report = await editor.request<CompressReport>("pith/memories/compress", {
    targets: [{ uri: pathToFileURL(folder).href }],
    token: "compress-1",
  });
  assert.ok(report.spans >= 1 && report.positions < report.tokens);
  const left = [{ path: "hidden.ts", reason: "ai-ignored" }];
  assert.deepEqual(report.skipped, left);
  assert.ok(editor.progress.some(({ title }) => title === "Pith: making memories"));
  const facts = await editor.request<BankFacts>("pith/bank/facts", undefined);
  assert.ok(facts.memories >= report.spans && facts.byteLength <= facts.limit);
});

for (const encoding of ["o200k", "cl100k", "model"]) {
  test(`context for elsewhere stays within its budget, in ${encoding}`, async () => {
    const place = { uri: uriOf("order.ts"), line: 4, character: 24 };
    const ask = (budget: number) =>
      editor.request<CompressedContext>("pith/memories/context", { ...place, budget, encoding });
    const wide = await ask(1000);
    assert.ok(wide.spans > 0 && wide.text.includes("chooseCarrierByWeight"));
    const narrow = await ask(wide.tokens - 1);
    assert.ok(narrow.tokens < wide.tokens && narrow.spans < wide.spans);
  });
}

test("demonstrations are listed with their places", async () => {
  const list = await editor.request<DemonstrationEntry[]>("pith/demonstrations/list", undefined);
  assert.deepEqual(
    list.map(({ path, startLine, endLine, summary }) => ({ path, startLine, endLine, summary })),
    [{ path: ".pith/typescript.pith.md", startLine: 0, endLine: 3, summary: "Add two numbers" }],
  );
});

test("what was just written into a demonstration file is listed, without a pause", async () => {
  const list = () => editor.request<DemonstrationEntry[]>("pith/demonstrations/list", undefined);
  const name = ".pith/python.pith.md";
  await editor.open(uriOf(name), "Count\n=>\nlen(a)\n***\nSum\n=>\nsum(a)\n$0", "markdown");
  const inFile = async () => (await list()).filter(({ path }) => path === name);
  assert.deepEqual(
    (await inFile()).map(({ summary, startLine }) => [summary, startLine]),
    [
      ["Count", 0],
      ["Sum", 4],
    ],
  );
  await editor.open(uriOf(name), "Sum\n=>\nsum(a)\n$0", "markdown");
  assert.deepEqual(
    (await inFile()).map(({ summary, startLine }) => [summary, startLine]),
    [["Sum", 0]],
  );
});

for (const [name, reason] of [
  ["hidden.ts", "ignored-file"],
  [".env", "secret"],
] as const) {
  test(`nothing is completed in ${name}: ${reason}`, async () => {
    const count = editor.reports.length;
    const there = await editor.open(uriOf(name), "const a = $0", "typescript");
    assert.deepEqual(await editor.complete(there), []);
    assert.equal((await editor.report(count + 1)).reason, reason);
  });
}

test("a purge empties the bank's folder", async () => {
  await editor.request("pith/bank/purge", undefined);
  assert.deepEqual(await readdir(join(home, "bank")), []);
});
