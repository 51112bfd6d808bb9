// Text of a span -> the ids of its pieces, each short enough to be encoded alone. Cuts are made at
// line ends, behind a blank line where one is near enough; a line longer than a piece is cut at a
// token border.
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";

export interface Encoder {
  encode(text: string): Uint32Array;
}

/**
 * The pieces of `header` and `text` together, in order; only the first one has the header, cut where
 * it is longer than a piece.
 */
export function cutPieces(
  encoder: Encoder,
  { header, text }: { readonly header: readonly number[]; readonly text: string },
  limit: number,
): number[][] {
  const pieces: number[][] = [];
  const open = [...header];
  let lines = linesOf(text);
  const close = (): void => {
    while (open.length > 0) pieces.push(open.splice(0, limit));
  };
  while (lines.length > 0) {
    const count = fittingLines(encoder, lines, limit - open.length);
    if (count === 0 && open.length > 0) {
      close();
      continue;
    }
    const ids = encoder.encode(lines.slice(0, Math.max(1, count)).join(""));
    lines = lines.slice(Math.max(1, count));
    // The end of a line that is longer than a piece goes on with the lines behind it.
    const whole = count > 0 ? 0 : ids.length - (ids.length % limit);
    for (let at = 0; at < whole; at += limit) pieces.push([...ids.subarray(at, at + limit)]);
    open.push(...ids.subarray(whole));
    if (count > 0) close();
  }
  close();
  return pieces;
}

/** How many of the first lines make a piece of at most `limit` tokens; 0: not even one. */
function fittingLines(encoder: Encoder, lines: readonly string[], limit: number): number {
  let count = 0;
  while (count < lines.length) {
    const line = lines[count] ?? "";
    // A token has at least one byte, and few have more than a word.
    if (line.length > limit * charactersPerToken) break;
    if (encoder.encode(lines.slice(0, count + 1).join("")).length > limit) break;
    count += 1;
  }
  if (count === lines.length) return count;
  const blank = lines.slice(0, count).findLastIndex((line) => line.trim() === "");
  return blank + 1 > count / 2 ? blank + 1 : count;
}

/** With their ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}
