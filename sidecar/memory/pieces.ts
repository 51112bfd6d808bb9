// A span -> the ids of its pieces, each short enough to be encoded alone. Where a text is cut is up to
// a cutter that knows its language; a line longer than a piece is cut at token borders here.
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";

export interface Encoder {
  encode(text: string): Uint32Array;
}

export interface PieceLimits {
  readonly countTokens: (text: string) => number;
  /** Tokens of a piece. */
  readonly limit: number;
  /** Tokens that stand in front of the first piece and belong to it. */
  readonly leadTokens: number;
}

/**
 * Parts of `text` that together are it, none over the limit but single lines. The path says which
 * language it is in; without one it is text.
 */
export type Cutter = (
  span: { readonly path?: string | undefined; readonly text: string },
  limits: PieceLimits,
) => Promise<readonly string[]>;

/** The pieces of `header` and `text` together, in order; only the first one has the header. */
export async function cutPieces(
  encoder: Encoder,
  span: Parameters<Cutter>[0] & { readonly header: readonly number[] },
  { limit, cut }: { readonly limit: number; readonly cut: Cutter },
): Promise<number[][]> {
  const { header, text } = span;
  const countTokens = (part: string) => encoder.encode(part).length;
  if (text.length <= limit * charactersPerToken) {
    const whole = [...header, ...encoder.encode(text)];
    if (whole.length <= limit) return [whole];
  }
  const parts = await cut(span, { countTokens, limit, leadTokens: header.length });
  const [first = [], ...rest] = parts.map((part) => [...encoder.encode(part)]);
  // A first line that fits alone is not cut for the header's sake.
  const isTight = first.length <= limit && header.length + first.length > limit;
  const start = isTight ? [[...header], first] : [[...header, ...first]];
  return [...start, ...rest].flatMap((ids) => splitEvery(ids, limit));
}

function splitEvery(ids: readonly number[], limit: number): number[][] {
  return Array.from({ length: Math.ceil(ids.length / limit) }, (_, index) =>
    ids.slice(index * limit, (index + 1) * limit),
  );
}
