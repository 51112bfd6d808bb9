// Text that ends inside a token completes as if it did not. In: the ids of the text before the
// cursor and the setting. Out: the ids that stay, the bytes to make again behind them (the tail), and
// how: by covers (`exact`), under a filter (`token`), or not at all.
import { LimitError } from "../errors.ts";
import type { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";
import { type AlignmentTokenizer, type CoverTrie, findCovers } from "./covers.ts";

export type AlignmentSetting = "off" | "token" | "exact";

export type Aligned =
  | { readonly way: "off"; readonly kept: Uint32Array }
  | { readonly way: "token"; readonly kept: Uint32Array; readonly tail: Uint8Array }
  | {
      readonly way: "exact";
      readonly kept: Uint32Array;
      readonly tail: Uint8Array;
      readonly trie: CoverTrie;
    };

export interface AlignmentLimits {
  /** Most tokens that `token` takes off, B of arXiv 2403.08688; 1 to 5. */
  readonly backedUpTokens: number;
  /** Most nodes that `exact` runs; beyond it falls back to `token`. */
  readonly nodes: number;
}

export interface Alignment {
  readonly tokenizer: AlignmentTokenizer;
  readonly vocabulary: ByteSortedVocabulary;
  readonly limits: AlignmentLimits;
}

const mostBackedUpTokens = 5;

/**
 * Decides what of `ids`, the encoding of the text before the cursor, stays.
 * @throws LimitError for a limit out of its range
 */
export function align(alignment: Alignment, ids: Uint32Array, setting: AlignmentSetting): Aligned {
  if (setting === "off" || ids.length === 0) return { way: "off", kept: ids };
  const { tokenizer, vocabulary, limits } = alignment;
  checkBackedUpTokens(limits.backedUpTokens);
  const trie = findCovers(tokenizer, vocabulary, ids);
  if (trie === null || isStable(trie, vocabulary)) return { way: "off", kept: ids };
  if (setting === "exact" && trie.nodes.length <= limits.nodes) {
    return { way: "exact", kept: ids.subarray(0, trie.keptCount), tail: trie.tail, trie };
  }
  return { way: "token", ...backUp(alignment, ids, trie.keptCount) };
}

/** Whether the text's end stays a border and its last token what it is, as behind a digit. */
function isStable({ starts }: CoverTrie, vocabulary: ByteSortedVocabulary): boolean {
  const [start, ...others] = starts;
  return (
    start !== undefined && others.length === 0 && vocabulary.startingWith(start.rest).length === 1
  );
}

function checkBackedUpTokens(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= mostBackedUpTokens) return;
  throw new LimitError(
    `alignment: ${count} tokens to take off, a whole number from 1 to ${mostBackedUpTokens} is wanted`,
  );
}

/**
 * Takes off up to B tokens, but none that no continuation can change; and the whole of trailing
 * white space, because what follows decides how all of it is cut.
 */
function backUp(
  { tokenizer, limits }: Alignment,
  ids: Uint32Array,
  stable: number,
): { kept: Uint32Array; tail: Uint8Array } {
  let count = Math.max(stable, ids.length - limits.backedUpTokens);
  const bytes = ids.length === 0 ? [] : Array.from(ids, (id) => tokenizer.bytesOf(id));
  while (count > 0 && isWhiteSpaceOnly(bytes.slice(count)) && endsInWhiteSpace(bytes[count - 1])) {
    count -= 1;
  }
  return { kept: ids.subarray(0, count), tail: Uint8Array.from(Buffer.concat(bytes.slice(count))) };
}

function isWhiteSpaceOnly(pieces: readonly Uint8Array[]): boolean {
  return pieces.every((piece) => piece.every(isWhiteSpace));
}

function endsInWhiteSpace(piece: Uint8Array | undefined): boolean {
  return piece !== undefined && isWhiteSpace(piece.at(-1) ?? 0);
}

function isWhiteSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
