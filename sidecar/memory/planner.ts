// Who gets how many positions: candidates and a budget -> counts of every piece. A span is worth its
// chance to be needed times what is left of it at its ratio (`keptWorth`), and positions go one by one
// to where they add most: nearly in proportion to the chances, so that a likely span gets all of its
// entries, which are worth as much as the raw text. Equal chances make even shares.
import { entryCountAt } from "./kept.ts";

export interface Candidate {
  /** Tokens of each piece. */
  readonly pieces: readonly number[];
  /** That it is needed; only the ratio to the chances of the others matters. */
  readonly chance: number;
}

export interface PlanOptions {
  /** Positions for all candidates together. */
  readonly budget: number;
  /** No piece of n tokens gets fewer than ceil(n / finestRatio). */
  readonly finestRatio: number;
  /** And none more than ceil(n / leastRatio); default 1. */
  readonly leastRatio?: number;
  /** Positions of every piece beside its share; default 0. */
  readonly markTokens?: number;
}

export interface Share {
  /** Of each piece; empty for a candidate that is left out. */
  readonly positions: readonly number[];
  /** Every token stands in the prompt, a part of each head's entries does, or nothing. */
  readonly outcome: "whole" | "compressed" | "no-room";
}

/** A share for each of `candidates`, the worst first: of those that gain alike the last one is served. */
export function planShares(
  candidates: readonly Candidate[],
  { budget, finestRatio, leastRatio = 1, markTokens = 0 }: PlanOptions,
): Share[] {
  const accounts = candidates.map(({ pieces, chance }): Account => {
    const least = pieces.map((count) => entryCountAt(count, finestRatio));
    const most = sum(pieces.map((count) => entryCountAt(count, leastRatio)));
    const start = { chance, tokens: sum(pieces), most, total: 0, step: sum(least) };
    const cost = start.step + markTokens * pieces.length;
    return { ...start, least, cost, gain: gainOf({ ...start, cost }) };
  });
  for (let left = budget; ; ) {
    const best = bestOf(accounts, left);
    if (best === null) break;
    left -= best.cost;
    best.total += best.step;
    best.step = 1;
    best.cost = 1;
    best.gain = gainOf(best);
  }
  return accounts.map(({ least, tokens, total }, index) => {
    if (total === 0) return { positions: [], outcome: "no-room" };
    const positions = spread(candidates[index]?.pieces ?? [], least, total);
    return { positions, outcome: total === tokens ? "whole" : "compressed" };
  });
}

interface Account {
  readonly chance: number;
  readonly tokens: number;
  /** Positions that it may have. */
  readonly most: number;
  /** Positions of each piece at the finest ratio. */
  readonly least: readonly number[];
  /** Positions so far. */
  total: number;
  /** Positions that it takes next: at first the least, then one by one. */
  step: number;
  /** With the marks that come with them. */
  cost: number;
  /** Of each position of the cost; negative where it may have no more of them. */
  gain: number;
}

/** To whom the next positions, at most `left`, are worth most; null: nobody can use them. */
function bestOf(accounts: readonly Account[], left: number): Account | null {
  let best: Account | null = null;
  for (const account of accounts)
    if (account.gain >= (best?.gain ?? 0) && account.cost <= left) best = account;
  return best;
}

function gainOf(account: Omit<Account, "least" | "gain">): number {
  const { chance, tokens, most, total, step, cost } = account;
  if (total + step > most) return -1;
  return (chance * (keptWorth((total + step) / tokens) - keptWorth(total / tokens))) / cost;
}

/**
 * What is left of a span's worth when this share of its entries is kept: 81, 58, 41 and 32 % at 4x,
 * 8x, 16x and 24x, measured on the needed span alone (test/bench/README.md, Planner).
 */
export function keptWorth(share: number): number {
  return Math.max(0, 1 + 0.2 * Math.log(share));
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
