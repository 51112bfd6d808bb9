// Who gets how many positions: spans and a budget -> counts of every piece. Even shares, the baseline
// of method.md 1.5: every span gets the same, what it cannot use goes on to the others, and a span
// whose share would be finer than the finest ratio gets nothing, the worst one first.
import { entryCountAt } from "./kept.ts";

export interface ShareOptions {
  /** Positions for all spans together. */
  readonly budget: number;
  /** No piece of n tokens gets fewer than ceil(n / finestRatio). */
  readonly finestRatio: number;
}

/**
 * Positions of every piece of every span, worst span first; none for a span that is left out.
 * @param spans tokens of their pieces
 */
export function shareEvenly(
  spans: readonly (readonly number[])[],
  { budget, finestRatio }: ShareOptions,
): number[][] {
  const least = spans.map((pieces) => pieces.map((count) => entryCountAt(count, finestRatio)));
  const most = spans.map(sum);
  const totals = least.map(sum);
  let left = budget - sum(totals);
  let first = 0;
  for (; left < 0; first++) left += totals[first] ?? 0;
  totals.fill(0, 0, first);
  for (; left > 0; left--) {
    const poorest = poorestOf(totals, most, first);
    if (poorest < 0) break;
    totals[poorest] = (totals[poorest] ?? 0) + 1;
  }
  return spans.map((pieces, index) =>
    index < first ? [] : spread(pieces, least[index] ?? [], totals[index] ?? 0),
  );
}

/** The best of those that have the least and can use more, or -1. */
function poorestOf(totals: readonly number[], most: readonly number[], first: number): number {
  let poorest = -1;
  for (let index = totals.length - 1; index >= first; index--) {
    const total = totals[index] ?? 0;
    if (total >= (most[index] ?? 0)) continue;
    if (poorest < 0 || total < (totals[poorest] ?? 0)) poorest = index;
  }
  return poorest;
}

/** `total` positions over the pieces of a span, so that their ratios are alike. */
function spread(pieces: readonly number[], least: readonly number[], total: number): number[] {
  const counts = [...least];
  for (let left = total - sum(counts); left > 0; left--) {
    const ratios = pieces.map((length, index) => length / (counts[index] ?? 1));
    const coarsest = ratios.indexOf(Math.max(...ratios));
    counts[coarsest] = (counts[coarsest] ?? 0) + 1;
  }
  return counts;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
