// How likely the code at the cursor needs a ranked span: by its place in the fused ranking, and more
// where one of the rankings begins with it. A conditional logit with one more choice, that none of
// the best 32 is needed, fitted by maximum likelihood to the 201 validation samples of the selection
// benchmark; left out by packages, its log-likelihood is 0.09 nats a sample better than that of the
// place alone.
import type { RankedSpan } from "./span-index.ts";

/** What a first place in a ranking adds to the log of the odds; an n-th place an n-th of it. */
const topWeights: Readonly<Record<string, number>> = { named: 1.72, imported: 0.4, alike: 0.57 };
const placeExponent = 0.87;
const noneOdds = Math.exp(1.45);

/** Of the best span, over all samples. */
export const usualTopChance = 0.25;

/** Of each of `ranked`, the best first, all that may be needed. */
export function chancesOf(ranked: readonly Pick<RankedSpan<unknown>, "places">[]): number[] {
  const odds = ranked.map(({ places }, place) => {
    const terms = Object.entries(places).map(([name, at]) => (topWeights[name] ?? 0) / (at + 1));
    const evidence = terms.reduce((sum, term) => sum + term, 0);
    return Math.exp(evidence) / (place + 1) ** placeExponent;
  });
  const sum = odds.reduce((total, each) => total + each, noneOdds);
  return odds.map((each) => each / sum);
}
