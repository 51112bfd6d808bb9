// Which spans define the names that the text at the cursor uses. The nearer a name stands to the
// cursor the more it weighs; a name that many spans define counts less for each.
import { identifiersOf } from "./identifiers.ts";

/** Different names back from the cursor after which a name weighs half. */
const halfWeightNames = 16;
/** Of a name behind the cursor, against one as far before it. */
const behindShare = 0.5;

/** The weight of each name, from 1 at the cursor down. */
export function weighNames(before: string, after: string): Map<string, number> {
  const weights = new Map<string, number>();
  const add = (names: Iterable<string>, share: number): void => {
    let weight = share;
    for (const name of new Set(names)) {
      weights.set(name, Math.max(weight, weights.get(name) ?? 0));
      weight *= 2 ** (-1 / halfWeightNames);
    }
  };
  add(identifiersOf(before).reverse(), 1);
  add(identifiersOf(after), behindShare);
  return weights;
}

/** How many lists each name is in. */
export function countDefinitions(lists: Iterable<readonly string[]>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const names of lists)
    for (const name of new Set(names)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** The sum of the weights of what a span defines, each shared among all spans that define it. */
export function definitionScore(
  defines: readonly string[],
  weights: ReadonlyMap<string, number>,
  counts: ReadonlyMap<string, number>,
): number {
  let score = 0;
  for (const name of new Set(defines)) score += (weights.get(name) ?? 0) / (counts.get(name) ?? 1);
  return score;
}
