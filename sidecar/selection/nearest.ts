// The vectors most like a query's among many: their sign bits by Hamming distance first, then the
// cosine of the best (BTR, arXiv 2310.01329). Only those few vectors are ever asked for.
import { cosine, hamming, signBits } from "./similarity.ts";

/** Sign bits of many vectors, side by side. */
export interface SignTable {
  readonly count: number;
  /** [count, words] */
  readonly bits: Uint32Array;
  /** Words of one vector: ceil(dimensions / 32). */
  readonly words: number;
}

export interface Neighbour {
  readonly index: number;
  /** Cosine. */
  readonly score: number;
}

/** Vectors whose cosine is looked at. */
export const filteredCount = 64;

/**
 * The best first, at most `count` (itself at most `filteredCount`). `vectorAt` gives the vector of an
 * index, or null for one that is gone by now.
 */
export function nearest(
  query: Float32Array,
  table: SignTable,
  vectorAt: (index: number) => Float32Array | null,
  count = filteredCount,
): Neighbour[] {
  return filterBySigns(signBits(query), table)
    .flatMap((index): Neighbour[] => {
      const vector = vectorAt(index);
      return vector === null ? [] : [{ index, score: cosine(query, vector) }];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}

/** The indexes at the smallest distances: distances are few, so they are counted, not sorted. */
function filterBySigns(query: Uint32Array, { count, bits, words }: SignTable): number[] {
  const distances = new Uint16Array(count);
  const countAt = new Uint32Array(32 * words + 1);
  for (let index = 0; index < count; index += 1) {
    const distance = hamming(query, bits, index * words);
    distances[index] = distance;
    countAt[distance] = (countAt[distance] ?? 0) + 1;
  }
  let limit = 0;
  for (let within = countAt[0] ?? 0; within < filteredCount && limit < 32 * words; )
    within += countAt[++limit] ?? 0;
  const near: number[] = [];
  for (let index = 0; index < count; index += 1)
    if ((distances[index] ?? 0) <= limit) near.push(index);
  // More may tie at the limit than there is room for.
  return near.sort((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0)).slice(0, filteredCount);
}
