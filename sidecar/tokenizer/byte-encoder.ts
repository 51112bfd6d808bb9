// Bytes -> ids without tiktoken: the same pieces and the same ranks. For what tiktoken cannot take:
// bytes that are no UTF-8 and pieces of hundreds of characters.
import { escapeBytes, escapedByteLength } from "./escaped-bytes.ts";
import { mergePiece } from "./merge.ts";

/**
 * Ids of `bytes`, `null` for each byte that has no token. A byte that is not part of a character
 * counts as a symbol, neither letter nor digit nor white space, where pieces are cut.
 */
export function encodeByMerging(
  bytes: Uint8Array,
  pattern: RegExp,
  ranks: ReadonlyMap<string, number>,
): (number | null)[] {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const ids: (number | null)[] = [];
  let start = 0;
  for (const [piece] of escapeBytes(bytes).matchAll(pattern)) {
    const end = start + escapedByteLength(piece);
    for (const id of mergePiece(latin1.slice(start, end), ranks)) ids.push(id);
    start = end;
  }
  return ids;
}
