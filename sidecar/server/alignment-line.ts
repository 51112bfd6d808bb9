// One line for the log: what became of text that ends inside a token.
import type { ShownCompletion } from "../service.ts";

/**
 * Shows what was typed, so it is for the log that holds the user's text. null when there is nothing to
 * tell: alignment is off, or the model was not asked.
 */
export function alignmentLine({ alignment }: Pick<ShownCompletion, "alignment">): string | null {
  if (alignment === null || alignment.way === "off") return null;
  const { way, keptTokens, lastKept, tail, ids, logWeight } = alignment;
  const isCut = lastKept.length < keptTokens;
  const kept = `${keptTokens} ids kept [${[...(isCut ? ["…"] : []), ...lastKept].join(", ")}]`;
  const text = JSON.stringify(Buffer.from(tail).toString("utf8"));
  const weight = `log weight ${logWeight.toFixed(3)}`;
  return `alignment ${way}: ${kept}, tail ${text} made again as [${ids.join(", ")}], ${weight}`;
}
