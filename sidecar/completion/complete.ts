// Text around a cursor -> the text in between. In: a prompt's text, an engine and its tokenizer.
// Out: the answer, what it cost, and for an empty one the reason. Two ways in: `complete` and
// `score` serve the batch contract from a cold cache and add nothing of their own; `completeInline`
// serves the editor with near windows, the cached prompt, the moved suffix and post-processing.
import assert from "node:assert/strict";
import { type Aligned, type Alignment, type AlignmentLimits, align } from "../alignment/align.ts";
import type { Engine } from "../engine/engine.ts";
import { createSampler, type SamplerOptions } from "../engine/sampler.ts";
import { LimitError, throwIfCancelled } from "../errors.ts";
import { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { startChoices, type TailTrace } from "./aligned-choices.ts";
import { type Answer, findStop, meanLogProbability, readAnswer } from "./answer.ts";
import { defaults } from "./defaults.ts";
import {
  countParts,
  encodeHeader,
  layOut,
  lengthOf,
  type Prompt,
  type PromptLayout,
  readLayout,
} from "./layout.ts";
import { type LaidMemories, type Memories, noMemories, type PrefixText } from "./memories.ts";
import { Meter } from "./meter.ts";
import { isInsideWord, longestAnswer, readPlace } from "./place.ts";
import { findEnd, shapeText } from "./postprocess.ts";
import { type SplitPrefix, splitPrefix } from "./prefix-layout.ts";
import { type FillOptions, PromptCache } from "./prompt-cache.ts";
import type {
  AlignmentReport,
  BatchOptions,
  CancelOptions,
  Completion,
  CompletionRequest,
  InlineCompletion,
  InlineDocument,
  InlineOptions,
  InlineReason,
  InlineTimes,
  MemoryRequest,
  PromptText,
  Score,
  StageTimes,
  TokenCounts,
} from "./request.ts";
import { scoreTarget } from "./score.ts";
import { PrefixWindow, SuffixWindow } from "./window.ts";

/** An answer to make: what `complete` and `completeInline` have in common. */
interface Task {
  readonly prompt: Prompt;
  readonly aligned: Aligned;
  readonly fill: FillOptions;
  readonly maxTokens: number;
  readonly sampling: SamplerOptions;
  readonly isComplete: (text: string, lengthBefore: number) => boolean;
}

/** The near text of a prompt, as `layOut` takes it. */
type NearIds = Omit<Parameters<typeof layOut>[1], "blocks">;

interface Answered {
  readonly answer: Answer;
  readonly alignment: AlignmentReport;
  readonly tokens: Omit<TokenCounts, "prefix" | "suffix" | "contextBefore" | "contextAfter">;
  readonly ms: StageTimes;
  /** Copying blocks; a part of `ms.prefill`. */
  readonly attachMs: number;
}

/** Of the ids that alignment keeps, those that the editor's answer has. */
const lastKeptCount = 8;

const greedy: SamplerOptions = { temperature: 0, topP: 1, seed: 0 };

/** Completes with one cache, so one request at a time: a later one waits for the earlier to end. */
export class Completer {
  readonly #engine: Engine;
  readonly #tokenizer: Tokenizer;
  readonly #alignment: Alignment;
  readonly #layout: PromptLayout;
  readonly #memories: Memories | null;
  readonly #cache: PromptCache;
  readonly #prefixWindow: PrefixWindow;
  readonly #suffixWindow: SuffixWindow;
  /** Of the editor's last request that was answered by the model. */
  #lastNear: { readonly near: NearIds; readonly file: string | null } | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    engine: Engine,
    tokenizer: Tokenizer,
    limits: AlignmentLimits = defaults.alignment.limits,
    memories: Memories | null = null,
  ) {
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    const vocabulary = new ByteSortedVocabulary(tokenizer);
    this.#alignment = { tokenizer, vocabulary, limits };
    this.#layout = readLayout(tokenizer);
    this.#memories = memories;
    this.#cache = new PromptCache(engine, {
      capacity: Math.min(defaults.window, engine.shape.contextLength),
      movedTokens: defaults.suffix.movedTokens,
      freshTokens: defaults.suffix.freshTokens,
    });
    this.#prefixWindow = new PrefixWindow(tokenizer, defaults.prefix);
    this.#suffixWindow = new SuffixWindow(tokenizer, defaults.suffix.tokens);
  }

  /**
   * The batch contract's `complete`: the whole prompt, from a cold cache by default.
   * @throws LimitError when prompt and answer exceed the window; CancelledError
   */
  complete(request: CompletionRequest, options: BatchOptions = {}): Promise<Completion> {
    return this.#alone(options.signal, () => this.#complete(request, options));
  }

  /**
   * The batch contract's `score`: the target's negative log-likelihood behind the prompt, from a
   * cold cache by default. The target is tokenised apart.
   * @throws LimitError when prompt and target exceed the window; CancelledError
   */
  score(
    request: PromptText & { readonly target: string },
    options: BatchOptions = {},
  ): Promise<Score> {
    return this.#alone(options.signal, () => this.#score(request, options));
  }

  /**
   * The editor's completion: what is to be shown at the cursor, or the reason why nothing is.
   * @throws CancelledError; what was run until then serves the next request
   */
  completeInline(document: InlineDocument, options: InlineOptions = {}): Promise<InlineCompletion> {
    return this.#alone(options.signal, () => this.#completeInline(document, options));
  }

  /**
   * For idle time: makes the cache what the editor's last request would find in a fresh run with
   * `memories` in front, so that the next one need not. Those of another file than that request's
   * change nothing. Returns the rows run.
   * @throws CancelledError
   */
  refresh(
    { file, memories }: { readonly file: string | null; readonly memories: LaidMemories },
    { signal }: CancelOptions = {},
  ): Promise<number> {
    return this.#alone(signal, async () => {
      const last = this.#lastNear;
      if (last === null || last.file !== file) return 0;
      const prompt = layOut(this.#layout, { ...last.near, blocks: memories.blocks });
      return await this.#cache.makeExact(prompt, { chunk: defaults.chunk.idle, signal });
    });
  }

  async #complete(request: CompletionRequest, options: BatchOptions): Promise<Completion> {
    const meter = new Meter(this.#engine.counters);
    const { near, memories } = await this.#layTexts(request, options.signal);
    meter.lap("compress");
    const aligned = align(this.#alignment, near.prefix, request.alignment);
    const prompt = layOut(this.#layout, { ...near, prefix: aligned.kept });
    const { answer, alignment, tokens, ms } = await this.#answer(meter, {
      prompt,
      aligned,
      fill: {
        reuse: reuseOf(options),
        chunk: defaults.chunk.batch,
        signal: options.signal,
      },
      maxTokens: request.maxTokens,
      sampling: request,
      isComplete: (text, lengthBefore) => findStop(text, request.stop, lengthBefore) >= 0,
    });
    const end = findStop(answer.text, request.stop, 0);
    return {
      text: end < 0 ? answer.text : answer.text.slice(0, end),
      finish: end < 0 ? answer.finish : "stop",
      ids: answer.tokens.map(({ id }) => id),
      meanLogProbability: meanLogProbability(answer.tokens),
      alignment,
      tokens: { ...countTexts(near, memories), ...tokens },
      ms,
    };
  }

  async #completeInline(
    document: InlineDocument,
    { signal, memories = noMemories, file = null, refusal = null, faults }: InlineOptions,
  ): Promise<InlineCompletion> {
    const meter = new Meter(this.#engine.counters);
    if (refusal !== null) return notOffered(refusal, meter);
    if (isInsideWord(document)) return notOffered("inside-word-off", meter);
    const place = readPlace(document, document.multiline);
    const header = encodeHeader(this.#layout, this.#tokenizer, document.path);
    const { text: prefixText, ids: prefix } = this.#prefixWindow.read(document.prefix);
    const { text: suffixText, ids: suffix } = this.#suffixWindow.read(document.suffix);
    const aligned = align(this.#alignment, prefix, document.alignment);
    const near = { header, prefix: aligned.kept, suffix };
    this.#lastNear = { near, file };
    const prompt = layOut(this.#layout, { ...near, blocks: memories.blocks });
    const parts = countParts(prompt, near);
    const maxTokens = longestAnswer(place);
    const { answer, alignment, tokens, ...times } = await this.#answer(meter, {
      prompt,
      aligned,
      fill: { reuse: "moved", chunk: defaults.chunk.interactive, signal },
      maxTokens,
      sampling: greedy,
      isComplete: (text) => findEnd(text, place) !== null,
    });
    const shown = shapeText(answer.text, place, answer.finish === "length", await faults);
    const mean = meanLogProbability(answer.tokens, shown.length);
    const isUnsure = shown.reason === null && mean < defaults.minimumMeanLogProbability;
    const reason: InlineReason | null = isUnsure ? "low-confidence" : shown.reason;
    return {
      text: reason === null ? shown.text : "",
      replaced: reason === null ? shown.replaced : 0,
      reason,
      alignment: { ...alignment, lastKept: [...aligned.kept.slice(-lastKeptCount)] },
      use: {
        window: this.#cache.capacity,
        parts,
        reserve: maxTokens,
        left: {
          prefix: document.prefix.length - prefixText.length,
          suffix: document.suffix.length - (parts.suffix === 0 ? 0 : suffixText.length),
          answer: answer.text.length - shown.length,
        },
      },
      tokens: {
        ...countTexts({ prefix, suffix: null }, memories),
        suffix: parts.suffix,
        ...tokens,
      },
      ms: inlineTimes(times.ms, times.attachMs),
    };
  }

  async #answer(meter: Meter, task: Task): Promise<Answered> {
    const { prompt, aligned, fill, maxTokens, sampling } = task;
    const tail = aligned.way === "off" ? new Uint8Array(0) : aligned.tail;
    const trace: TailTrace = { ids: [], logWeight: 0 };
    this.#checkFits(lengthOf(prompt) + maxTokens);
    meter.lap("plan");
    const computedBefore = meter.computed;
    const attachedBefore = this.#cache.attachMs;
    const choices = await startChoices(this.#cache, {
      prompt,
      aligned,
      fill,
      generate: {
        maxTokens,
        sampler: createSampler(sampling),
        isEnd: (id) => this.#tokenizer.isSpecial(id) || this.#tokenizer.endIds.has(id),
        signal: fill.signal,
      },
      temperature: sampling.temperature,
      vocabulary: this.#alignment.vocabulary,
      bytesOf: (id) => this.#tokenizer.bytesOf(id),
      trace,
    });
    meter.lap("prefill");
    const attachMs = this.#cache.attachMs - attachedBefore;
    const nodes = aligned.way === "exact" ? aligned.trie.nodes.length : 0;
    const reused = lengthOf(prompt) + nodes - (meter.computed - computedBefore);
    const decoder = this.#tokenizer.createStreamDecoder(tail.length);
    const answer = await readAnswer(choices, decoder, task.isComplete);
    meter.lap("decode");
    const tokens = { generated: answer.tokens.length, computed: meter.computed, reused };
    const alignment = { way: aligned.way, keptTokens: aligned.kept.length, tail, ...trace };
    return { answer, alignment, tokens, ms: meter.times, attachMs };
  }

  async #score(
    request: PromptText & { readonly target: string },
    options: BatchOptions,
  ): Promise<Score> {
    const { signal } = options;
    const meter = new Meter(this.#engine.counters);
    const { near, memories } = await this.#layTexts(request, signal);
    meter.lap("compress");
    const prompt = layOut(this.#layout, near);
    const target = [...this.#tokenizer.encode(request.target)];
    this.#checkFits(lengthOf(prompt) + target.length);
    meter.lap("plan");
    const computedBefore = meter.computed;
    const logits = await this.#cache.fill(prompt, {
      reuse: reuseOf(options),
      chunk: defaults.chunk.batch,
      signal,
    });
    meter.lap("prefill");
    const reused = lengthOf(prompt) - (meter.computed - computedBefore);
    const nll = await scoreTarget(this.#cache, logits, target, signal);
    meter.lap("decode");
    return {
      nll,
      targetTokens: target.length,
      tokens: { ...countTexts(near, memories), generated: 0, computed: meter.computed, reused },
      ms: meter.times,
    };
  }

  /** What a prompt is laid out from. */
  async #layTexts({ path, prefix, suffix, memory }: PromptText, signal: AbortSignal | undefined) {
    const split = this.#splitPrefix(prefix, memory);
    const ids = this.#tokenizer.encode(split.near);
    const memories = await this.#layMemories(memory, { ...split, path, near: ids }, signal);
    // The far part has the header, where there is one.
    const hasHeader = path !== undefined && split.far === "";
    const own = hasHeader ? encodeHeader(this.#layout, this.#tokenizer, path) : [];
    const hasSuffix = suffix !== undefined && this.#layout.middle !== null;
    const near = {
      blocks: memories.blocks,
      header: [...memories.ids, ...own],
      prefix: ids,
      suffix: hasSuffix ? this.#tokenizer.encode(suffix) : null,
    };
    return { near, memories };
  }

  #splitPrefix(prefix: string, memory: MemoryRequest | undefined): SplitPrefix {
    const layout = memory?.layout;
    if (layout === undefined || memory?.form === "raw") return { first: "", far: "", near: prefix };
    const nearTokens = defaults.prefix.tokens;
    return splitPrefix(this.#tokenizer, prefix, { layout, nearTokens });
  }

  #layMemories(
    request: MemoryRequest | undefined,
    prefix: PrefixText,
    signal: AbortSignal | undefined,
  ): Promise<LaidMemories> {
    if (request === undefined) return Promise.resolve(noMemories);
    assert(this.#memories !== null, "this completer was made without memories");
    return this.#memories.lay(request, prefix, { chunk: defaults.chunk.batch, signal });
  }

  #checkFits(count: number): void {
    const { capacity } = this.#cache;
    if (count > capacity) {
      throw new LimitError(
        `completion: ${count} tokens of prompt and answer exceed the window of ${capacity}`,
      );
    }
  }

  #alone<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      throwIfCancelled(signal);
      return work();
    });
    // What became of this request is its caller's business, not the next one's.
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function reuseOf({ exactReuse = false }: BatchOptions): FillOptions["reuse"] {
  return exactReuse ? "exact" : "none";
}

function countTexts(
  near: { readonly prefix: ArrayLike<number>; readonly suffix: ArrayLike<number> | null },
  { contextBefore, contextAfter, prefix }: LaidMemories,
) {
  return {
    prefix: prefix + near.prefix.length,
    suffix: near.suffix?.length ?? 0,
    ...{ contextBefore, contextAfter },
  };
}

/** Without a look at the model. */
function notOffered(reason: InlineReason, meter: Meter): InlineCompletion {
  meter.lap("plan");
  const counts = countTexts({ prefix: [], suffix: null }, noMemories);
  const tokens = { ...counts, generated: 0, computed: 0, reused: 0 };
  const ms = inlineTimes(meter.times, 0);
  return { text: "", replaced: 0, reason, alignment: null, use: null, tokens, ms };
}

function inlineTimes({ plan, prefill, decode, total }: StageTimes, attach: number): InlineTimes {
  return { plan, attach, prefill: prefill - attach, decode, total };
}
