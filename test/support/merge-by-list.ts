// Byte-pair merging as its definition has it: apply the earliest merge of the list that fits
// anywhere, leftmost first, until none fits. Slow and plain, to check the tokenizer's own merging.

/** In: characters of the byte alphabet. Out: tokens in the byte alphabet. */
export function mergeByList(characters: readonly string[], merges: ReadonlyMap<string, number>) {
  const parts = [...characters];
  for (;;) {
    let best = -1;
    let bestRank = Infinity;
    for (let index = 0; index + 1 < parts.length; index += 1) {
      const rank = merges.get(`${parts[index]} ${parts[index + 1]}`) ?? Infinity;
      if (rank < bestRank) [best, bestRank] = [index, rank];
    }
    if (best < 0) return parts;
    parts.splice(best, 2, `${parts[best]}${parts[best + 1]}`);
  }
}

/** The rank of each merge by its text, two tokens and a blank between. */
export function mergeRanks(merges: readonly string[]): ReadonlyMap<string, number> {
  return new Map(merges.map((merge, rank) => [merge, rank]));
}
