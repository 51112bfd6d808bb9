// Show Tokens: splits the selection, else the line, with the open model's own tokenizer and shows the
// tokens on a page of their own.
import { l10n, ProgressLocation, type TextEditor, window } from "vscode";
import * as protocol from "../sidecar/protocol.ts";
import type { Client } from "./client.ts";
import { tell } from "./messages.ts";
import type { Pages } from "./pages.ts";
import { tokenText } from "./token-text.ts";

/** UTF-16 code units: a page of some ten thousand lines can still be read and searched. */
const greatestLength = 50_000;

export async function showTokens(client: Client, pages: Pages): Promise<void> {
  const editor = window.activeTextEditor;
  const chosen = editor && chosenText(editor);
  if (chosen === undefined || chosen.text === "")
    return tell(l10n.t("Pith: select the text whose tokens you want to see."));
  const { text, source, name } = chosen;
  // The first time with a model its whole table of embeddings is read, which takes seconds.
  const title = l10n.t("Pith: splitting into tokens");
  const [split, underTrained] = await window.withProgress(
    { location: ProgressLocation.Window, title },
    () =>
      Promise.all([
        client.request(protocol.splitTokens, { text }),
        client.request(protocol.underTrained),
      ]),
  );
  const { condition } = client;
  const model = "model" in condition ? condition.model : "";
  const page = { source, model, split, underTrained: new Set(underTrained) };
  await pages.show(l10n.t("{0} (tokens)", name), tokenText(page, l10n.t));
}

function chosenText({ document, selection }: TextEditor) {
  const range = selection.isEmpty ? document.lineAt(selection.active.line).range : selection;
  const name = document.fileName.slice(document.fileName.search(/[^/\\]*$/));
  const [first, last] = [range.start.line + 1, range.end.line + 1];
  const source = first === last ? `${name}:${first}` : `${name}:${first}-${last}`;
  return { text: document.getText(range).slice(0, greatestLength), source, name };
}
