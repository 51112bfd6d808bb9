// Runs inside the extension host of VS Code, in the browser or on the desktop.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { suite, test } from "mocha";
import {
  ConfigurationTarget,
  commands,
  DiagnosticSeverity,
  extensions,
  languages,
  Range,
  type TextDocument,
  type Uri,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";

const sums = `export function add(a: number, b: number): number {
  return a + b;
}

export function subtract(a: number, b: number): number {
  return a - b;
}

export function multiply(a: number, b: number)`;

suite("Pith in the extension host", () => {
  test("the extension starts by itself, without a command or a file", async () => {
    const extension = extensions.getExtension("pith.pith");
    assert.ok(extension);
    await until(async () => {
      await delay(500);
      return extension.isActive;
    });
  });

  test("every command of the manifest is registered", async () => {
    const manifest = extensions.getExtension("pith.pith")?.packageJSON;
    const wanted = manifest.contributes.commands.map((each: { command: string }) => each.command);
    const registered = await commands.getCommands(true);
    assert.deepEqual(
      wanted.filter((command: string) => !registered.includes(command)),
      [],
    );
  });

  test("a completion that is asked for is put in by the command that takes it", async () => {
    const document = await openText(sums);
    await untilLonger(document, sums.length);
    assert.ok(document.getText().startsWith(sums));
  });

  test("what is wrong with a demonstration file is a problem of its line until it is mended", async () => {
    // The second is a language by an extension alone.
    const content = "---\nlanguage: [pyhton, pith-compressed]\n---\nName a loader\n=>\n";
    const document = await workspace.openTextDocument({ language: "pith-demonstrations", content });
    const wanted = [
      `Warning 1 No language is known as "pyhton"; the examples serve documents of exactly that identifier.`,
      "Error 4 The example has no answer behind => and is left out.",
    ];
    await until(async () => {
      await delay(500);
      return problemsOf(document.uri).join("\n") === wanted.join("\n");
    });
    const edit = new WorkspaceEdit();
    const all = new Range(0, 0, document.lineCount, 0);
    edit.replace(document.uri, all, '---\nlanguage: "python"\n---\nName a loader\n=>\nload()\n');
    await workspace.applyEdit(edit);
    await until(async () => {
      await delay(500);
      return problemsOf(document.uri).length === 0;
    });
  });

  test("nothing is put in where completions are switched off", async () => {
    const configuration = workspace.getConfiguration("pith");
    await configuration.update("enable", false, ConfigurationTarget.Global);
    const document = await openText(sums);
    await ask();
    await delay(2000);
    await commands.executeCommand("editor.action.inlineSuggest.commit");
    assert.equal(document.getText(), sums);
    await configuration.update("enable", undefined, ConfigurationTarget.Global);
    await untilLonger(document, sums.length);
  });
});

function problemsOf(uri: Uri): string[] {
  const problems = languages.getDiagnostics(uri).filter(({ source }) => source === "Pith");
  return problems.map(
    ({ severity, range, message }) =>
      `${DiagnosticSeverity[severity]} ${range.start.line} ${message}`,
  );
}

async function openText(content: string): Promise<TextDocument> {
  const document = await workspace.openTextDocument({ language: "typescript", content });
  const editor = await window.showTextDocument(document);
  await commands.executeCommand("cursorBottom");
  assert.equal(document.offsetAt(editor.selection.active), content.length);
  return document;
}

/**
 * Asks for a completion, tries for five seconds to take it, and asks again: another question breaks
 * off the one before, and the model may still be loading.
 */
async function untilLonger(document: TextDocument, length: number): Promise<void> {
  await until(async (tries) => {
    if (tries % 10 === 0) await ask();
    await delay(500);
    await commands.executeCommand("editor.action.inlineSuggest.commit");
    return document.getText().length > length;
  });
}

/** The editor asks only once about one version of a document, so there must be another. */
async function ask(): Promise<void> {
  await commands.executeCommand("type", { text: "x" });
  await commands.executeCommand("deleteLeft");
  await commands.executeCommand("editor.action.inlineSuggest.trigger");
}

async function until(isDone: (tries: number) => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 160; tries++) {
    if (await isDone(tries)) return;
    await delay(1);
  }
  assert.fail("did not come to pass within 80 s");
}
