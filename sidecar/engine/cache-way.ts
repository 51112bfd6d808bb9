// One run of the graph over a cache, and the two ways in which new keys and values get into it:
// `in-place` gives the cache's own arrays to the operator, `copied` feeds copies and copies the new
// rows back, which costs up to four times a step at 2,048 positions but assumes nothing.
//
// Graph, inputs: inputs_embeds f32 [batch, rows, hidden]; seqlens_k i32 [batch], the length of each
// sequence after the run, minus 1; total_len i32 [], the longest of them; logit_pos i64 [n];
// past.{layer}.key|value f32 [batch, kvHeads, past, headDim]; position_ids i64 [batch, rows];
// attention_bias f32 [1, 1, rows, total], added to the scores of every head.
// Outputs: nocopy (see session.ts); present.{layer}.key|value as past, with the new rows; hidden f32
// [batch, rows, hidden] after the final norm; logits f32 [batch, n, vocabulary]; and, for
// attention.ts, query_key_value.{layer} f32 [batch * rows, (heads + 2 kvHeads) headDim].
import type { KvCache } from "./kv-cache.ts";
import { floatTensor, intTensor, longTensor, type Session, type Tensors } from "./session.ts";

/** What one run reads and where its results go; the cache is not yet advanced by it. */
export interface Step {
  readonly cache: KvCache;
  /** [batch, rows, hidden] */
  readonly embeds: Float32Array;
  readonly rows: number;
  /** Length of every sequence after the run. */
  readonly lengths: Int32Array;
  /** Rows of which the logits are wanted, the same for every sequence. */
  readonly logitRows: readonly number[];
  /** Continuations in one run, see `RunOptions.parents`; null: one row behind the other. */
  readonly parents: readonly number[] | null;
  /** Further inputs of the graph. */
  readonly factors?: Tensors;
  /** By output name: `logits`, `hidden`, `query_key_value.{layer}`; others are computed and dropped. */
  readonly results: Tensors;
}

export interface CacheWay {
  readonly name: "in-place" | "copied";
  run(session: Session, step: Step): Promise<void>;
}

export function createCacheWay(name: CacheWay["name"]): CacheWay {
  return name === "in-place" ? createInPlaceWay() : { name, run: runCopied };
}

/** Tensors over a cache's arrays, made once: the same objects are fed and written. */
interface CacheTensors {
  /** With room for what a step feeds beside them. */
  readonly feeds: Tensors;
  readonly present: Tensors;
}

function createInPlaceWay(): CacheWay {
  const known = new WeakMap<KvCache, CacheTensors>();
  return {
    name: "in-place",
    async run(session, step) {
      const tensors = known.get(step.cache) ?? cacheTensors(step.cache);
      known.set(step.cache, tensors);
      const feeds = Object.assign(tensors.feeds, stepFeeds(step));
      await session.runInto(feeds, { ...tensors.present, ...step.results });
    },
  };
}

function cacheTensors(cache: KvCache): CacheTensors {
  const feeds: Tensors = {};
  const present: Tensors = {};
  const { kvHeadCount, headDim } = cache.shape;
  const dimensions = [cache.batchSize, kvHeadCount, cache.capacity, headDim];
  for (const [name, array] of cacheArrays(cache)) {
    const tensor = floatTensor(array, dimensions);
    feeds[`past.${name}`] = tensor;
    present[`present.${name}`] = tensor;
  }
  return { feeds, present };
}

async function runCopied(session: Session, step: Step): Promise<void> {
  const { cache, results } = step;
  const { kvHeadCount, headDim } = cache.shape;
  const dimensions = [cache.batchSize, kvHeadCount, cache.length, headDim];
  const feeds = stepFeeds(step);
  const names = Object.keys(results);
  for (const [name, array] of cacheArrays(cache)) {
    feeds[`past.${name}`] = floatTensor(gatherRows(cache, array), dimensions);
    names.push(`present.${name}`);
  }
  const outputs = await session.run(feeds, names);
  for (const [name, array] of cacheArrays(cache))
    scatterRows(step, floats(outputs, `present.${name}`), array);
  for (const [name, target] of Object.entries(results))
    (target.data as Float32Array).set(floats(outputs, name));
}

/** Keys and values of every layer under the names that the graph has for them. */
function cacheArrays({ keys, values }: KvCache): [string, Float32Array][] {
  return [
    ...keys.map((array, layer): [string, Float32Array] => [`${layer}.key`, array]),
    ...values.map((array, layer): [string, Float32Array] => [`${layer}.value`, array]),
  ];
}

function stepFeeds(step: Step): Tensors {
  const { cache, embeds, rows, logitRows } = step;
  const { batchSize } = cache;
  const hiddenSize = embeds.length / (batchSize * rows);
  return {
    ...step.factors,
    ...placeFeeds(step),
    inputs_embeds: floatTensor(embeds, [batchSize, rows, hiddenSize]),
    logit_pos: longTensor(BigInt64Array.from(logitRows, BigInt), [logitRows.length]),
  };
}

/** Where the rows of a step stand and what they see. */
export function placeFeeds(step: Step): Tensors {
  const { cache, rows, lengths } = step;
  const { batchSize } = cache;
  const total = Math.max(...lengths);
  return {
    seqlens_k: intTensor(
      lengths.map((length) => length - 1),
      [batchSize],
    ),
    total_len: intTensor(Int32Array.of(total), []),
    position_ids: longTensor(positionsOf(step), [batchSize, rows]),
    attention_bias: floatTensor(biasOf(step, total), [1, 1, rows, total]),
  };
}

/** [batch, rows]: behind the cache, or behind the parent. */
function positionsOf({ cache, rows, parents }: Step): BigInt64Array {
  const positions = new BigInt64Array(cache.batchSize * rows);
  for (const [sequence, length] of cache.lengths.entries()) {
    for (let row = 0; row < rows; row++) {
      const depth = parents === null ? row : depthOf(parents, row);
      positions[sequence * rows + row] = BigInt(length + depth);
    }
  }
  return positions;
}

function depthOf(parents: readonly number[], row: number): number {
  const parent = parents[row] ?? -1;
  return parent < 0 ? 0 : 1 + depthOf(parents, parent);
}

/** Low enough that a masked position weighs nothing after the softmax. */
const MASKED = -1e9;
let zeros = new Float32Array(0);

/** [rows, total]: nothing, or for a tree, what hides the rows that are no ancestors. */
function biasOf({ cache, rows, parents }: Step, total: number): Float32Array {
  if (parents === null) {
    if (zeros.length < rows * total) zeros = new Float32Array(2 * rows * total);
    return zeros.subarray(0, rows * total);
  }
  const bias = new Float32Array(rows * total);
  for (let row = 0; row < rows; row++) {
    bias.fill(MASKED, row * total + cache.length, (row + 1) * total);
    for (let at = row; at >= 0; at = parents[at] ?? -1) bias[row * total + cache.length + at] = 0;
  }
  return bias;
}

/** The rows in use, without the gaps up to the capacity: [batch, kvHeads, length, headDim]. */
function gatherRows({ shape, capacity, length }: KvCache, array: Float32Array): Float32Array {
  const headCount = array.length / (capacity * shape.headDim);
  const size = length * shape.headDim;
  const rows = new Float32Array(headCount * size);
  for (let head = 0; head < headCount; head++) {
    const start = head * capacity * shape.headDim;
    rows.set(array.subarray(start, start + size), head * size);
  }
  return rows;
}

/** Copies the new rows of `present` [batch, kvHeads, total, headDim] to their place in the cache. */
function scatterRows({ cache, lengths }: Step, present: Float32Array, array: Float32Array): void {
  const { kvHeadCount, headDim } = cache.shape;
  const total = present.length / (cache.batchSize * kvHeadCount * headDim);
  for (const [sequence, length] of lengths.entries()) {
    const first = cache.lengths[sequence] ?? 0;
    for (let head = sequence * kvHeadCount; head < (sequence + 1) * kvHeadCount; head++) {
      const from = (head * total + first) * headDim;
      const to = (head * total + length) * headDim;
      array.set(present.subarray(from, to), (head * cache.capacity + first) * headDim);
    }
  }
}

function floats(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`engine: the graph gave no output ${name}`);
  return tensor.data as Float32Array;
}
