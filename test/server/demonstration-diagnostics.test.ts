// Demonstration files in an editor's list of problems: a real process, as any editor starts it.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Settings } from "../../sidecar/protocol.ts";
import { problemAt } from "../../sidecar/selection/demonstration-problem.ts";
import { DemonstrationDiagnostics } from "../../sidecar/server/demonstration-diagnostics.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { Editor } from "./editor.ts";

const broken = "---\nlanguage: pyhton\n---\nName a loader\n=>\n***\nRun ```npm test```\n***\nEnd\n";
const told = ["1 2 unknown-language", "4 1 no-answer"];
const right = "---\nlanguage: python\n---\nName a loader\n=>\nload()\n";

test("an open file is told of while it is typed, also without a model", async (context) => {
  const editor = await start(context, { model: "none.gguf" });
  const uri = "file:///project/ways.pith.md";
  await editor.open(uri, broken, "markdown");
  await editor.problems(uri, told);
  await change(editor, uri, right);
  await editor.problems(uri, []);
  await change(editor, uri, "```\n");
  await editor.problems(uri, ["0 2 open-fence"]);
  await editor.connection.sendNotification("textDocument/didClose", { textDocument: { uri } });
  await editor.problems(uri, []);
});

test("a file that is on no disk yet is told of by its language", async (context) => {
  const editor = await start(context, { model: "none.gguf" });
  await editor.open("untitled:Untitled-1", "=>\nb", "pith-demonstrations");
  await editor.problems("untitled:Untitled-1", ["0 1 no-task"]);
});

test("other documents are not read as demonstrations", async (context) => {
  const editor = await start(context, { model: "none.gguf" });
  await editor.open("file:///project/a.md", broken, "markdown");
  await editor.open("file:///project/b.pith.md", broken, "markdown");
  await editor.problems("file:///project/b.pith.md", told);
  assert.deepEqual(
    editor.diagnostics.map(({ uri }) => uri),
    ["file:///project/b.pith.md"],
  );
});

test("files that nobody opened are told of in a pause, and taken back when mended", async (context) => {
  const folder = await scratchFolder(context, { "ways.pith.md": broken, "good.pith.md": right });
  const model = join(await scratchFolder(context, {}), "tiny.gguf");
  await writeFile(model, makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes);
  const editor = await start(context, { model }, pathToFileURL(folder).href);
  const uri = pathToFileURL(join(folder, "ways.pith.md")).href;
  await editor.problems(uri, told);
  await touch(editor, pathToFileURL(join(folder, "good.pith.md")).href);
  await editor.rest();
  await writeFile(join(folder, "ways.pith.md"), right);
  await touch(editor, uri);
  await editor.problems(uri, []);
  assert.ok(editor.diagnostics.every((each) => each.uri === uri));
  assert.equal(editor.diagnostics.length, 2, "what did not change is not said again");
});

test("what is typed counts more than what the disk has, until it is closed", async (context) => {
  const folder = await scratchFolder(context, { "ways.pith.md": broken });
  const model = join(await scratchFolder(context, {}), "tiny.gguf");
  await writeFile(model, makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes);
  const editor = await start(context, { model }, pathToFileURL(folder).href);
  const uri = pathToFileURL(join(folder, "ways.pith.md")).href;
  await editor.open(uri, right, "pith-demonstrations");
  await editor.problems(uri, []);
  await editor.waitFor("ready");
  await editor.rest();
  await editor.problems(uri, []);
  await editor.connection.sendNotification("textDocument/didClose", { textDocument: { uri } });
  await editor.problems(uri, told);
});

async function start(context: TestContext, settings: Partial<Settings>, folder?: string) {
  const home = await scratchFolder(context, {});
  const place = folder === undefined ? {} : { folder };
  const editor = await Editor.start({ home, settings, ...place });
  context.after(() => editor.process.kill());
  return editor;
}

test("what the disk had before the typing is not said of an open file", () => {
  const published: string[] = [];
  const diagnostics = new DemonstrationDiagnostics(({ uri, diagnostics: list }) => {
    published.push(`${uri} ${list.map(({ code }) => code).join()}`);
  });
  const uri = "file:///ways.pith.md";
  const document = TextDocument.create(uri, "markdown", 1, right);
  const problem = { ...problemAt(4, "no-task"), path: "ways.pith.md", file: "/ways.pith.md" };
  diagnostics.noteDisk([problem, { ...problem, file: "/other.pith.md" }]);
  diagnostics.noteDisk([problem, { ...problem, file: "/other.pith.md" }]);
  diagnostics.noteDocument(document, right);
  diagnostics.noteDisk([problem]);
  diagnostics.noteDocument(document, null);
  diagnostics.noteDisk([problem]);
  assert.deepEqual(published, [
    `${uri} no-task`,
    "file:///other.pith.md no-task",
    `${uri} `,
    "file:///other.pith.md ",
    `${uri} `,
    `${uri} no-task`,
  ]);
});

function touch(editor: Editor, uri: string): Promise<void> {
  return editor.connection.sendNotification("workspace/didChangeWatchedFiles", {
    changes: [{ uri, type: 2 }],
  });
}

function change(editor: Editor, uri: string, text: string): Promise<void> {
  return editor.connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version: 2 },
    contentChanges: [{ text }],
  });
}
