// The one approximation of the product, measured: after some typed tokens, how far
// are a suffix whose rows were moved and one that was run again behind the new prefix apart?
import { defaults } from "../../sidecar/completion/defaults.ts";
import { encodeHeader, layOut, type Prompt, readLayout } from "../../sidecar/completion/layout.ts";
import { PromptCache } from "../../sidecar/completion/prompt-cache.ts";
import { scoreTarget } from "../../sidecar/completion/score.ts";
import { PrefixWindow, SuffixWindow } from "../../sidecar/completion/window.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import { bestId } from "../../sidecar/engine/sampler.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { type CodePlace, pickCodePlaces } from "../support/code-places.ts";
import { createRandom } from "../support/random-tensor.ts";

/** One place, completed behind a moved suffix and behind one that was run again. */
export interface SuffixTrace {
  /** Prefix tokens typed since the moved suffix was run. */
  readonly typed: number;
  readonly agrees: boolean;
  /** Negative log-likelihood of the true rest of the line, in nats. */
  readonly movedNll: number;
  readonly exactNll: number;
}

export interface SuffixAgreement {
  readonly traces: number;
  /** Share with the same best next token. */
  readonly agreement: number;
  /** Relative change of the summed negative log-likelihood. */
  readonly nllChange: number;
}

export interface SuffixOptions {
  readonly count: number;
  /** The typed tokens of a place are drawn between these two. */
  readonly typed: { readonly from: number; readonly to: number };
  /** Suffix ids that are run at every keystroke; default in defaults.ts. */
  readonly freshTokens?: number;
}

/** Traces at seeded places. */
export async function* traceSuffixes(
  model: { readonly engine: Engine; readonly tokenizer: Tokenizer },
  options: SuffixOptions,
): AsyncGenerator<SuffixTrace> {
  const { engine, tokenizer } = model;
  const { from, to } = options.typed;
  const random = createRandom(2);
  const cache = new PromptCache(engine, {
    capacity: defaults.window,
    movedTokens: to,
    freshTokens: options.freshTokens ?? defaults.suffix.freshTokens,
  });
  for (const place of pickCodePlaces(options.count, 1)) {
    const typed = from + Math.floor(random() * (to - from + 1));
    const prompt = promptAt(tokenizer, place);
    const target = [...tokenizer.encode(place.rest)];
    const before = { ...prompt, head: prompt.head.slice(0, -typed) };
    await cache.fill(before, { reuse: "exact", chunk: defaults.chunk.batch });
    const moved = await completeAt(cache, { prompt, target, reuse: "moved" });
    const exact = await completeAt(cache, { prompt, target, reuse: "exact" });
    yield {
      typed,
      agrees: moved.best === exact.best,
      movedNll: moved.nll,
      exactNll: exact.nll,
    };
  }
}

export function summarise(traces: readonly SuffixTrace[]): SuffixAgreement {
  const sum = (value: (trace: SuffixTrace) => number): number =>
    traces.reduce((total, trace) => total + value(trace), 0);
  return {
    traces: traces.length,
    agreement: sum(({ agrees }) => Number(agrees)) / traces.length,
    nllChange: sum(({ movedNll }) => movedNll) / sum(({ exactNll }) => exactNll) - 1,
  };
}

function promptAt(tokenizer: Tokenizer, place: CodePlace): Prompt {
  const layout = readLayout(tokenizer);
  return layOut(layout, {
    header: encodeHeader(layout, tokenizer, place.path),
    prefix: new PrefixWindow(tokenizer, defaults.prefix).read(place.prefix).ids,
    suffix: new SuffixWindow(tokenizer, defaults.suffix.tokens).read(place.suffix).ids,
  });
}

async function completeAt(
  cache: PromptCache,
  task: { prompt: Prompt; target: readonly number[]; reuse: "moved" | "exact" },
): Promise<{ best: number; nll: number }> {
  const logits = await cache.fill(task.prompt, { reuse: task.reuse, chunk: defaults.chunk.batch });
  const best = bestId(logits);
  return { best, nll: await scoreTarget(cache, logits, task.target, undefined) };
}
