// Ids of a piece -> its virtual tokens, and these -> a block of keys and values: the embedded form
// (UniICL, arXiv 2405.17062; SelfCP, arXiv 2405.17052).
//
//   encode, at position 0      [question] SEP piece M x k    C = LN(W h + b) of the states h at the k slots
//   pooling adapters           [question] SEP piece          of the means of k even parts of the piece's
//   use, behind the sink       C CONT
//   decode, behind the sink    C REC                         and then what the model writes
//
// With a question the memory depends on it too: that is SelfCP's conditional compression.
import assert from "node:assert/strict";
import type { Engine } from "../engine/engine.ts";
import { type GenerateOptions, generate } from "../engine/generate.ts";
import type { KvBlock } from "../engine/kv-cache.ts";
import { createSampler } from "../engine/sampler.ts";
import { LimitError } from "../errors.ts";
import type { Adapter } from "./adapter.ts";
import { runBehindSink } from "./block-run.ts";
import type { EncodeOptions } from "./kept-encoder.ts";
import { meanRows, projectStates, type VirtualTokens } from "./virtual-tokens.ts";

/** Tokens of a piece, as in training. */
export const embeddedPieceTokens = 512;
/** Tokens of a question, the last of the text before the cursor. */
export const questionTokens = 128;
/** CONT takes a position behind the virtual tokens of every piece. */
export const continuationTokens = 1;

/** What a piece was found to be; virtual tokens are made of it. */
export interface EmbeddedMemory {
  /** Of the piece, `n`. */
  readonly tokenCount: number;
  /** [rows, hidden]: at the slots, or at every token of the piece where the adapter pools. */
  readonly states: Float32Array;
}

export interface CompressOptions extends EncodeOptions {
  /** Virtual tokens to make, at most as many as the piece has tokens. */
  readonly count: number;
  /** Ids that stand before the piece. */
  readonly question: readonly number[];
}

export type DecodeOptions = EncodeOptions & Pick<GenerateOptions, "maxTokens" | "isEnd">;

export class EmbeddedEncoder {
  readonly adapter: Adapter;
  readonly #engine: Engine;
  /** Of slots, as many as were asked for at a time; fewer are the first of them. */
  readonly #projected = new WeakMap<EmbeddedMemory, VirtualTokens>();

  constructor(engine: Engine, adapter: Adapter) {
    assert(adapter.hiddenSize === engine.shape.hiddenSize);
    this.#engine = engine;
    this.adapter = adapter;
  }

  /**
   * What `count` virtual tokens are made of.
   * @throws LimitError for a piece or a question that is too long; CancelledError
   */
  async encode(
    ids: readonly number[],
    { count, question, ...options }: CompressOptions,
  ): Promise<EmbeddedMemory> {
    assert(count >= 1 && count <= ids.length);
    checkLength("a piece", ids.length, embeddedPieceTokens);
    checkLength("a question", question.length, questionTokens);
    const { hiddenSize, separator, slot } = this.adapter;
    const slots = slot === null ? [] : new Array<Float32Array>(count).fill(slot);
    const embeds = joinRows([
      this.#engine.embed(question),
      separator,
      this.#engine.embed(ids),
      ...slots,
    ]);
    const cache = this.#engine.createCache(embeds.length / hiddenSize);
    const factors = this.adapter.lora ?? undefined;
    const run = { ...options, factors, hidden: true };
    const { hidden } = await this.#engine.run(cache, { embeds }, run);
    assert(hidden !== null);
    const rows = slot === null ? ids.length : count;
    return { tokenCount: ids.length, states: hidden.slice(hidden.length - rows * hiddenSize) };
  }

  /** The most virtual tokens that can be made of a memory. */
  capacityOf({ states }: EmbeddedMemory): number {
    return states.length / this.adapter.hiddenSize;
  }

  /** Slots do not see the ones behind them, so the first ones are a memory too. */
  virtualTokens(memory: EmbeddedMemory, count: number): VirtualTokens {
    assert(count >= 1 && count <= this.capacityOf(memory));
    const { hiddenSize, slot } = this.adapter;
    const { states } = memory;
    if (slot === null) return projectStates(this.adapter, meanParts(states, hiddenSize, count));
    const size = count * hiddenSize;
    const known = this.#projected.get(memory);
    const tokens =
      known !== undefined && known.count >= count
        ? known
        : projectStates(this.adapter, states.subarray(0, size));
    this.#projected.set(memory, tokens);
    return { count, vectors: tokens.vectors.subarray(0, size) };
  }

  /** The block of `tokens` and CONT. @throws CancelledError */
  async attachable(
    { count, vectors }: VirtualTokens,
    sink: KvBlock,
    options: EncodeOptions,
  ): Promise<KvBlock> {
    const embeds = joinRows([vectors, this.adapter.continuation]);
    const rows = count + continuationTokens;
    return runBehindSink(this.#engine, { sink, input: { embeds }, rows }, options);
  }

  /** The ids that the model writes when it is asked for the text of `tokens` again. @throws CancelledError */
  async decode(
    { count, vectors }: VirtualTokens,
    sink: KvBlock,
    { maxTokens, isEnd, ...options }: DecodeOptions,
  ): Promise<number[]> {
    const cache = this.#engine.createCache(sink.length + count + 1 + maxTokens);
    cache.attach(sink);
    const embeds = joinRows([vectors, this.adapter.reconstruction]);
    const run = { ...options, logitsAt: "last" } as const;
    const { logits } = await this.#engine.run(cache, { embeds }, run);
    const sampler = createSampler({ temperature: 0, topP: 1, seed: 0 });
    const { signal } = options;
    const ids: number[] = [];
    const choices = generate(this.#engine, cache, logits, { maxTokens, sampler, isEnd, signal });
    for await (const { id } of choices) ids.push(id);
    return ids;
  }
}

/** Means of `count` parts of the rows, as even as may be: [count, hidden]. */
function meanParts(states: Float32Array, hiddenSize: number, count: number): Float32Array {
  const rows = states.length / hiddenSize;
  const border = (part: number) => Math.floor((part * rows) / count);
  const parts = Array.from({ length: count }, (_, part) =>
    meanRows(states, hiddenSize, [border(part), border(part + 1)]),
  );
  return joinRows(parts);
}

function joinRows(tables: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(tables.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const table of tables) {
    joined.set(table, end);
    end += table.length;
  }
  return joined;
}

function checkLength(what: string, length: number, limit: number): void {
  if (length > limit) throw new LimitError(`memory: ${what} of ${length} tokens exceeds ${limit}`);
}
