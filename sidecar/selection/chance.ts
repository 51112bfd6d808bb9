// How likely the line at the cursor needs a ranked span: from its place in the fused ranking, and
// more where one of the rankings has it at its top. A conditional logit, fitted by maximum likelihood
// to the 201 validation samples of the selection benchmark (test/bench/README.md): the chance of the
// needed span is 0.25 to 0.6 at the top and falls below 0.01 behind the twelfth place.
import type { RankedSpan } from "./span-index.ts";

/** What a first place in a ranking adds to the log of the chance; an n-th place an n-th of it. */
const topWeights: Readonly<Record<string, number>> = { named: 1.72, imported: 0.4, alike: 0.57 };
const placeExponent = 0.87;

/** Of each of `ranked`, the best first; in proportion, they do not add up to 1. */
export function chancesOf(ranked: readonly Pick<RankedSpan<unknown>, "places">[]): number[] {
  return ranked.map(({ places }, place) => {
    const terms = Object.entries(places).map(([name, at]) => (topWeights[name] ?? 0) / (at + 1));
    const evidence = terms.reduce((sum, term) => sum + term, 0);
    return Math.exp(evidence) / (place + 1) ** placeExponent;
  });
}
