// The cells of a notebook as one text. In: documents, and notebooks where the client tells of them.
// Out: what stands before and behind a cell. Cells of another language are left out.
import { type Connection, NotebookDocuments, type TextDocuments } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { notebookKey } from "./document-path.ts";

/** Characters of other cells on either side: more than any window reaches. */
const reach = 100_000;

export class NotebookCells {
  readonly #documents: TextDocuments<TextDocument>;
  readonly #notebooks: NotebookDocuments<TextDocument>;

  constructor(documents: TextDocuments<TextDocument>) {
    this.#documents = documents;
    this.#notebooks = new NotebookDocuments(documents);
  }

  listen(connection: Connection): void {
    this.#notebooks.listen(connection);
  }

  /** Empty for what is no cell. */
  around(document: TextDocument): { readonly before: string; readonly after: string } {
    const cells = this.#cellsWith(document);
    const at = cells.indexOf(document);
    if (at < 0) return { before: "", after: "" };
    const before = cells.slice(0, at).map(wholeCell).join("").slice(-reach);
    const after = cells
      .slice(at + 1)
      .map(wholeCell)
      .join("")
      .slice(0, reach);
    return { before, after: after === "" ? "" : `${gapBehind(document)}${after}` };
  }

  /** In their order; without a word on notebooks in that of their opening. */
  #cellsWith({ uri, languageId }: TextDocument): TextDocument[] {
    const notebook = this.#notebooks.findNotebookDocumentForCell(uri);
    const key = notebookKey(uri);
    const isBeside = (each: TextDocument): boolean => key !== null && notebookKey(each.uri) === key;
    const cells =
      notebook?.cells.flatMap((cell) => this.#documents.get(cell.document) ?? []) ??
      this.#documents.all().filter(isBeside);
    return cells.filter((cell) => cell.languageId === languageId);
  }
}

/** As in a script: an empty line between two. */
function wholeCell(cell: TextDocument): string {
  const text = cell.getText().trimEnd();
  return text === "" ? "" : `${text}\n\n`;
}

/** What is missing to an empty line between the cell and the next. */
function gapBehind(cell: TextDocument): string {
  const [ends = ""] = /\n*$/.exec(cell.getText().replaceAll("\r", "")) ?? [];
  return "\n".repeat(Math.max(0, 2 - ends.length));
}
