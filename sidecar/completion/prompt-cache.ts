// What the key/value cache holds, slot by slot, so that a prompt runs only what is new in it. In: the
// prompt in its parts. Out: the logits behind it. The blocks in front are copied; what stands behind a
// block that has changed is run again, because it has attended to the older one.
//
// Between keystrokes only the end of the head changes, with the suffix behind it. A new prefix
// token must not see the suffix, so the suffix's rows are lifted out, the new tokens run, and the
// rows put back with their keys rotated to their new positions. They had attended to the older
// prefix: this is the one approximation of the product, and only `reuse: "moved"` takes it, for a
// few changed prefix tokens, until the suffix is run again. The suffix's first rows are always run:
// the model looks up in the row of the suffix token where the prefix ended, and completes the older
// prefix if that row is moved too (test/bench/suffix.bench.ts has the figures).
import assert from "node:assert/strict";
import type { Engine } from "../engine/engine.ts";
import { type GenerateOptions, generate } from "../engine/generate.ts";
import type { KvBlock, KvCache } from "../engine/kv-cache.ts";
import type { Choice } from "../engine/sampler.ts";
import { commonLength, type Prompt, type PromptBlock } from "./layout.ts";

export interface PromptCacheOptions {
  /** Positions for prompt and answer. */
  readonly capacity: number;
  /** Greatest number of changed prefix tokens behind which the suffix's rows are still moved. */
  readonly movedTokens: number;
  /** Suffix ids, the suffix token first, that are run again with every change of the prefix. */
  readonly freshTokens: number;
}

export interface FillOptions {
  /**
   * What of the cache may be used: nothing, only rows equal to those of a fresh run, or the
   * suffix's rows from behind an older prefix too.
   */
  readonly reuse: "none" | "exact" | "moved";
  /** Rows between two looks at the signal. */
  readonly chunk: number;
  readonly signal?: AbortSignal | undefined;
}

/** A token behind the prompt, or behind another one of them. */
export interface TreeNode {
  readonly id: number;
  /** Index of the node it follows; -1: it follows the prompt. */
  readonly parent: number;
}

/** Logits [vocabulary] behind a node; -1: behind the prompt. */
export type LogitsOf = (node: number) => Float32Array;

/** What a position of the cache holds: the row of an id, or a part of the block with this key. */
type Slot = number | string;

/** A prompt with its blocks and its head in one list. */
interface SlottedPrompt {
  readonly blocks: readonly PromptBlock[];
  readonly head: readonly Slot[];
  readonly suffix: readonly number[];
  readonly middle: readonly number[];
}

/** The rows of a suffix but for the fresh ones, and the head that they have attended to. */
interface Suffix {
  readonly ids: readonly number[];
  readonly head: readonly Slot[];
  readonly block: KvBlock;
}

export class PromptCache {
  readonly #engine: Engine;
  readonly #cache: KvCache;
  readonly #movedTokens: number;
  readonly #freshTokens: number;
  /** As many as the cache has positions. */
  #slots: Slot[] = [];
  /** Positions before this one hold what a fresh run would have computed. */
  #exactLength = 0;
  #suffix: Suffix | null = null;
  #attachMs = 0;

  constructor(engine: Engine, options: PromptCacheOptions) {
    this.#engine = engine;
    this.#cache = engine.createCache(options.capacity);
    this.#movedTokens = options.movedTokens;
    this.#freshTokens = options.freshTokens;
  }

  get capacity(): number {
    return this.#cache.capacity;
  }

  /** Positions in use. */
  get length(): number {
    return this.#cache.length;
  }

  /** Milliseconds that copying blocks of prompts has taken since the cache was made. */
  get attachMs(): number {
    return this.#attachMs;
  }

  /**
   * Makes the cache hold `prompt` and returns the logits [vocabulary] behind its last id. After a
   * cancel the cache holds what was run until then.
   * @throws CancelledError
   * @throws LimitError when the prompt is longer than the capacity
   */
  async fill(prompt: Prompt, options: FillOptions): Promise<Float32Array> {
    const slotted = slotsOf(prompt);
    const { rest, isMoved } = await this.#place(slotted, options);
    const logits = await this.#run(rest, options, "last");
    if (!isMoved && options.reuse !== "none") this.#keepSuffix(slotted);
    return logits;
  }

  /**
   * Like `fill`, and runs `tree` behind the prompt, in the same run unless the prompt is cold or long.
   * `choose` gets the logits behind a node (-1: behind the prompt) and returns the path that stays.
   * @throws CancelledError
   * @throws LimitError when prompt and tree are longer than the capacity
   */
  async fillTree(
    prompt: Prompt,
    tree: readonly TreeNode[],
    options: FillOptions & { readonly choose: (logitsOf: LogitsOf) => readonly number[] },
  ): Promise<void> {
    const slotted = slotsOf(prompt);
    const { rest, isMoved } = await this.#place(slotted, options);
    const isOneRun = this.#slots.length > 0 && rest.length + tree.length <= options.chunk;
    const chain = isOneRun ? rest : [];
    // A copy, because the next run overwrites the row.
    const behind = isOneRun ? null : (await this.#run(rest, options, "last")).slice();
    const rows = await this.#runTree(chain, tree, options.signal);
    const size = this.#engine.shape.vocabularySize;
    const rowOf = (row: number) => rows.subarray(row * size, (row + 1) * size);
    const path = options.choose((node) =>
      behind === null ? rowOf(node + 1) : node < 0 ? behind : rowOf(node),
    );
    if (!isMoved && options.reuse !== "none") this.#keepSuffix(slotted);
    this.#keepPath(path, tree);
  }

  /** Runs more ids behind what the cache holds; logits [ids, vocabulary]. */
  append(ids: readonly number[], options: Omit<FillOptions, "reuse">): Promise<Float32Array> {
    return this.#run(ids, options, "all");
  }

  /** `generate` on this cache; the ids that it runs may be part of the next prompt. */
  async *decode(
    logits: Float32Array,
    options: GenerateOptions,
  ): AsyncGenerator<Choice, "end" | "length"> {
    const choices = generate(this.#engine, this.#cache, logits, options);
    const start = this.#slots.length;
    const chosen: number[] = [];
    try {
      for (;;) {
        const next = await choices.next();
        if (next.done === true) return next.value;
        chosen.push(next.value.id);
        yield next.value;
      }
    } finally {
      this.#record(chosen, start);
    }
  }

  /** Makes the cache hold what a fresh run of `prompt` would; returns the rows run. */
  async makeExact(prompt: Prompt, options: Omit<FillOptions, "reuse">): Promise<number> {
    const { head, suffix } = slotsOf(prompt);
    const whole = [...head, ...suffix];
    const held = Math.min(this.#exactLength, commonLength(this.#slots, whole));
    if (held === whole.length) return 0;
    const before = this.#engine.counters.positions;
    await this.fill(prompt, { ...options, reuse: "exact" });
    return this.#engine.counters.positions - before;
  }

  /** The kept rows of the prompt's suffix, if they had attended to nearly the same head. */
  #movable(prompt: SlottedPrompt): Suffix | null {
    const suffix = this.#suffix;
    if (suffix === null || !areEqual(suffix.ids, prompt.suffix)) return null;
    const shared = commonLength(suffix.head, prompt.head);
    const changed = Math.max(suffix.head.length, prompt.head.length) - shared;
    return changed <= this.#movedTokens ? suffix : null;
  }

  /** Makes the cache begin with the prompt's head and the suffix's rows behind it. */
  async #placeSuffix(
    { blocks, head }: SlottedPrompt,
    suffix: Suffix,
    options: Omit<FillOptions, "reuse">,
  ): Promise<void> {
    const whole = [...head, ...suffix.ids];
    const fresh = head.length + suffix.ids.length - suffix.block.length;
    if (commonLength(this.#slots, whole) === whole.length) return;
    this.#truncate(Math.min(commonLength(this.#slots, whole), fresh));
    this.#attachBlocks(blocks, whole);
    if (this.#slots.length < fresh)
      await this.#run(idsIn(whole.slice(this.#slots.length, fresh)), options, []);
    const isExact = areEqual(suffix.head, head) && this.#exactLength === fresh;
    this.#cache.attach(suffix.block);
    this.#slots.push(...whole.slice(fresh));
    if (isExact) this.#exactLength = whole.length;
  }

  /** Makes the cache hold the beginning of `prompt`; the rest of its ids is at least one. */
  async #place(
    prompt: SlottedPrompt,
    options: FillOptions,
  ): Promise<{ rest: number[]; isMoved: boolean }> {
    if (options.reuse === "none") this.#truncate(0);
    const slots = [...prompt.head, ...prompt.suffix, ...prompt.middle];
    const suffix = options.reuse === "moved" ? this.#movable(prompt) : null;
    if (suffix !== null) await this.#placeSuffix(prompt, suffix, options);
    const kept = Math.min(commonLength(this.#slots, slots), slots.length - 1);
    this.#truncate(suffix === null ? Math.min(kept, this.#exactLength) : kept);
    this.#attachBlocks(prompt.blocks, slots);
    return { rest: idsIn(slots.slice(this.#slots.length)), isMoved: suffix !== null };
  }

  /** Copies the blocks that come next in `slots`, of which the cache holds the beginning. */
  #attachBlocks(blocks: readonly PromptBlock[], slots: readonly Slot[]): void {
    for (;;) {
      const start = this.#slots.length;
      const key = slots[start];
      if (typeof key !== "string") return;
      const block = blocks.find((each) => each.key === key);
      assert(block !== undefined);
      const startMs = performance.now();
      this.#cache.attach(block.open());
      this.#record(slots.slice(start, start + block.length), start);
      this.#attachMs += performance.now() - startMs;
    }
  }

  /** Runs `chain` and behind it the tree; logits of the chain's last row and of every node. */
  async #runTree(
    chain: readonly number[],
    tree: readonly TreeNode[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const start = this.#slots.length;
    const ids = [...chain, ...tree.map(({ id }) => id)];
    if (ids.length === 0) return new Float32Array(0);
    const { logits } = await this.#engine.run(this.#cache, ids, {
      parents: [
        ...chain.map((_, index) => index - 1),
        ...tree.map(({ parent }) => parent + chain.length),
      ],
      logitsAt: Array.from(ids.keys()).slice(Math.max(0, chain.length - 1)),
      signal,
    });
    this.#record(chain, start);
    return logits;
  }

  /** Of the tree's rows, which follow the recorded ones, keeps those of a path. */
  #keepPath(path: readonly number[], tree: readonly TreeNode[]): void {
    const start = this.#slots.length;
    this.#cache.keepRows(
      start,
      path.map((node) => start + node),
    );
    const ids = path.map((node) => tree[node]?.id ?? 0);
    this.#record(ids, start);
  }

  #keepSuffix({ head, suffix }: SlottedPrompt): void {
    const fresh = head.length + Math.min(this.#freshTokens, suffix.length);
    const block = this.#cache.copyBlock(fresh, head.length + suffix.length);
    this.#suffix = suffix.length === 0 ? null : { ids: suffix, head, block };
  }

  async #run(
    ids: readonly number[],
    { chunk, signal }: Omit<FillOptions, "reuse">,
    logitsAt: readonly number[] | "last" | "all",
  ): Promise<Float32Array> {
    const start = this.#slots.length;
    try {
      const output = await this.#engine.run(this.#cache, ids, { logitsAt, chunk, signal });
      return output.logits;
    } finally {
      this.#record(ids, start);
    }
  }

  /** Takes note of as many of `slots` as the cache now holds behind `start`. */
  #record(slots: readonly Slot[], start: number): void {
    const isExact = this.#exactLength === start;
    this.#slots.push(...slots.slice(0, this.#cache.length - start));
    if (isExact) this.#exactLength = this.#slots.length;
  }

  #truncate(length: number): void {
    this.#cache.truncate(length);
    this.#slots.length = length;
    this.#exactLength = Math.min(this.#exactLength, length);
  }
}

function slotsOf({ blocks = [], head, suffix, middle }: Prompt): SlottedPrompt {
  const held = blocks.flatMap(({ key, length }) => new Array<string>(length).fill(key));
  return { blocks, head: [...held, ...head], suffix, middle };
}

/** Those of slots behind the blocks. */
function idsIn(slots: readonly Slot[]): number[] {
  return slots.filter((slot) => typeof slot === "number");
}

function areEqual(first: readonly Slot[], second: readonly Slot[]): boolean {
  return first.length === second.length && commonLength(first, second) === first.length;
}
