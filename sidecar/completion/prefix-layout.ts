// Which part of a long prefix becomes memories: SelfCP's three layouts (arXiv 2405.17052). What is cut
// off is cut at line ends, and the line that the answer goes on from is raw in all of them.
//
//   former        [far as memories] near as text
//   latter        [first as text][far as memories] last line as text
//   concatenated  [far as memories] last line as text
import { type Encoder, PrefixWindow, SuffixWindow } from "./window.ts";

export type PrefixLayout = "former" | "latter" | "concatenated";

/** Together they are the prefix. */
export interface SplitPrefix {
  /** Raw, in front of `far`; "" but for `latter`. */
  readonly first: string;
  /** Becomes memories; "" where the prefix is hardly longer than the near window. */
  readonly far: string;
  readonly near: string;
}

/** @param nearTokens most tokens of the raw text, before and behind the memories each */
export function splitPrefix(
  encoder: Encoder,
  prefix: string,
  { layout, nearTokens }: { readonly layout: PrefixLayout; readonly nearTokens: number },
): SplitPrefix {
  const nearStart = prefix.length - nearLength(encoder, prefix, nearTokens);
  const start = layout === "former" ? nearStart : Math.max(nearStart, lastLineStart(prefix));
  const opening =
    layout === "latter" ? new SuffixWindow(encoder, nearTokens).read(prefix).text : "";
  const farStart = opening.length;
  if (nearStart === 0 || farStart >= start) return { first: "", far: "", near: prefix };
  return {
    first: prefix.slice(0, farStart),
    far: prefix.slice(farStart, start),
    near: prefix.slice(start),
  };
}

/** Characters of the last lines that fit. */
function nearLength(encoder: Encoder, prefix: string, tokens: number): number {
  return new PrefixWindow(encoder, { tokens, step: 0 }).read(prefix).text.length;
}

/** Of the last line that is not blank. */
function lastLineStart(text: string): number {
  return text.lastIndexOf("\n", text.trimEnd().length - 1) + 1;
}
