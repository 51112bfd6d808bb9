import assert from "node:assert/strict";
import { access, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CancellationTokenSource, LSPErrorCodes } from "vscode-languageserver-protocol";
import { addModel, openStore } from "../../sidecar/catalogue/store.ts";
import type { ModelEntry, TokenSplit } from "../../sidecar/protocol.ts";
import { realWeights } from "../support/weights.ts";
import { Editor } from "./editor.ts";

const addition = "def add(a, b):\n    return$0\n";
let editor: Editor;
let scratch = "";

before(async () => {
  await realWeights("smollm2-135m");
  scratch = await mkdtemp(join(tmpdir(), "pith-server-"));
  editor = await Editor.start();
  await editor.waitFor("ready");
});

after(async () => {
  editor.process.kill();
  await rm(scratch, { recursive: true, force: true });
});

test("the server says that it completes inline and takes changes only", () => {
  const { textDocumentSync, inlineCompletionProvider, positionEncoding } = editor.capabilities;
  assert.deepEqual(
    { textDocumentSync, inlineCompletionProvider, positionEncoding },
    { textDocumentSync: 2, inlineCompletionProvider: true, positionEncoding: "utf-16" },
  );
});

test("a completion is inserted at the cursor and reported with its counts", async () => {
  const count = editor.reports.length;
  const request = await editor.open("file:///project/src/sum.py", addition);
  const [item] = await editor.complete(request);
  const place = { line: 1, character: 10 };
  assert.deepEqual(item, { insertText: " a + b", range: { start: place, end: place } });
  const { uri, reason, text, tokens, ms, latencyMs } = await editor.report(count + 1);
  assert.deepEqual([uri, reason, text], ["file:///project/src/sum.py", null, " a + b"]);
  assert.ok(tokens.prefix > 5 && tokens.generated >= 4 && tokens.computed > tokens.prefix);
  assert.ok(ms.prefill > 0 && ms.decode > 0 && latencyMs >= ms.total);
});

test("a token-budget view that is to be seen is told where a completion went, a hidden one is not", async () => {
  const request = await editor.open("file:///project/src/budget.py", addition);
  await editor.complete(request);
  assert.equal(editor.budgets.length, 0);
  await editor.connection.sendNotification("pith/budget/watch", { isVisible: true });
  const count = editor.reports.length;
  await editor.complete(request);
  const { tokens, latencyMs } = await editor.report(count + 1);
  const { sources, stages, window, reason, shown, computed, reused } = await editor.budget(2);
  assert.deepEqual([window, reason, shown], [4096, null, " a + b".length]);
  assert.deepEqual([computed, reused], [tokens.computed, tokens.reused]);
  const prefix = sources.find(({ kind }) => kind === "prefix");
  assert.equal(prefix?.before, tokens.prefix);
  const ms = stages.reduce((sum, stage) => sum + stage.ms, 0);
  assert.ok(Math.abs(ms - latencyMs) < 1);
  await editor.connection.sendNotification("pith/budget/watch", { isVisible: false });
  await editor.complete(request);
  await editor.report(count + 2);
  assert.equal(editor.budgets.length, 2);
});

test("what is typed reaches the next completion", async () => {
  const uri = "file:///project/src/typed.py";
  const request = await editor.open(uri, addition);
  const place = { line: 1, character: 10 };
  await editor.connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version: 100 },
    contentChanges: [{ range: { start: place, end: place }, text: " a +" }],
  });
  const [item] = await editor.complete({ ...request, position: { line: 1, character: 14 } });
  assert.equal(item?.insertText, " b");
});

test("the entry chosen in a suggestion list is part of the text", async () => {
  const request = await editor.open("file:///project/src/list.py", "import os\n\npath = os.$0\n");
  const range = { start: { line: 2, character: 10 }, end: { line: 2, character: 10 } };
  const selectedCompletionInfo = { range, text: "getcwd" };
  const context = { triggerKind: 2, selectedCompletionInfo };
  const [item] = await editor.complete({ ...request, context });
  assert.match(item?.insertText ?? "", /^getcwd\(\)/);
  assert.deepEqual(item?.range, range);
});

test("a document that is not open is refused, and the sidecar lives on", async () => {
  const request = await editor.open("file:///project/a.py", addition);
  const unknown = { ...request, textDocument: { uri: "file:///project/never.py" } };
  await assert.rejects(editor.complete(unknown), { code: LSPErrorCodes.RequestFailed });
  assert.equal((await editor.complete(request)).length, 1);
});

test("a newer request overtakes the older one", async () => {
  const count = editor.reports.length;
  const long = await editor.open("file:///project/long.py", `${program(300)}$0`);
  const short = await editor.open("file:///project/short.py", addition);
  const [older, newer] = await Promise.all([editor.complete(long), editor.complete(short)]);
  assert.deepEqual(older, []);
  assert.equal(newer[0]?.insertText, " a + b");
  await editor.report(count + 2);
  const reasons = editor.reports.slice(count).map(({ uri, reason }) => [uri, reason]);
  assert.deepEqual(reasons, [
    ["file:///project/long.py", "superseded"],
    ["file:///project/short.py", null],
  ]);
});

test("a request that is taken back is broken off and ends as cancelled", async () => {
  const count = editor.reports.length;
  const rowsBefore = await rowsRun();
  const request = await editor.open("file:///project/cancel.py", `${program(400)}# other\n$0`);
  const source = new CancellationTokenSource();
  const method = "textDocument/inlineCompletion";
  const answer = editor.connection.sendRequest(method, request, source.token);
  setTimeout(() => source.cancel(), 20);
  await assert.rejects(answer, { code: LSPErrorCodes.RequestCancelled });
  assert.equal((await editor.report(count + 1)).reason, "cancelled");
  // The prompt has near 400 rows.
  assert.ok((await rowsRun()) - rowsBefore < 300);
});

test("garbage between two messages is survived", async () => {
  const [first] = await editor.complete(await editor.open("file:///project/b.py", addition));
  editor.process.stdin.write("Content-Length: 9\r\n\r\n{not json");
  editor.process.stdin.write('Content-Length: 17\r\n\r\n{"jsonrpc":"2.0"}');
  const [second] = await editor.complete(await editor.open("file:///project/c.py", addition));
  assert.deepEqual(second, first);
});

test("a request that nobody knows is answered as such", async () => {
  await assert.rejects(editor.request("pith/unknown"), { code: -32601 });
});

test("texts are split by the open model", async () => {
  const split = await editor.request<TokenSplit>("pith/tokens", { text: "return a + b" });
  const bytes = split.pieces.map((piece) => Buffer.from(piece, "base64").toString());
  assert.deepEqual(bytes, ["return", " a", " +", " b"]);
  assert.equal(split.ids.length, 4);
});

test("tokens that the model has hardly seen are named by their ids", async () => {
  const ids = await editor.request<number[]>("pith/tokens/underTrained", undefined);
  const { ids: rare } = await editor.request<TokenSplit>("pith/tokens", { text: "swigfaiss" });
  const { ids: common } = await editor.request<TokenSplit>("pith/tokens", { text: "return" });
  assert.ok(ids.includes(rare[0] ?? -1) && !ids.includes(common[0] ?? -1));
});

test("texts are counted as models elsewhere would", async () => {
  const counts = await editor.request("pith/tokens/remote", { text: "2 + 2 = 4" });
  assert.deepEqual(counts, { o200k: 7, cl100k: 7 });
});

test("the list of models says which are here", async () => {
  const models = await editor.request<ModelEntry[]>("pith/models/list", undefined);
  const entry = models.find(({ id }) => id === "smollm2-135m");
  assert.equal(entry?.state, "present");
  assert.deepEqual(Object.keys(entry ?? {}).sort(), [
    ...["byteLength", "file", "id", "licence", "state", "title"],
  ]);
});

test("a download of an unknown model is refused with the known ones", async () => {
  const download = editor.request("pith/models/download", { id: "gpt-9", token: "t" });
  await assert.rejects(download, {
    code: LSPErrorCodes.RequestFailed,
    message: /gpt-9.*smollm2-135m/,
  });
});

test("diagnostics tell the model and its state, and no path of the user's", async () => {
  const facts = await editor.request<Record<string, string>>("pith/diagnostics", undefined);
  const { state, model } = facts;
  assert.deepEqual([state, model], ["ready", "smollm2-135m"]);
  assert.doesNotMatch(JSON.stringify(facts), /file:|\/project/);
});

test("under trace the log tells how long each stage of the start took", () => {
  const stages = /opened smollm2-135m, \w+, \d+ threads: locate \d+ ms, .*engine \d+ ms; \d+ ms/;
  assert.match(editor.log, stages);
});

const refusals = [
  ["disabled", { enable: false }],
  ["language-off", { languages: { python: false } }],
  ["language-off", { languages: { "*": false } }],
  ["untrusted", { isTrusted: false }],
] as const;
for (const [reason, change] of refusals) {
  test(`with ${JSON.stringify(change)} the answer is empty: ${reason}`, async () => {
    const count = editor.reports.length;
    const settings = { model: "smollm2-135m", trace: "messages" };
    await editor.connection.sendNotification("pith/settings", { ...settings, ...change });
    const request = await editor.open("file:///project/off.py", addition);
    assert.deepEqual(await editor.complete(request), []);
    assert.equal((await editor.report(count + 1)).reason, reason);
    await editor.connection.sendNotification("pith/settings", settings);
    assert.equal((await editor.complete(request)).length, 1);
  });
}

test("the verbose log shows what became of text that ends inside a token, the short one does not", async () => {
  const request = await editor.open("file:///project/word.js", "function f() {\n  conso$0");
  const logged = editor.log.length;
  await editor.complete(request);
  assert.doesNotMatch(editor.log.slice(logged), /alignment/);
  await editor.connection.sendNotification("pith/settings", {
    ...{ model: "smollm2-135m", trace: "verbose" },
  });
  await editor.complete(request);
  const line =
    /alignment exact: \d+ ids kept \[(…, )?\d+[\d, ]*\], tail "[^"]*conso" made again as \[\d+[\d, ]*\], log weight -\d/;
  assert.match(editor.log.slice(logged), line);
  await editor.connection.sendNotification("pith/settings", {
    ...{ model: "smollm2-135m", trace: "messages" },
  });
});

test("a file of a million characters is too large", async () => {
  const count = editor.reports.length;
  const text = `${"#".repeat(1_000_001)}\n$0`;
  const request = await editor.open("file:///project/large.py", text);
  assert.deepEqual(await editor.complete(request), []);
  assert.equal((await editor.report(count + 1)).reason, "too-large");
});

test("a model that is here needs no download", async () => {
  const entry = await editor.request<ModelEntry>("pith/models/download", {
    ...{ id: "smollm2-135m", token: "present" },
  });
  assert.deepEqual([entry.id, entry.state], ["smollm2-135m", "present"]);
});

test("a model that is deleted is missing from then on, and a file of the user's stays", async () => {
  const home = join(scratch, "delete");
  const file = await realWeights("smollm2-135m");
  await addModel(await openStore({ folder: home }), file);
  const other = await Editor.start({ home });
  await other.waitFor("ready");
  await other.request("pith/models/delete", { id: "smollm2-135m" });
  await other.waitFor("model-missing");
  const request = await other.open("file:///project/a.py", addition);
  assert.deepEqual(await other.complete(request), []);
  assert.deepEqual(await readdir(join(home, "prepared")), []);
  await access(file);
  assert.equal(await other.stop(), 0);
});

test("a shutdown does not wait for a completion", async () => {
  const other = await Editor.start();
  await other.waitFor("ready");
  const request = await other.open("file:///project/a.py", `${program(400)}$0`);
  const answer = other.complete(request).catch(() => []);
  assert.equal(await other.stop(), 0);
  assert.deepEqual(await answer, []);
});

test("a missing model is a state with its size, and the reason of empty answers", async () => {
  const other = await Editor.start({ home: join(scratch, "empty") });
  const state = await other.waitFor("model-missing");
  assert.deepEqual(state, {
    ...{ kind: "model-missing", model: "smollm2-135m", byteLength: 98_362_432 },
  });
  const request = await other.open("file:///project/a.py", addition);
  assert.deepEqual(await other.complete(request), []);
  assert.equal((await other.report(1)).reason, "model-missing");
  const split = other.request("pith/tokens", { text: "a" });
  await assert.rejects(split, { code: LSPErrorCodes.RequestFailed });
  assert.equal(await other.stop(), 0);
});

test("a file that is no model is a failure with its name, and another model mends it", async () => {
  const file = join(scratch, "broken.gguf");
  await writeFile(file, "GGUF and nothing more");
  const other = await Editor.start({ settings: { model: file } });
  const state = await other.waitFor("failed");
  assert.ok(state.kind === "failed" && state.message.includes("broken.gguf"));
  const request = await other.open("file:///project/a.py", addition);
  assert.deepEqual(await other.complete(request), []);
  assert.equal((await other.report(1)).reason, "engine-failed");
  other.states.length = 0;
  await other.connection.sendNotification("pith/settings", { model: "smollm2-135m" });
  await other.waitFor("ready");
  assert.equal((await other.complete(request)).length, 1);
  assert.equal(await other.stop(), 0);
});

test("the first start prepares the model, with progress", async () => {
  const model = await realWeights("smollm2-135m");
  const other = await Editor.start({ home: join(scratch, "fresh"), settings: { model } });
  const request = await other.open("file:///project/a.py", addition);
  await other.waitFor("preparing");
  assert.deepEqual(await other.complete(request), []);
  assert.equal((await other.report(1)).reason, "model-loading");
  await other.waitFor("ready");
  const fractions = other.states.flatMap((state) =>
    state.kind === "preparing" ? [state.fraction] : [],
  );
  assert.ok(fractions.length > 10 && fractions.at(-1) === 1);
  assert.deepEqual(fractions, [...fractions].sort());
  assert.match(other.progress[0]?.title ?? "", /preparing/);
  assert.equal(other.progress.at(-1)?.kind, "end");
  assert.equal(await other.stop(), 0);
});

test("a sidecar that is killed in the middle of a completion leaves nothing that hinders the next", async () => {
  const first = await Editor.start();
  await first.waitFor("ready");
  const request = await first.open("file:///project/a.py", `${program(400)}$0`);
  first.complete(request).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  first.process.kill("SIGKILL");
  await first.exited;
  const second = await Editor.start();
  await second.waitFor("ready");
  const [item] = await second.complete(await second.open("file:///project/a.py", addition));
  assert.equal(item?.insertText, " a + b");
  assert.equal(await second.stop(), 0);
});

test("`exit` without `shutdown` is a failure", async () => {
  const other = await Editor.start({ home: join(scratch, "empty") });
  await other.connection.sendNotification("exit");
  assert.equal(await other.exited, 1);
});

test("the end of the editor's pipe ends the sidecar", async () => {
  const other = await Editor.start({ home: join(scratch, "empty") });
  other.process.stdin.end();
  assert.equal(await other.exited, 1);
});

/** Rows that went through the model since it was opened. */
async function rowsRun(): Promise<number> {
  const facts = await editor.request<Record<string, string>>("pith/diagnostics", undefined);
  return Number.parseInt(facts["rows run"] ?? "", 10);
}

/** Python that takes a while to read. */
function program(lines: number): string {
  return Array.from({ length: lines }, (_, line) => `value_${line} = compute(${line * 37})\n`).join(
    "",
  );
}
