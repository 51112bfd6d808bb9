// The documents that are open and the folders of the workspace. In: what the client tells of both. Out:
// the text around a cursor, a notebook's other cells with it, and where a document lies.
import {
  type Connection,
  type Position,
  TextDocuments,
  type WorkspaceFolder,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { FormatError, UnsupportedError } from "../errors.ts";
import type { Cursor } from "../project/near-text.ts";
import { type DocumentPlace, documentPath, documentPlace, filePath } from "./document-path.ts";
import { NotebookCells } from "./notebook-cells.ts";

export class OpenDocuments {
  readonly #documents = new TextDocuments(TextDocument);
  readonly #cells = new NotebookCells(this.#documents);
  /** URIs. */
  readonly #folders = new Set<string>();

  /** `onText`: told of every new text, and of null for a document that was closed. */
  listen(
    connection: Connection,
    onText: (document: TextDocument, text: string | null) => void,
  ): void {
    this.#documents.onDidChangeContent(({ document }) => onText(document, document.getText()));
    this.#documents.onDidClose(({ document }) => onText(document, null));
    this.#documents.listen(connection);
    this.#cells.listen(connection);
  }

  all(): TextDocument[] {
    return this.#documents.all();
  }

  /** @throws FormatError for one that is not open */
  at(uri: string): TextDocument {
    const document = this.#documents.get(uri);
    if (document === undefined) throw new FormatError(`document ${uri}: not open`);
    return document;
  }

  changeFolders(added: readonly WorkspaceFolder[], removed: readonly WorkspaceFolder[] = []): void {
    for (const { uri } of removed) this.#folders.delete(uri);
    for (const { uri } of added) this.#folders.add(uri);
  }

  /** Absolute, of those folders of the workspace that are on this machine. */
  get folderPaths(): string[] {
    return [...this.#folders].flatMap((uri) => filePath(uri) ?? []);
  }

  /** As the header of a prompt names it. */
  pathOf({ uri }: TextDocument): string {
    return documentPath(uri, [...this.#folders]);
  }

  /** null for what can have no memories. */
  placeOf({ uri }: TextDocument): DocumentPlace | null {
    return documentPlace(uri, this.folderPaths);
  }

  /** What is told of a document that can have no memories; null where there is nothing to tell. */
  whyNoMemories(place: DocumentPlace | null): string | null {
    const isElsewhere = this.#folders.size > 0 && this.folderPaths.length === 0;
    return place === null && isElsewhere
      ? "memories: no folder of the workspace is on this machine"
      : null;
  }

  /** Of a document that is cut in two: all that stands before and behind the cut. */
  around(document: TextDocument, head: string, tail: string): { prefix: string; suffix: string } {
    const { before, after } = this.#cells.around(document);
    return { prefix: `${before}${head}`, suffix: `${tail}${after}` };
  }

  /** @throws UnsupportedError for a document without a place in the workspace */
  cursorAt(uri: string, position: Position): Cursor {
    const document = this.at(uri);
    const place = this.placeOf(document);
    if (place === null) throw new UnsupportedError(`document ${uri}: is no file on this machine`);
    const [text, offset] = [document.getText(), document.offsetAt(position)];
    const around = this.around(document, text.slice(0, offset), text.slice(offset));
    return { ...place, languageId: document.languageId, ...around };
  }
}
