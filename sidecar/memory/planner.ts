// Who gets how many positions: candidates and a budget -> counts of every piece. A span is worth its
// chance to be needed times what is left of it at its ratio (`worthOf`), and positions go
// one by one to where they add most: first every likely span at the finest ratio, then the likelier
// ones more, up to all of their entries, which are worth as much as the raw text. With equal chances
// it is even shares.
import { entryCountAt } from "./kept.ts";

export interface Candidate {
  /** Tokens of each piece. */
  readonly pieces: readonly number[];
  /** How likely it is to be needed; only the ratio to the chances of the others matters. */
  readonly chance: number;
}

export interface PlanOptions {
  /** Positions for all candidates together. */
  readonly budget: number;
  /** No piece of n tokens gets fewer than ceil(n / finestRatio). */
  readonly finestRatio: number;
}

export interface Share {
  /** Of each piece; empty for a candidate that is left out. */
  readonly positions: readonly number[];
  /** Every token stands in the prompt, a part of each head's entries does, or nothing. */
  readonly outcome: "whole" | "compressed" | "no-room";
}

/**
 * The chance of a span of which only its place in a ranking is known, 0 for the best: recall by place
 * on validation samples (test/bench/README.md).
 */
export function chanceAt(place: number): number {
  return (place + 1) ** -1.35;
}

/** A share for each candidate, in their order; of those that gain alike the later one comes first. */
export function planShares(
  candidates: readonly Candidate[],
  { budget, finestRatio }: PlanOptions,
): Share[] {
  const accounts = candidates.map(({ pieces, chance }): Account => {
    const least = pieces.map((count) => entryCountAt(count, finestRatio));
    return { chance, least, first: sum(least), tokens: sum(pieces), total: 0 };
  });
  let left = budget;
  for (;;) {
    const account = bestOf(accounts, left);
    if (account === null) break;
    left -= stepOf(account);
    account.total += stepOf(account);
  }
  return accounts.map(({ least, tokens, total }, index) => {
    if (total === 0) return { positions: [], outcome: "no-room" };
    const positions = spread(candidates[index]?.pieces ?? [], least, total);
    return { positions, outcome: total === tokens ? "whole" : "compressed" };
  });
}

interface Account {
  readonly chance: number;
  /** Positions of each piece at the finest ratio, and of all of them. */
  readonly least: readonly number[];
  readonly first: number;
  readonly tokens: number;
  /** Positions so far. */
  total: number;
}

/** To whom the next positions, at most `left`, are worth most; null: nobody can use them. */
function bestOf(accounts: readonly Account[], left: number): Account | null {
  let best: Account | null = null;
  let bestGain = 0;
  for (const account of accounts) {
    const { chance, tokens, total } = account;
    const step = stepOf(account);
    if (step > left || total + step > tokens) continue;
    const gain = (chance * (worthOf((total + step) / tokens) - worthOf(total / tokens))) / step;
    if (best !== null && gain < bestGain) continue;
    best = account;
    bestGain = gain;
  }
  return best;
}

function stepOf({ first, total }: Account): number {
  return total === 0 ? first : 1;
}

/**
 * What is left of a span's worth when this share of its entries is kept: a parabola in the log of the
 * share through 51, 65, 72 and 85 % at 24x, 12x, 8x and 4x, within 2 points (Qwen2.5-Coder-0.5B,
 * method.md 1.2).
 */
function worthOf(share: number): number {
  if (share === 0) return 0;
  const log = Math.log(share);
  return Math.max(0, 1 + 0.073 * log - 0.026 * log ** 2);
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
