// Where a document lies, and how it is named in the header of a prompt.
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The path of the document `uri` within the innermost of the workspace folders `folders` (URIs), with
 * slashes; its last part where none of them holds it: `untitled:Untitled-1` is `Untitled-1`.
 */
export function documentPath(uri: string, folders: readonly string[]): string {
  const within = folders
    .map((folder) => (folder.endsWith("/") ? folder : `${folder}/`))
    .filter((folder) => uri.startsWith(folder))
    .sort((a, b) => b.length - a.length)
    .map((folder) => uri.slice(folder.length));
  const [path = posix.basename(uri).replace(/^[a-z][a-z0-9+.-]*:/i, "")] = within;
  return decode(path.replace(/[?#].*$/, ""));
}

/** The absolute path of a URI; null where it is of no file on this machine. */
export function filePath(uri: string): string | null {
  if (!uri.startsWith("file:///")) return null;
  try {
    return fileURLToPath(uri);
  } catch {
    return null; // With a character that no path has.
  }
}

/** A percent sign that encodes nothing stays. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
