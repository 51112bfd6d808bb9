// A model that completes a line from where the needed name begins, behind memories, in the layout of
// the editor: memories, header, near text with what stands behind the line. The near text is shorter
// than the editor's, so that a benchmark takes hours, not days.
import { defaults } from "../../sidecar/completion/defaults.ts";
import type { MemoryRequest, Score } from "../../sidecar/completion/request.ts";
import { PrefixWindow, SuffixWindow } from "../../sidecar/completion/window.ts";
import type { PithParts } from "./pith-parts.ts";
import type { WorthSample } from "./worth-samples.ts";

export interface Result {
  /** Of the target, in nats. */
  readonly nll: number;
  readonly text: string;
  /** Of the memories. */
  readonly positions: number;
  /** From the request to the end of the line, without what encoding took. */
  readonly ms: number;
  readonly compressMs: number;
}

const nearTokens = { before: { tokens: 160, step: 32 }, after: 32 };
const greedy = { temperature: 0, topP: 1, seed: 1, alignment: "exact" } as const;

export async function completeSample(
  parts: PithParts,
  sample: WorthSample,
  memory: MemoryRequest | undefined,
): Promise<Result> {
  const scored = await scoreSample(parts, sample, memory);
  const line = { ...greedy, maxTokens: defaults.answer.line, stop: ["\n"] };
  const request = { ...promptOf(parts, sample), memory, ...line };
  // Most of the prompt is in the cache; exact reuse computes what a cold run would.
  const written = await parts.completer.complete(request, { exactReuse: true });
  return {
    nll: scored.nll,
    text: written.text,
    positions: scored.tokens.contextAfter,
    ms: scored.ms.prefill + written.ms.decode,
    compressMs: scored.ms.compress,
  };
}

export function scoreSample(
  parts: PithParts,
  sample: WorthSample,
  memory: MemoryRequest | undefined,
): Promise<Score> {
  const { target } = sample;
  return parts.completer.score({ ...promptOf(parts, sample), memory, target });
}

function promptOf({ tokenizer }: PithParts, { path, before, after }: WorthSample) {
  const prefix = new PrefixWindow(tokenizer, nearTokens.before).read(before).text;
  const suffix = new SuffixWindow(tokenizer, nearTokens.after).read(`\n${after}`).text;
  return { path, prefix, suffix };
}
