// Embedded memories over the server's messages, on real weights: without an adapter the reason, with
// the committed one virtual tokens in front of the code, and the text decoded from them.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { CancellationTokenSource, LSPErrorCodes } from "vscode-languageserver-protocol";
import type { DecodedText, Selection, SidecarState } from "../../sidecar/protocol.ts";
import { realWeights } from "../support/weights.ts";
import { Editor } from "./editor.ts";
import { order, shipping } from "./parcels.ts";

let editor: Editor;
let scratch = "";
let request: object;
const uriOf = (name: string) => pathToFileURL(join(scratch, "project", name)).href;
const kept = (token: string) => ({
  targets: [{ uri: uriOf("shipping.ts"), range: { startLine: 0, endLine: 8 } }],
  token,
});

before(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), "pith-embedded-")));
  await mkdir(join(scratch, "project"));
  await mkdir(join(scratch, "home"));
  await writeFile(join(scratch, "project/shipping.ts"), shipping);
  const model = join(scratch, "model.gguf");
  await symlink(await realWeights("smollm2-135m"), model);
  const memories = { enable: true, budget: 512, form: "embedded" as const };
  editor = await Editor.start({
    settings: { model, memories },
    home: join(scratch, "home"),
    folder: pathToFileURL(join(scratch, "project")).href,
  });
  await editor.waitFor("ready");
  request = await editor.open(uriOf("order.ts"), order, "typescript");
});

after(async () => {
  editor.process.kill();
  await rm(scratch, { recursive: true, force: true });
});

test("a model without an adapter completes without memories, and the reason is told", async () => {
  await editor.complete(request);
  await editor.rest("unavailable");
  const told = editor.activities.at(-1);
  assert.ok(told?.kind === "unavailable");
  assert.match(told.message, /model\.gguf has no adapter; .*model\.safetensors.*; the form kept/);
  assert.ok(!editor.activities.some(({ kind }) => kind === "encoding"));
  await editor.complete(request);
  const { reason, tokens } = await editor.report(2);
  assert.equal(tokens.contextAfter, 0);
  assert.ok(reason !== "engine-failed");
  await assert.rejects(editor.request("pith/memories/kept", kept("kept-1")), /has no adapter/);
  const states: SidecarState["kind"][] = editor.states.map(({ kind }) => kind);
  assert.ok(!states.includes("failed"));
});

test("with an adapter beside the model's file virtual tokens stand in front", async () => {
  const adapter = resolve("sidecar/adapters/smollm2-135m/uni-plus-pool.safetensors");
  await symlink(adapter, join(scratch, "model.safetensors"));
  await editor.complete(request);
  await editor.rest();
  assert.ok(editor.activities.some(({ kind }) => kind === "encoding"));
  await editor.complete(request);
  const { tokens } = await editor.report(4);
  assert.ok(tokens.contextAfter > 0 && tokens.contextAfter <= 512, `${tokens.contextAfter}`);
  assert.ok(3 * tokens.contextAfter < tokens.contextBefore, `${tokens.contextBefore}`);
  const selection = await editor.request<Selection>("pith/memories/selection", undefined);
  const used = selection.memories.reduce((sum, { positions }) => sum + positions, 0);
  assert.equal(used, tokens.contextAfter);
});

test("the text is decoded from virtual tokens, with progress", async () => {
  const texts = await editor.request<DecodedText[]>("pith/memories/kept", kept("kept-2"));
  assert.ok(texts.length > 0);
  for (const { kind, text, decoded, tokenCount, positions } of texts) {
    assert.equal(kind, "decoded");
    assert.ok(text.startsWith("// shipping.ts\n"));
    assert.ok(positions <= Math.ceil(tokenCount / 4) + 1, `${positions} for ${tokenCount}`);
    assert.equal(typeof decoded, "string");
  }
  assert.ok(texts.some(({ text }) => text.includes("chooseCarrierByWeight")));
  assert.ok(editor.progress.some(({ title }) => title === "Pith: reading memories"));
});

test("decoding is broken off at a wish, and at a wish that comes at once", async () => {
  for (const token of ["begun", "at once"]) {
    const source = new CancellationTokenSource();
    const asked = editor.connection.sendRequest("pith/memories/kept", kept(token), source.token);
    const reports = () =>
      editor.progress.filter((each) => each.token === token && each.kind === "report");
    while (token === "begun" && reports().length === 0)
      await new Promise((turn) => setTimeout(turn, 5));
    source.cancel();
    await assert.rejects(asked, { code: LSPErrorCodes.RequestCancelled });
    assert.ok(reports().every(({ percentage = 0 }) => percentage < 100));
  }
});
