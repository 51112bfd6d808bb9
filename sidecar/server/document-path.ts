// Where a document lies, of which file it is, and how it is named in the header of a prompt. In: URIs.
import { join, posix } from "node:path";
import { URI } from "vscode-uri";
import { isWithin } from "../workspace/is-within.ts";

/** Where the memories of a document are looked for. */
export interface DocumentPlace {
  /** Absolute: the document's file, that of the notebook it is a cell of, or one that it stands for. */
  readonly file: string;
  /** Whether the document is another than that file. */
  readonly isElsewhere: boolean;
}

/**
 * The path of the document `uri` within the innermost of the workspace folders `folders` (URIs), with
 * slashes; its last part where none of them holds it: `untitled:Untitled-1` is `Untitled-1`. A cell is
 * named as its notebook.
 */
export function documentPath(uri: string, folders: readonly string[]): string {
  const document = parse(uri);
  if (document === null) return posix.basename(uri);
  const within = folders
    .map(parse)
    .filter((folder) => folder?.authority === document.authority)
    .map((folder) => `${folder?.path.replace(/\/$/, "")}/`)
    .filter((folder) => document.path.startsWith(folder))
    .sort((a, b) => b.length - a.length)
    .map((folder) => document.path.slice(folder.length));
  return within[0] ?? posix.basename(document.path);
}

/** The absolute path of a URI; null where it is of no file on this machine. */
export function filePath(uri: string): string | null {
  const document = parse(uri);
  return document?.scheme === "file" ? document.fsPath : null;
}

/**
 * `folders` are absolute paths. A document on no disk of this machine stands for the file of its
 * path, and for one in the first folder where it has none in the workspace; null without a folder.
 */
export function documentPlace(uri: string, folders: readonly string[]): DocumentPlace | null {
  const file = filePath(uri);
  if (file !== null) return { file, isElsewhere: false };
  const document = parse(uri);
  if (document === null) return null;
  const notebook = document.scheme === cellScheme ? filePath(notebookOf(document)) : null;
  if (notebook !== null) return { file: notebook, isElsewhere: true };
  const named = document.with({ scheme: "file", query: "", fragment: "" }).fsPath;
  const [root] = folders;
  if (folders.some((folder) => isWithin(named, folder))) return { file: named, isElsewhere: true };
  return root === undefined
    ? null
    : { file: join(root, posix.basename(document.path)), isElsewhere: true };
}

/** The URI of all cells of a notebook: what they share. Null for a document that is no cell. */
export function notebookKey(uri: string): string | null {
  const document = parse(uri);
  return document?.scheme === cellScheme ? `${document.with({ fragment: "" })}` : null;
}

/** Of VS Code's cells; their fragment is `W`, a number, `s` and the notebook's scheme as base64. */
const cellScheme = "vscode-notebook-cell";

function notebookOf(cell: URI): string {
  const encoded = /^[^s]*s(.*)$/.exec(cell.fragment)?.[1] ?? "";
  const scheme = Buffer.from(encoded, "base64").toString("latin1");
  const isScheme = /^[a-z][a-z0-9+.-]*$/i.test(scheme);
  return `${cell.with({ scheme: isScheme ? scheme : "file", fragment: "" })}`;
}

/** null for what is no URI, and for one with a character that no path has. */
function parse(uri: string): URI | null {
  try {
    const document = URI.parse(uri);
    return document.path.includes("\0") ? null : document;
  } catch {
    return null;
  }
}
