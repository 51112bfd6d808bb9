// The beginning of an answer whose prompt ends with a tail to be made again: chooses the tokens that
// hold the tail, then goes on as every answer does. The tail's bytes are part of those tokens and no
// part of the answer's text, and only a token that brings new text counts against the answer's length.
import type { Aligned } from "../alignment/align.ts";
import { pathTo } from "../alignment/covers.ts";
import { chooseCover, idsOf, type Scoring } from "../alignment/exact.ts";
import { TailFilter } from "../alignment/token.ts";
import type { GenerateOptions } from "../engine/generate.ts";
import { type Choice, logNormaliser } from "../engine/sampler.ts";
import { throwIfCancelled } from "../errors.ts";
import type { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";
import type { Prompt } from "./layout.ts";
import type { FillOptions, LogitsOf, PromptCache } from "./prompt-cache.ts";

export interface AlignedTask {
  readonly prompt: Prompt;
  readonly aligned: Aligned;
  readonly fill: FillOptions;
  readonly generate: GenerateOptions;
  /** Of the sampler in `generate`. */
  readonly temperature: number;
  readonly vocabulary: ByteSortedVocabulary;
  readonly bytesOf: (id: number) => Uint8Array;
  readonly trace: TailTrace;
}

export type Choices = AsyncGenerator<Choice, "end" | "length">;

/** What became of the tail; grows with the choices. */
export interface TailTrace {
  readonly ids: number[];
  logWeight: number;
}

/**
 * Fills the cache with the prompt and returns the choices behind it, those that hold the tail first.
 * Their log-probabilities are conditional on the tail.
 * @throws CancelledError
 */
export async function startChoices(cache: PromptCache, task: AlignedTask): Promise<Choices> {
  const { aligned, prompt, fill, generate } = task;
  if (aligned.way === "exact") return startAtCover(cache, task, aligned);
  const logits = await cache.fill(prompt, fill);
  if (aligned.way === "off") return cache.decode(logits, generate);
  const filter = new TailFilter(task.vocabulary, aligned.tail);
  return filteredChoices(cache, task, { logits, filter });
}

async function startAtCover(
  cache: PromptCache,
  task: AlignedTask,
  { trie }: Extract<Aligned, { way: "exact" }>,
): Promise<Choices> {
  let chosen: CoverTokens | null = null;
  await cache.fillTree(task.prompt, trie.nodes, {
    ...task.fill,
    choose: (logitsOf) => {
      const scoring = { trie, vocabulary: task.vocabulary, rowOf: rowsOf(logitsOf) };
      const draw = (scores: Float32Array) => task.generate.sampler(scores).id;
      const found = chooseCover(scoring, { temperature: task.temperature, draw });
      task.trace.logWeight = found?.logMass ?? Number.NEGATIVE_INFINITY;
      if (found === null) return [];
      const ids = idsOf(trie, found.cover);
      task.trace.ids.push(...ids);
      const length = ids.reduce((sum, id) => sum + task.bytesOf(id).length, 0);
      const logProbability = found.cover.logProbability - found.logMass;
      chosen = { ids, logProbability, isCrossing: length > trie.tail.length };
      return pathTo(trie.nodes, found.cover.node);
    },
  });
  return coverChoices(cache, task, chosen);
}

interface CoverTokens {
  readonly ids: readonly number[];
  /** Of the cover, given the tail. */
  readonly logProbability: number;
  /** Whether the last token has bytes behind the tail's end. */
  readonly isCrossing: boolean;
}

function rowsOf(logitsOf: LogitsOf): Scoring["rowOf"] {
  return (node) => {
    const logits = logitsOf(node);
    return { logits, logNormaliser: logNormaliser(logits) };
  };
}

/** The cover's tokens, all but the last of which the cache holds, and what the model makes of them. */
async function* coverChoices(
  cache: PromptCache,
  { generate, fill }: AlignedTask,
  chosen: CoverTokens | null,
): Choices {
  if (chosen === null) return "end";
  if (generate.maxTokens === 0) return "length";
  const last = chosen.ids.length - 1;
  for (const [index, id] of chosen.ids.entries())
    yield { id, logProbability: index === last ? chosen.logProbability : 0 };
  const left = generate.maxTokens - (chosen.isCrossing ? 1 : 0);
  if (left === 0) return "length";
  const logits = await cache.append(chosen.ids.slice(last), fill);
  return yield* cache.decode(logits, { ...generate, maxTokens: left });
}

/** Choices among the tokens that agree with what is left of the tail, then free ones. */
async function* filteredChoices(
  cache: PromptCache,
  { generate, fill, bytesOf, trace }: AlignedTask,
  start: { readonly logits: Float32Array; readonly filter: TailFilter },
): Choices {
  let { logits } = start;
  let left = generate.maxTokens;
  if (left === 0) return "length";
  for (let admitted = start.filter.admitted(); admitted !== null; ) {
    if (admitted.length === 0) return "end";
    throwIfCancelled(generate.signal);
    const choice = generate.sampler(logits, admitted);
    const logAdmitted = logNormaliser(logits, admitted) - logNormaliser(logits);
    trace.ids.push(choice.id);
    trace.logWeight += logAdmitted;
    yield { ...choice, logProbability: choice.logProbability - logAdmitted };
    if (start.filter.accept(bytesOf(choice.id)).length > 0) left -= 1;
    if (left === 0) return "length";
    logits = await cache.append([choice.id], fill);
    admitted = start.filter.admitted();
  }
  return yield* cache.decode(logits, { ...generate, maxTokens: left });
}
