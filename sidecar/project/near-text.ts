// What a selection is asked with. In: a cursor and all the text around it. Out: the text next to it.
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";

export interface Cursor {
  /** Absolute path: where memories are looked for, and whose rules hold. */
  readonly file: string;
  /** Whether the text is another than the file's: cells of it, or a document on no disk. */
  readonly isElsewhere?: boolean;
  readonly languageId: string;
  /** All the text before and behind the cursor. */
  readonly prefix: string;
  readonly suffix: string;
}

export interface NearText {
  /** Relative to the folder. */
  readonly path: string;
  readonly languageId: string;
  /** The last tokens before the cursor and the first behind it. */
  readonly before: string;
  readonly after: string;
}

export interface ProjectTokenizer {
  encode(text: string): Uint32Array;
  bytesOf(id: number): Uint8Array;
}

/** Tokens of the query. */
const queryTokens = { before: 256, after: 64 };

/** `path` is relative to the cursor's folder. */
export function nearTextOf(path: string, cursor: Cursor, tokenizer: ProjectTokenizer): NearText {
  const { languageId, prefix, suffix } = cursor;
  const { before, after } = queryTokens;
  const last = tokenizer.encode(prefix.slice(-before * charactersPerToken)).slice(-before);
  const first = tokenizer.encode(suffix.slice(0, after * charactersPerToken)).slice(0, after);
  const decode = (ids: Uint32Array) =>
    Buffer.concat(Array.from(ids, (id) => tokenizer.bytesOf(id))).toString("utf8");
  return { path, languageId, before: decode(last), after: decode(first) };
}
