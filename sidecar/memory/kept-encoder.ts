// Ids of a piece -> its kept memory, by two runs of the model: the piece alone behind the sink, and
// behind a marker the piece again, which shows what of the first run the model looks at
// (KVzip, arXiv 2505.23416). Every piece sees the sink and nothing else, so its memory holds
// wherever it is put.
import assert from "node:assert/strict";
import type { Engine } from "../engine/engine.ts";
import type { ModelShape } from "../engine/engine-model.ts";
import type { KvBlock, KvCache } from "../engine/kv-cache.ts";
import { LimitError } from "../errors.ts";
import { Lazy } from "../lazy.ts";
import { importanceOf } from "./importance.ts";
import { chooseEntries, entryCountAt, type KeptMemory, storedRatio } from "./kept.ts";
import { outlineWeights } from "./outline.ts";

/** Its first tokens are the sink: what a head attends to when it has nothing to look for. */
export const sinkText = "// Project context\n";
export const sinkTokens = 4;
/** Stands between a piece and its repetition. */
export const repeatText = "\n\n// the same again\n\n";
/** The most tokens of a piece: one of 256 keeps a little less at the same ratio. */
export const pieceTokens = 128;

export interface KeptEncoderParts {
  readonly vocabulary: {
    encode(text: string): Uint32Array;
    /** Empty for special tokens. */
    bytesOf(id: number): Uint8Array;
  };
  /** By layer [heads, headDim, headDim], see importance.ts; asked for with the first piece. */
  readonly loadGrams: () => Promise<readonly Float32Array[]>;
}

export interface EncodeOptions {
  /** Rows between two looks at the signal. */
  readonly chunk: number;
  readonly signal?: AbortSignal | undefined;
}

export class KeptEncoder {
  readonly #engine: Engine;
  readonly #sinkIds: Uint32Array;
  readonly #markerIds: Uint32Array;
  readonly #vocabulary: KeptEncoderParts["vocabulary"];
  readonly #grams: Lazy<readonly Float32Array[]>;
  #sink: KvBlock | null = null;
  #cache: KvCache | null = null;
  /** The next piece waits for it, because they share the cache. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, { vocabulary, loadGrams }: KeptEncoderParts) {
    this.#engine = engine;
    this.#sinkIds = vocabulary.encode(sinkText).subarray(0, sinkTokens);
    this.#markerIds = vocabulary.encode(repeatText);
    this.#vocabulary = vocabulary;
    this.#grams = new Lazy(loadGrams);
  }

  get shape(): ModelShape {
    return this.#engine.shape;
  }

  /** Positions of the sink. */
  get sinkLength(): number {
    return this.#sinkIds.length;
  }

  /** The sink at positions 0 and on; run once. @throws CancelledError */
  async readSink(options: EncodeOptions): Promise<KvBlock> {
    if (this.#sink !== null) return this.#sink;
    const cache = this.#engine.createCache(this.sinkLength);
    await this.#engine.run(cache, this.#sinkIds, options);
    this.#sink = cache.copyBlock(0, this.sinkLength);
    return this.#sink;
  }

  /** The next one is run again. */
  forgetSink(): void {
    this.#sink = null;
  }

  /**
   * The memory of a piece, of at least `entryCount` entries a head and no fewer than a quarter. One
   * piece is encoded at a time.
   * @throws LimitError for a piece of more than `pieceTokens`; CancelledError
   */
  encode(
    ids: ArrayLike<number>,
    options: EncodeOptions & { readonly entryCount?: number },
  ): Promise<KeptMemory> {
    const result = this.#last.then(() => this.#encode(ids, options));
    this.#last = result.catch(() => undefined); // What became of it is its caller's business.
    return result;
  }

  async #encode(
    ids: ArrayLike<number>,
    { entryCount = 1, ...options }: EncodeOptions & { readonly entryCount?: number },
  ): Promise<KeptMemory> {
    const { length } = ids;
    assert(length > 0, "an empty piece has no memory");
    if (length > pieceTokens)
      throw new LimitError(`memory: a piece of ${length} tokens exceeds ${pieceTokens}`);
    const { shape } = this.#engine;
    const cache = await this.#openCache(options);
    const { hidden } = await this.#engine.run(cache, ids, { ...options, hidden: true });
    assert(hidden !== null);
    const start = this.sinkLength;
    const block = cache.copyBlock(start, start + length);
    await this.#engine.run(cache, this.#markerIds, options);
    const { attention } = await this.#engine.run(cache, ids, { ...options, attention: true });
    assert(attention !== null);
    const grams = await this.#grams.get();
    const weights = outlineWeights(Array.from(ids, (id) => this.#vocabulary.bytesOf(id)));
    const importance = importanceOf(shape, block, { attention, grams, weights });
    const stored = Math.max(entryCount, entryCountAt(length, storedRatio));
    const pooled = meanOfRows(hidden, shape.hiddenSize);
    return chooseEntries(shape, { block, pooled, importance }, Math.min(length, stored));
  }

  /** With the sink and nothing else in it. */
  async #openCache(options: EncodeOptions): Promise<KvCache> {
    const sink = await this.readSink(options);
    const capacity = this.sinkLength + 2 * pieceTokens + this.#markerIds.length;
    this.#cache ??= this.#engine.createCache(capacity);
    this.#cache.truncate(0);
    this.#cache.attach(sink);
    return this.#cache;
  }
}

/** Of a table with rows of `size`. */
function meanOfRows(table: Float32Array, size: number): Float32Array {
  const mean = new Float32Array(size);
  for (const [index, value] of table.entries()) {
    const column = index % size;
    mean[column] = (mean[column] ?? 0) + (value * size) / table.length;
  }
  return mean;
}
