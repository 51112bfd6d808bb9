// Rankings of the same candidates, as one. A ranking is a list of candidates, the best first; it may
// lack those that it knows nothing about.

export type Ranking = readonly number[];

/** Cormack, Clarke and Büttcher 2009: a low rank in one list outweighs middling ranks in several. */
const fusionConstant = 60;

/** Candidates with a score above zero, the best first, those of equal score in their order. */
export function rankByScore(scores: readonly number[]): Ranking {
  return [...scores.keys()]
    .filter((candidate) => (scores[candidate] ?? 0) > 0)
    .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
}

/** By reciprocal ranks: the score of each candidate that is in any ranking, the best first. */
export function fuse(rankings: readonly Ranking[]): Map<number, number> {
  const scores = new Map<number, number>();
  for (const ranking of rankings)
    for (const [index, candidate] of ranking.entries())
      scores.set(candidate, (scores.get(candidate) ?? 0) + 1 / (fusionConstant + index + 1));
  return new Map([...scores].sort(([a, x], [b, y]) => y - x || a - b));
}
