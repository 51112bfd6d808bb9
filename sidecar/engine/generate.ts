// The decode loop: choose, hand out, run, choose again. A chosen id is run only when the next one is
// asked for, so a caller that stops early pays for no step it does not use.
import { throwIfCancelled } from "../errors.ts";
import type { Engine } from "./engine.ts";
import type { KvCache } from "./kv-cache.ts";
import type { Choice, Sampler } from "./sampler.ts";

export interface GenerateOptions {
  readonly maxTokens: number;
  readonly sampler: Sampler;
  /** Whether an id ends the text; such an id is neither yielded nor run. */
  readonly isEnd: (id: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Continues what `cache` holds; `logits` [vocabulary] are those of its last position. Returns "end"
 * when the model ended the text, "length" at `maxTokens` or when the cache is full.
 * @throws CancelledError
 */
export async function* generate(
  engine: Engine,
  cache: KvCache,
  logits: Float32Array,
  options: GenerateOptions,
): AsyncGenerator<Choice, "end" | "length"> {
  const { maxTokens, sampler, isEnd, signal } = options;
  let current = logits;
  for (let count = 0; count < maxTokens; count++) {
    throwIfCancelled(signal);
    const choice = sampler(current);
    if (isEnd(choice.id)) return "end";
    yield choice;
    if (count + 1 === maxTokens || cache.length === cache.capacity) break;
    ({ logits: current } = await engine.run(cache, [choice.id], { logitsAt: "last", signal }));
  }
  return "length";
}
