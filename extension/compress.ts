// Makes memories of lines, files and folders at a person's wish, rather than when the sidecar is idle.
import { env, l10n, type Selection, Uri, window, workspace } from "vscode";
import { type CompressReport, compress, type LineRange } from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { compressSentence, skippedText } from "./compress-text.ts";
import { tell } from "./messages.ts";
import type { Pages } from "./pages.ts";
import { requestWithProgress } from "./progress.ts";

interface Target {
  uri: Uri;
  range?: LineRange;
}

interface Context {
  client: Client;
  pages: Pages;
}

export async function compressSelection(context: Context): Promise<void> {
  const editor = window.activeTextEditor;
  if (editor === undefined || editor.selection.isEmpty)
    return tell(l10n.t("Pith: select the lines that are to become a memory."));
  const range = linesOf(editor.selection);
  await make(context, [{ uri: editor.document.uri, range }]);
}

/** `chosen` is what the explorer's menu gives: the entry, and all that are selected. */
export async function compressFile(context: Context, ...chosen: unknown[]): Promise<void> {
  const front = window.activeTextEditor?.document.uri;
  const uris = chosenUris(chosen) ?? (front === undefined ? [] : [front]);
  if (uris.length === 0) return tell(l10n.t("Pith: open the file that is to become a memory."));
  await make(
    context,
    uris.map((uri) => ({ uri })),
  );
}

/** Without a folder chosen in the explorer: a folder of the workspace. */
export async function compressFolder(context: Context, ...chosen: unknown[]): Promise<void> {
  const uris = chosenUris(chosen) ?? (await workspaceFolder());
  if (uris !== null)
    await make(
      context,
      uris.map((uri) => ({ uri })),
    );
}

/** Lines that the selection touches; one that ends before a line's first character does not. */
export function linesOf({ start, end, isEmpty }: Selection): LineRange {
  const isBefore = end.character === 0 && !isEmpty;
  return { startLine: start.line, endLine: isBefore ? end.line : end.line + 1 };
}

async function make({ client, pages }: Context, targets: Target[]): Promise<void> {
  const title = l10n.t("Pith: making memories");
  const named = targets.map(({ uri, ...rest }) => ({ uri: `${uri}`, ...rest }));
  const report = await requestWithProgress(client, title, compress, { targets: named });
  if (report !== null) await tellReport(pages, report);
}

async function tellReport(pages: Pages, report: CompressReport): Promise<void> {
  const show = l10n.t("Show What Was Left Out");
  const sentence = compressSentence(report, { t: l10n.t, locale: env.language });
  const actions = report.skipped.length === 0 ? [] : [show];
  const answer = await window.showInformationMessage(`Pith: ${sentence}`, ...actions);
  if (answer === show)
    await pages.show(l10n.t("Left out of memories"), skippedText(report, l10n.t));
}

function chosenUris([entry, entries]: unknown[]): Uri[] | null {
  if (Array.isArray(entries) && entries.every((each) => each instanceof Uri)) return entries;
  return entry instanceof Uri ? [entry] : null;
}

/** null when the user chose none, or there is none. */
async function workspaceFolder(): Promise<Uri[] | null> {
  const folders = workspace.workspaceFolders ?? [];
  if (folders.length === 0) await tell(l10n.t("Pith: open a folder first."));
  const folder = folders.length > 1 ? await window.showWorkspaceFolderPick() : folders[0];
  return folder === undefined ? null : [folder.uri];
}
