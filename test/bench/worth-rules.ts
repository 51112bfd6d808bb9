// What stands in front of the near text at a number of positions, by the rules that are compared.
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import { chancesOf } from "../../sidecar/selection/chance.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import type { WorthSample } from "./worth-samples.ts";

/**
 * `raw`: the best spans whole, the last one cut at its end. `even`: the best eight, all alike.
 * `mixture`: all that the product offers to the planner, by the chances that the ranking gives them.
 */
export const rules = ["none", "raw", "even", "mixture"] as const;
export type Rule = (typeof rules)[number];

interface Column {
  readonly rule: Rule;
  /** Positions. */
  readonly budget: number;
}

const evenCount = 8;

/** undefined: there is no memory, not even a sink. */
export function memoryOf(
  { ranked }: WorthSample,
  { rule, budget }: Column,
  tokenizer: Tokenizer,
): MemoryRequest | undefined {
  const request = { demonstrations: [], budget, isCold: false };
  const spans = ranked.map(({ span: { path, text } }) => ({ path, text }));
  switch (rule) {
    case "none":
      return undefined;
    case "raw":
      return { ...request, form: "raw", context: fillRaw(spans, budget, tokenizer).reverse() };
    case "even": {
      const context = spans.slice(0, evenCount).map((span) => ({ ...span, chance: 1 }));
      return { ...request, form: "kept", context: context.reverse() };
    }
    case "mixture": {
      const chances = chancesOf(ranked);
      const context = spans.map((span, place) => ({ ...span, chance: chances[place] }));
      return { ...request, form: "kept", context: context.reverse() };
    }
  }
}

/** As many of the first spans as fit, and the first tokens of the next one. */
function fillRaw(
  spans: readonly { path: string; text: string }[],
  budget: number,
  tokenizer: Tokenizer,
): { path: string; text: string }[] {
  const taken: { path: string; text: string }[] = [];
  let left = budget;
  for (const { path, text } of spans) {
    // The token before the path, and a line end that the rendering adds to the text.
    const header = tokenizer.encode(`${path}\n`).length + 1;
    const ids = tokenizer.encode(text);
    const count = Math.min(ids.length, left - header - 1);
    if (count <= 0) break;
    taken.push({ path, text: tokenizer.decode(ids.subarray(0, count)) });
    left -= header + count + 1;
  }
  return taken;
}
