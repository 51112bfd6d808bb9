// The demonstrations of the workspace: adds the selection as one, takes one out, and says what is
// wrong with their files.
import {
  type Diagnostic,
  l10n,
  languages,
  Position,
  Range,
  type TextDocument,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import { type DemonstrationEntry, listDemonstrations } from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { problemWords } from "./demonstration-problem-text.ts";
import { addition, exampleText, isTask, withoutExample } from "./demonstration-text.ts";
import { tell } from "./messages.ts";

export async function addDemonstration(): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined || editor.document.getText(editor.selection).trim() === "")
    return tell(l10n.t("Pith: select the code that is to be a demonstration."));
  const { document, selection } = editor;
  const folder = workspace.getWorkspaceFolder(document.uri) ?? workspace.workspaceFolders?.[0];
  if (folder === undefined)
    return tell(l10n.t("Pith: demonstrations lie in the workspace. Open a folder first."));
  const task = await askTask();
  if (task === undefined) return;
  const { languageId } = document;
  const name = `.pith/${languageId}.pith.md`;
  const example = exampleText(task, document.getText(selection), languageId);
  const file = await appendExample(Uri.joinPath(folder.uri, name), example, languageId);
  await offerToOpen(file, name);
}

export async function removeDemonstration(client: Client): Promise<void> {
  await saveDemonstrations();
  const entries = await client.request(listDemonstrations);
  if (entries.length === 0)
    return tell(l10n.t("Pith: the workspace has no demonstrations (*.pith.md)."));
  const items = entries.map((entry) => ({ ...itemOf(entry), entry }));
  const title = l10n.t("Pith: Remove Demonstration");
  const item = await window.showQuickPick(items, { title, matchOnDescription: true });
  if (item !== undefined) await removeExample(item.entry);
}

/**
 * What the sidecar says of a file, in the editor's language; of languages the editor knows more, those
 * of its extensions at the start.
 */
export function tellProblems(): NonNullable<Middleware["handleDiagnostics"]> {
  const known = languages.getLanguages();
  return (uri, diagnostics, next) =>
    void known.then((ids) => {
      const names = new Set(ids.map((id) => JSON.stringify(id)));
      const isKnown = (each: Diagnostic) =>
        each.code === "unknown-language" && names.has(subjectOf(each));
      next(uri, diagnostics.filter((each) => !isKnown(each)).map(inWords));
    });
}

function inWords(diagnostic: Diagnostic): Diagnostic {
  const words = problemWords(diagnostic.code, subjectOf(diagnostic), l10n.t);
  diagnostic.message = words ?? diagnostic.message;
  return diagnostic;
}

/** What the protocol's `data` holds comes with it, though the editor's type does not have it. */
function subjectOf(diagnostic: Diagnostic): string {
  return "data" in diagnostic ? String(diagnostic.data) : "";
}

/** undefined when the user broke it off; empty for an example without a task. */
function askTask(): Thenable<string | undefined> {
  return window.showInputBox({
    title: l10n.t("Pith: Add Selection as Demonstration"),
    prompt: l10n.t("What the code is the answer to. May be left empty."),
    validateInput: (task) =>
      isTask(task) ? null : l10n.t("Such a line separates examples and cannot be a task."),
  });
}

/** @returns the file's document, saved, with the example at its end. */
async function appendExample(uri: Uri, example: string, language: string): Promise<TextDocument> {
  const edit = new WorkspaceEdit();
  edit.createFile(uri, { ignoreIfExists: true });
  await apply(edit, uri);
  const document = await workspace.openTextDocument(uri);
  const text = document.getText();
  const insertion = new WorkspaceEdit();
  insertion.insert(uri, document.positionAt(text.length), addition(text, example, language));
  await apply(insertion, uri);
  await document.save();
  return document;
}

async function offerToOpen(document: TextDocument, name: string): Promise<void> {
  const open = l10n.t("Open");
  const message = l10n.t("Pith: the demonstration stands in {0} now.", name);
  if ((await window.showInformationMessage(message, open)) !== open) return;
  const end = document.lineAt(document.lineCount - 1).range.end;
  await window.showTextDocument(document, { selection: new Range(end, end) });
}

/** The lines of the list are those on the disk. */
async function saveDemonstrations(): Promise<void> {
  const isOurs = ({ fileName, isDirty }: TextDocument) => isDirty && fileName.endsWith(".pith.md");
  await Promise.all(workspace.textDocuments.filter(isOurs).map((document) => document.save()));
}

function itemOf({ summary, path, startLine, endLine, title }: DemonstrationEntry) {
  const description = `${path}:${startLine + 1}-${endLine}`;
  return title === null
    ? { label: summary, description }
    : { label: summary, description, detail: title };
}

/** With its last example the file goes. */
async function removeExample(entry: DemonstrationEntry): Promise<void> {
  const uri = Uri.parse(entry.uri);
  const document = await workspace.openTextDocument(uri);
  const rest = withoutExample(document.getText().replaceAll("\r\n", "\n"), entry);
  const edit = new WorkspaceEdit();
  const whole = new Range(new Position(0, 0), document.lineAt(document.lineCount - 1).range.end);
  if (rest === null) edit.deleteFile(uri);
  else edit.replace(uri, whole, rest);
  await apply(edit, uri);
  if (rest !== null) await document.save();
  await tell(l10n.t("Pith: the demonstration is no longer in {0}.", entry.path));
}

async function apply(edit: WorkspaceEdit, uri: Uri): Promise<void> {
  if (!(await workspace.applyEdit(edit)))
    throw new Error(l10n.t("{0} could not be changed", workspace.asRelativePath(uri)));
}
