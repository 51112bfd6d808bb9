// Runs inside the extension host of VS Code, in the browser or on the desktop.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { suite, test } from "mocha";
import {
  ConfigurationTarget,
  commands,
  extensions,
  type TextDocument,
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
