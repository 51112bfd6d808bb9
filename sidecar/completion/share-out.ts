// Who gets how many positions of a request: what it offers, in pieces -> a share for each piece.
import { entryCountAt } from "../memory/kept.ts";
import { planShares } from "../memory/planner.ts";
import { defaults } from "./defaults.ts";
import type { MemoryRequest } from "./request.ts";
import type { PieceShare } from "./virtual-forms.ts";

/** A span, or a group of demonstrations. */
export interface Offer {
  /** Ids of what is encoded together. */
  readonly pieces: readonly (readonly number[])[];
  /** That it is needed, see memory/planner.ts; default 1. */
  readonly chance?: number | undefined;
}

/**
 * The shares of each offer's pieces. A ratio alone is the same for every piece; a budget goes to
 * those that are likely needed, `markTokens` beside each share included.
 */
export function shareOut(
  offers: readonly Offer[],
  { ratio, budget }: MemoryRequest,
  markTokens: number,
): PieceShare[][] {
  if (budget === undefined && ratio !== undefined)
    return offers.map(({ pieces }) =>
      pieces.map((ids) => ({ ids, count: entryCountAt(ids.length, ratio) })),
    );
  const candidates = offers.map(({ pieces, chance = 1 }) => ({
    pieces: pieces.map(({ length }) => length),
    chance,
  }));
  const plan = planShares(candidates, {
    budget: budget ?? defaults.memory.budget,
    finestRatio: ratio ?? defaults.memory.finestRatio,
    markTokens,
  });
  return offers.map(({ pieces }, index) =>
    (plan[index]?.positions ?? []).map((count, piece) => ({ ids: pieces[piece] ?? [], count })),
  );
}
