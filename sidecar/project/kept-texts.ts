// Texts of spans with what their memories keep of them, token by token.
import type { Memories } from "../completion/memories.ts";
import { entryCountAt } from "../memory/kept.ts";
import { keptShares } from "../memory/kept-shares.ts";
import type { MemoryPlace } from "./selection.ts";

export interface KeptToken {
  readonly bytes: Uint8Array;
  /** Share of the key/value heads that kept it, 0 to 1. */
  readonly share: number;
}

export interface KeptText {
  readonly place: MemoryPlace;
  readonly positions: number;
  readonly tokens: readonly KeptToken[];
}

/** The ratio at which a span is shown that has no place in the window. */
const shownRatio = 12;

/** Positions of each piece of a span, as planned or at the ratio that is shown else. */
export function shownCounts(
  pieces: readonly (readonly number[])[],
  planned: readonly number[] | undefined,
): readonly number[] {
  return planned ?? pieces.map(({ length }) => entryCountAt(length, shownRatio));
}

/** All memories must be known with as many entries as `counts` says. */
export function keptText(
  place: MemoryPlace,
  { pieces, counts }: { pieces: readonly (readonly number[])[]; counts: readonly number[] },
  parts: { memories: Memories; bytesOf: (id: number) => Uint8Array },
): KeptText {
  const tokens = pieces.flatMap((ids, index) => {
    const count = counts[index] ?? 0;
    const memory = parts.memories.find(ids, count);
    const shares = memory === null ? new Float32Array(ids.length) : keptShares(memory, count);
    return ids.map((id, at) => ({ bytes: parts.bytesOf(id), share: shares[at] ?? 0 }));
  });
  return { place, positions: counts.reduce((sum, count) => sum + count, 0), tokens };
}
