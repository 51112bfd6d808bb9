// Maximal marginal relevance (Carbonell and Goldstein 1998): what is shown already is worth less
// when it is said again.

/** The share of relevance against novelty. */
const relevanceShare = 0.7;

export interface DiversityOptions<Candidate> {
  /** From 0 to 1. */
  readonly likeness: (a: Candidate, b: Candidate) => number;
  /** How many to choose; the rest is not ordered. */
  readonly count: number;
  /** 1 leaves the order as it was. */
  readonly lambda?: number;
}

/**
 * `count` of the candidates, the best first: each is the one with the most of `lambda` times its
 * relevance, scaled to reach from 0 to 1, less 1 - `lambda` times its likeness to the likest one
 * chosen before it.
 */
export function diversify<Candidate>(
  scores: ReadonlyMap<Candidate, number>,
  { likeness, count, lambda = relevanceShare }: DiversityOptions<Candidate>,
): Candidate[] {
  const values = [...scores.values()];
  const lowest = Math.min(...values);
  const range = Math.max(...values) - lowest || 1;
  const left = [...scores].map(([candidate, score]) => ({
    candidate,
    relevance: (score - lowest) / range,
    repeated: 0, // likeness to the likest chosen
  }));
  const worth = (each: (typeof left)[number]): number =>
    lambda * each.relevance - (1 - lambda) * each.repeated;
  const chosen: Candidate[] = [];
  while (chosen.length < count && left.length > 0) {
    let best = 0;
    for (const [index, each] of left.entries())
      if (worth(each) > worth(left[best] ?? each)) best = index;
    const [next] = left.splice(best, 1);
    if (next === undefined) break;
    chosen.push(next.candidate);
    for (const each of left)
      each.repeated = Math.max(each.repeated, likeness(each.candidate, next.candidate));
  }
  return chosen;
}
