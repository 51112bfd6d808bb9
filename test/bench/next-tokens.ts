// What a model says about every next token of some texts: its best id and the NLL of the true one.
// One form for Pith, for llama.cpp and for the reference, so that they can be compared.
import { Engine } from "../../sidecar/engine/engine.ts";
import { bestId, logProbability } from "../../sidecar/engine/sampler.ts";
import type { PreparedModel } from "../../sidecar/model/prepare.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { readCorpus } from "../support/corpus.ts";

/** Part of a real file as ids; the tokens from `first` on are asked for. */
export interface TextWindow {
  readonly ids: readonly number[];
  readonly first: number;
}

/** Per asked token, over all windows. */
export interface NextTokens {
  readonly bestIds: readonly number[];
  /** Of the true token, in nats. */
  readonly nll: readonly number[];
}

/** `perLanguage` windows of 256 tokens from each language, 192 of them with 64 or more before. */
export function textWindows(tokenizer: Tokenizer, perLanguage: number): TextWindow[] {
  const texts = new Map<string, string>();
  for (const { language, text } of readCorpus())
    texts.set(language, (texts.get(language) ?? "") + text);
  return [...texts.values()].flatMap((text) => {
    const ids = tokenizer.encode(text);
    const step = Math.floor(ids.length / perLanguage);
    return Array.from({ length: perLanguage }, (_, index) => ({
      ids: [...ids.subarray(index * step, index * step + 256)],
      first: 64,
    }));
  });
}

export async function readNextTokens(
  prepared: PreparedModel,
  windows: readonly TextWindow[],
  threads: number,
): Promise<NextTokens> {
  const engine = await Engine.load(prepared.engine, { threads });
  const cache = engine.createCache(512);
  const bestIds: number[] = [];
  const nll: number[] = [];
  for (const { ids, first } of windows) {
    cache.truncate(0);
    const rows = ids.slice(first).map((_, index) => first + index - 1);
    const { logits } = await engine.run(cache, ids.slice(0, -1), { logitsAt: rows, chunk: 512 });
    for (const [index, id] of ids.slice(first).entries()) {
      const row = logits.subarray(
        index * engine.shape.vocabularySize,
        (index + 1) * engine.shape.vocabularySize,
      );
      bestIds.push(bestId(row));
      nll.push(-logProbability(row, id));
    }
  }
  await engine.dispose();
  return { bestIds, nll };
}

/** Share of the tokens for which both name the same id. */
export function agreement(left: NextTokens, right: NextTokens): number {
  const equal = left.bestIds.filter((id, index) => id === right.bestIds[index]);
  return equal.length / left.bestIds.length;
}

export function meanNll({ nll }: NextTokens): number {
  return nll.reduce((sum, each) => sum + each, 0) / nll.length;
}

/** Mean absolute difference of the NLL of a token: how near two models are, not which is better. */
export function nllDistance(left: NextTokens, right: NextTokens): number {
  const distances = left.nll.map((nll, index) => Math.abs(nll - (right.nll[index] ?? Number.NaN)));
  return distances.reduce((sum, each) => sum + each, 0) / distances.length;
}
