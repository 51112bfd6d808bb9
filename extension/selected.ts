// Show What Was Selected, and Show What the Memory Keeps.
import { commands, l10n, type TextEditor, Uri, window, workspace } from "vscode";
import {
  type DecodedText,
  type DocumentLines,
  readKept,
  readSelection,
} from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { linesOf } from "./compress.ts";
import { readSettings } from "./config.ts";
import { decodedPages } from "./decoded-text.ts";
import { keptPage } from "./kept-text.ts";
import type { Pages } from "./pages.ts";
import { requestWithProgress } from "./progress.ts";
import { placeInLine, selectionText } from "./selection-text.ts";
import type { Shades } from "./shades.ts";

interface Context {
  client: Client;
  pages: Pages;
  shades: Shades;
}

/** package.json's language of the compressed view. */
const language = "pith-compressed";

export async function showSelection({ client, pages }: Context): Promise<void> {
  const selection = await client.request(readSelection);
  const configuration = workspace.getConfiguration("pith");
  const { memories } = readSettings(configuration, workspace.isTrusted);
  const text = selectionText(selection, { settings: memories, activity: client.activity }, l10n.t);
  await pages.show(l10n.t("Selected memories"), text, language);
}

/** Of the lines selected in an editor, or of the memories on the selected lines of our own page. */
export async function showKept({ client, pages, shades }: Context): Promise<void> {
  const editor = window.activeTextEditor;
  const targets = editor === undefined ? [] : await placesIn(editor);
  const reading = l10n.t("Pith: reading memories");
  const texts = await requestWithProgress(client, reading, readKept, { targets });
  if (texts === null) return;
  if (texts.length === 0) return offerToMake();
  const title = l10n.t("What the memory keeps");
  const decoded = texts.filter((each) => each.kind === "decoded");
  if (decoded.length > 0) return showDecoded(pages, title, decoded);
  const page = keptPage(texts.filter((each) => each.kind === "kept"));
  const shown = await pages.show(title, page.text, language);
  shades.show(shown, page.shades);
}

async function showDecoded(pages: Pages, title: string, texts: DecodedText[]): Promise<void> {
  const { text, decoded } = decodedPages(texts);
  const sides = [
    { name: l10n.t("Text of the memory"), text },
    { name: l10n.t("Decoded from the memory"), text: decoded },
  ] as const;
  await pages.showDiff(title, sides, language);
}

async function offerToMake(): Promise<void> {
  const make = l10n.t("Compress Selection into Memory");
  const message = l10n.t("Pith: none of these lines is in a memory yet.");
  if ((await window.showInformationMessage(message, make)) === make)
    await commands.executeCommand("pith.compressSelection");
}

async function placesIn({ document, selection }: TextEditor): Promise<DocumentLines[]> {
  const range = linesOf(selection);
  if (document.languageId !== language) return [{ uri: `${document.uri}`, range }];
  const count = range.endLine - range.startLine;
  const lines = Array.from(
    { length: count },
    (_, index) => document.lineAt(range.startLine + index).text,
  );
  const places = lines.map(placeInLine).filter((place) => place !== null);
  const found = await Promise.all(
    places.map(async ({ path, ...range }) => {
      const uri = await fileAt(path);
      return uri === null ? null : { uri: `${uri}`, range };
    }),
  );
  return found.filter((place) => place !== null);
}

/** In the first workspace folder that has it, or that has it under the folder's own name. */
async function fileAt(path: string): Promise<Uri | null> {
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri);
  const besides = folders.map((uri) => Uri.joinPath(uri, ".."));
  for (const uri of [...folders, ...besides]) {
    const file = Uri.joinPath(uri, path);
    const isThere = await workspace.fs.stat(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return null;
}
