// What of a piece a memory of a certain size keeps, token by token: for those who want to see it.
import type { KeptMemory } from "./kept.ts";

/** [tokens] Share of the key/value heads of all layers whose `count` best entries have the token. */
export function keptShares(
  { tokenCount, entryCount, layers }: KeptMemory,
  count: number,
): Float32Array {
  const kept = new Float32Array(tokenCount);
  let heads = 0;
  for (const { tokens } of layers)
    for (let first = 0; first < tokens.length; first += entryCount) {
      heads += 1;
      for (const token of tokens.subarray(first, first + count))
        kept[token] = (kept[token] ?? 0) + 1;
    }
  return kept.map((times) => times / heads);
}
