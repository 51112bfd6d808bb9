// Ids or embeddings in, logits and hidden states out, over a cache of keys and values. Rows go
// through the model in chunks, so that a cancel need not wait for a whole prompt. Knows no text.
import assert from "node:assert/strict";
import { LimitError, throwIfCancelled, UnsupportedError } from "../errors.ts";
import { Lazy } from "../lazy.ts";
import { addAttention, attentionResults } from "./attention.ts";
import { type CacheWay, createCacheWay, type Step } from "./cache-way.ts";
import { EmbeddingTable } from "./embeddings.ts";
import type { EngineModel, ModelShape } from "./engine-model.ts";
import { KvCache } from "./kv-cache.ts";
import {
  type Chunk,
  chunkResults,
  logitRowsOf,
  type RunOutput,
  splitChunks,
} from "./run-output.ts";
import { selectCacheWay } from "./self-test.ts";
import { floatTensor, Session, type Tensors } from "./session.ts";

export interface EngineOptions {
  /** That share every operator. */
  readonly threads: number;
  /** Default: in place if a self-test at load shows that it works. */
  readonly cacheWay?: CacheWay["name"];
}

export type RunInput = ArrayLike<number> | { readonly embeds: Float32Array }; // ids, or [rows, hidden]

/** By `{layer}.{product}`, see `DecoderOptions.hasFactors`: a [rank, columns], b [rows, rank]. */
export type LowRankFactors = ReadonlyMap<string, LowRankPair>;

export interface LowRankPair {
  readonly rank: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
}

export interface RunOptions {
  /** Rows of the input, ascending; default none. */
  readonly logitsAt?: readonly number[] | "last" | "all";
  /** Default false. */
  readonly hidden?: boolean;
  /** Low-rank factors that stand beside the weights in this run; loads a graph that has them. */
  readonly factors?: LowRankFactors | undefined;
  /** How much the rows look at every position; default false. */
  readonly attention?: boolean;
  /**
   * Several continuations at once: for every row the row it continues, -1 for those directly behind
   * the cache; parents come before their children. A row sees the cache, its ancestors and itself,
   * and stands at the position behind its parent. All rows go through in one run, and lie in the
   * cache in the order of the input until `KvCache.keepRows` chooses a path. The cache is not empty.
   */
  readonly parents?: readonly number[];
  /** Rows at a time, default 64: what a cancel waits for. */
  readonly chunk?: number;
  readonly signal?: AbortSignal | undefined;
}

interface EngineParts {
  readonly session: Session;
  readonly embeddings: EmbeddingTable;
  readonly way: CacheWay;
}

export class Engine {
  readonly shape: ModelShape;
  readonly cacheWay: CacheWay["name"];
  /** Runs of the graph since load, and rows in them. */
  readonly counters = { runs: 0, positions: 0 };
  readonly #session: Session;
  readonly #embeddings: EmbeddingTable;
  readonly #way: CacheWay;
  /** A decode step would otherwise leave 600 KB of garbage. */
  readonly #rowLogits = new WeakMap<KvCache, Float32Array>();
  readonly #attentionSession: Lazy<Session>;
  readonly #compressorSession: Lazy<Session>;

  private constructor(model: EngineModel, options: EngineOptions, parts: EngineParts) {
    this.shape = model.shape;
    this.cacheWay = parts.way.name;
    this.#session = parts.session;
    const { attentionGraphFile, compressorGraphFile } = model;
    this.#attentionSession = new Lazy(() => Session.load(attentionGraphFile, options));
    const compressing = { ...options, isPacked: false };
    this.#compressorSession = new Lazy(() => Session.load(compressorGraphFile, compressing));
    this.#embeddings = parts.embeddings;
    this.#way = parts.way;
  }

  /** @throws FormatError when the embedding table does not fit the shape. */
  static async load(model: EngineModel, options: EngineOptions): Promise<Engine> {
    const embeddings = new EmbeddingTable(model.embeddings, model.shape);
    let session: Session | null = null;
    try {
      session = await Session.load(model.graphFile, options);
      const way = options.cacheWay
        ? createCacheWay(options.cacheWay)
        : await selectCacheWay(session, model.shape);
      return new Engine(model, options, { session, embeddings, way });
    } catch (error) {
      embeddings.close();
      await session?.release();
      throw error;
    }
  }

  /**
   * An empty cache of at most `capacity` positions; its memory is claimed as it fills.
   * @throws LimitError beyond the context that the model was made for.
   */
  createCache(capacity: number, batchSize = 1): KvCache {
    const { contextLength } = this.shape;
    if (capacity > contextLength)
      throw new LimitError(`engine: a cache of ${capacity} positions exceeds ${contextLength}`);
    return new KvCache(this.shape, capacity, batchSize);
  }

  /**
   * The rows of the embedding table for `ids`: [ids, hidden].
   * @throws LimitError for an id beyond the vocabulary.
   */
  embed(ids: ArrayLike<number>): Float32Array {
    const rows = new Float32Array(ids.length * this.shape.hiddenSize);
    this.#embeddings.read(ids, rows);
    return rows;
  }

  /**
   * Runs the input behind what the cache holds and appends it there. When cancelled, the cache holds
   * the chunks that were run.
   * @throws LimitError when it does not fit; CancelledError
   */
  async run(cache: KvCache, input: RunInput, options: RunOptions = {}): Promise<RunOutput> {
    assert(cache.batchSize === 1, "several sequences take runBatch");
    const embeds = "embeds" in input ? input.embeds : this.embed(input);
    const rows = embeds.length / this.shape.hiddenSize;
    assert(Number.isInteger(rows));
    cache.reserve(rows);
    const logitRows = logitRowsOf(options.logitsAt, rows);
    const output = this.#createOutput(cache, { rows, logitCount: logitRows.length, options });
    const { parents = null, factors = null } = options;
    assert(parents === null || (parents.length === rows && cache.length > 0));
    const chunkSize = parents === null ? (options.chunk ?? 64) : Math.max(1, rows);
    for (const chunk of splitChunks(rows, logitRows, chunkSize)) {
      throwIfCancelled(options.signal);
      await this.#runChunk(cache, { ...chunk, embeds, output, parents, factors });
    }
    return output;
  }

  /**
   * Runs a prompt for each sequence of an empty cache, or one id for each of a filled one: the
   * operator takes no longer inputs for several sequences with a past. Returns the logits of every
   * sequence's last row [batch, vocabulary]. Shorter prompts are padded, so alike lengths are best.
   * @throws LimitError when it does not fit; UnsupportedError for several ids with a past
   */
  async runBatch(cache: KvCache, inputs: readonly ArrayLike<number>[]): Promise<Float32Array> {
    const { hiddenSize, vocabularySize } = this.shape;
    const counts = inputs.map((ids) => ids.length);
    const rows = Math.max(...counts);
    assert(inputs.length === cache.batchSize && Math.min(...counts) > 0);
    if (cache.length > 0 && rows > 1)
      throw new UnsupportedError(`engine: ${rows} rows for each of several sequences with a past`);
    cache.reserve(rows);
    const embeds = new Float32Array(inputs.length * rows * hiddenSize);
    for (const [index, ids] of inputs.entries())
      this.#embeddings.read(ids, embeds.subarray(index * rows * hiddenSize));
    const logitRows = [...new Set(counts)].sort((a, b) => a - b).map((count) => count - 1);
    const logits = new Float32Array(inputs.length * logitRows.length * vocabularySize);
    const dimensions = [inputs.length, logitRows.length, vocabularySize];
    const lengths = cache.lengths.map((length, index) => length + (counts[index] ?? 0));
    const results = { logits: floatTensor(logits, dimensions) };
    const step = { cache, embeds, rows, lengths, logitRows, results, parents: null };
    await this.#runStep(this.#session, step);
    return selectRows(logits, {
      size: vocabularySize,
      rows: counts.map((count, index) => index * logitRows.length + logitRows.indexOf(count - 1)),
    });
  }

  /** Frees the graph for runs with factors until the next one. */
  async releaseCompressor(): Promise<void> {
    await (await this.#compressorSession.take())?.release();
  }

  /**
   * Frees the graphs, each whatever became of the others; no run may be under way.
   * @throws Error of the first that could not be freed
   */
  async dispose(): Promise<void> {
    const ends = await Promise.allSettled([
      this.releaseCompressor(),
      this.#attentionSession.take().then((session) => session?.release()),
      this.#session.release(),
      (async () => this.#embeddings.close())(),
    ]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async #runChunk(cache: KvCache, chunk: RunningChunk): Promise<void> {
    const { embeds, start, end, logitRows, output, parents, factors } = chunk;
    const { hiddenSize } = this.shape;
    const rows = end - start;
    const lengths = Int32Array.of(cache.length + rows);
    const seen = output.attention === null ? {} : attentionResults(rows, this.shape);
    const step = {
      cache,
      embeds: embeds.subarray(start * hiddenSize, end * hiddenSize),
      rows,
      lengths,
      logitRows,
      parents,
      factors: factors === null ? {} : factorTensors(factors),
      results: { ...chunkResults(chunk, output, this.shape), ...seen },
    };
    const session = factors === null ? this.#session : await this.#compressorSession.get();
    await this.#runStep(session, step, output);
  }

  async #runStep(session: Session, step: Step, output?: RunOutput): Promise<void> {
    await this.#way.run(session, step);
    if (output?.attention) {
      const mean = { attention: output.attention, rowCount: output.rows };
      await addAttention(await this.#attentionSession.get(), step, mean);
    }
    step.cache.lengths.set(step.lengths);
    this.counters.runs += 1;
    this.counters.positions += step.cache.batchSize * step.rows;
  }

  #createOutput(cache: KvCache, { rows, logitCount, options }: OutputRequest): RunOutput {
    const { layerCount, kvHeadCount, hiddenSize, vocabularySize } = this.shape;
    const attentionSize = kvHeadCount * (cache.length + rows);
    return {
      rows,
      logits:
        logitCount === 1 ? this.#logitsOf(cache) : new Float32Array(logitCount * vocabularySize),
      hidden: options.hidden ? new Float32Array(rows * hiddenSize) : null,
      attention: options.attention
        ? Array.from({ length: layerCount }, () => new Float32Array(attentionSize))
        : null,
    };
  }

  #logitsOf(cache: KvCache): Float32Array {
    const known = this.#rowLogits.get(cache) ?? new Float32Array(this.shape.vocabularySize);
    this.#rowLogits.set(cache, known);
    return known;
  }
}

interface RunningChunk extends Chunk {
  readonly embeds: Float32Array; // of the whole input
  readonly output: RunOutput;
  readonly parents: readonly number[] | null;
  readonly factors: LowRankFactors | null;
}

interface OutputRequest {
  readonly rows: number;
  readonly logitCount: number;
  readonly options: RunOptions;
}

function factorTensors(factors: LowRankFactors): Tensors {
  const tensors: Tensors = {};
  for (const [name, { rank, a, b }] of factors) {
    tensors[`lora.${name}.a`] = floatTensor(a, [rank, a.length / rank]);
    tensors[`lora.${name}.b`] = floatTensor(b, [b.length / rank, rank]);
  }
  return tensors;
}

/** The rows of a table with rows of `size`, in the order asked for. */
function selectRows(
  table: Float32Array,
  { size, rows }: { size: number; rows: readonly number[] },
): Float32Array {
  const selected = new Float32Array(rows.length * size);
  for (const [index, row] of rows.entries())
    selected.set(table.subarray(row * size, (row + 1) * size), index * size);
  return selected;
}
