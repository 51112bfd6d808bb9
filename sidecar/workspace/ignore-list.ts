// The patterns of one rule file. In: its bytes, a character each. Out: what it says of a path, as
// gitignore(5) has it and Git's own matcher where that is silent.
import { matchesWildcards, readWildcards, type Wildcards } from "./wildmatch.ts";

/**
 * Bytes of a rule file. Git stops at 100 MB; every pattern is held against every path, which takes
 * some milliseconds for each at this size.
 */
export const byteLimit = 1 << 20;

interface Pattern {
  readonly wildcards: Wildcards;
  readonly isTakingBack: boolean;
  readonly isForFolders: boolean;
  /** It is held against the name alone, in whatever folder. */
  readonly isOfName: boolean;
}

export class IgnoreList {
  /** The last one first. */
  readonly #patterns: readonly Pattern[];

  constructor(bytes: string, ignoreCase: boolean) {
    const lines = bytes.replace(/^\xef\xbb\xbf/, "").split("\n");
    const patterns = lines.map((line) => readPattern(line, ignoreCase));
    this.#patterns = patterns.filter((pattern) => pattern !== null).reverse();
  }

  /** true: ignored, false: taken back, null: not spoken of. `path` is that from the file's folder. */
  decide(path: string, isFolder: boolean): boolean | null {
    const name = path.slice(path.lastIndexOf("/") + 1);
    for (const { wildcards, isTakingBack, isForFolders, isOfName } of this.#patterns)
      if ((isFolder || !isForFolders) && matchesWildcards(wildcards, isOfName ? name : path))
        return !isTakingBack;
    return null;
  }
}

function readPattern(line: string, ignoreCase: boolean): Pattern | null {
  if (line.startsWith("#")) return null;
  const text = trimBlanks(line.replace(/\r$/, "").replace(/\0.*$/s, ""));
  const isTakingBack = text.startsWith("!");
  const isForFolders = text.length > Number(isTakingBack) && text.endsWith("/");
  const pattern = text.slice(Number(isTakingBack), isForFolders ? -1 : undefined);
  const wildcards = readWildcards(pattern.replace(/^\//, ""), ignoreCase);
  if (wildcards === null || wildcards.length === 0) return null;
  return { wildcards, isTakingBack, isForFolders, isOfName: !pattern.includes("/") };
}

/** Those at the end, but for one behind a backslash that is not itself behind one. */
function trimBlanks(line: string): string {
  let end = line.length;
  while (line[end - 1] === " ") end -= 1;
  let escapes = end;
  while (line[escapes - 1] === "\\") escapes -= 1;
  return line.slice(0, (end - escapes) % 2 === 0 ? end : end + 1);
}
