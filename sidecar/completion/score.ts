// The negative log-likelihood of a text behind a prompt, the measure of every benchmark.
import { logProbability } from "../engine/sampler.ts";
import type { PromptCache } from "./prompt-cache.ts";

// Rows whose logits are held at once: 152,000 float32 values each.
const scoredRows = 32;

/**
 * Sum over `target` in nats; `logits` [vocabulary] are those of the prompt that `cache` holds.
 * @throws CancelledError
 */
export async function scoreTarget(
  cache: PromptCache,
  logits: Float32Array,
  target: readonly number[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const [first, ...rest] = target;
  if (first === undefined) return 0;
  const vocabularySize = logits.length;
  let nll = -logProbability(logits, first);
  for (let start = 0; start < rest.length; start += scoredRows) {
    const predicted = rest.slice(start, start + scoredRows);
    const known = target.slice(start, start + predicted.length);
    const rows = await cache.append(known, { chunk: scoredRows, signal });
    for (const [index, id] of predicted.entries()) {
      const row = rows.subarray(index * vocabularySize, (index + 1) * vocabularySize);
      nll -= logProbability(row, id);
    }
  }
  return nll;
}
