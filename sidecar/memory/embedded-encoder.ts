// Ids of a piece -> its virtual tokens, and these -> a block of keys and values: the embedded form
// (UniICL, arXiv 2405.17062; SelfCP, arXiv 2405.17052).
//
//   compress, at position 0    [question] SEP piece M x k    C = LN(W h + b) of the states h at the k slots
//   pooling adapters           [question] SEP piece          of the means of k even parts of the piece's
//   use, behind the sink       C CONT
//
// With a question the memory depends on it too: that is SelfCP's conditional compression.
import assert from "node:assert/strict";
import type { Engine } from "../engine/engine.ts";
import type { KvBlock } from "../engine/kv-cache.ts";
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

export interface CompressOptions extends EncodeOptions {
  /** Virtual tokens, at most as many as the piece has tokens. */
  readonly count: number;
  /** Ids that stand before the piece. */
  readonly question: readonly number[];
}

export class EmbeddedEncoder {
  readonly adapter: Adapter;
  readonly #engine: Engine;

  constructor(engine: Engine, adapter: Adapter) {
    assert(adapter.hiddenSize === engine.shape.hiddenSize);
    this.#engine = engine;
    this.adapter = adapter;
  }

  /** @throws LimitError for a piece or a question that is too long; CancelledError */
  async compress(
    ids: readonly number[],
    { count, question, ...options }: CompressOptions,
  ): Promise<VirtualTokens> {
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
    const states =
      slot === null
        ? meanParts(hidden.subarray(hidden.length - ids.length * hiddenSize), hiddenSize, count)
        : hidden.subarray(hidden.length - count * hiddenSize);
    return projectStates(this.adapter, states);
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
