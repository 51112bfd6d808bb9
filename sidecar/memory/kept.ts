// The kept form of a memory: of every key/value head the entries of a piece that matter most, chosen
// from the piece's own cache. They lie in order of importance, so every smaller memory is a prefix
// of the stored one; a block for the cache has them in text order at consecutive positions.
import assert from "node:assert/strict";
import type { CacheShape } from "../engine/engine-model.ts";
import type { KvBlock } from "../engine/kv-cache.ts";
import { type Rotation, rotateKeys, rotationBy } from "../engine/rotation.ts";

/** The finest ratio that a stored memory serves without being encoded again. */
export const storedRatio = 4;

export interface KeptMemory {
  readonly shape: CacheShape;
  /** Tokens of the piece, `n`. */
  readonly tokenCount: number;
  /** Entries of every head. */
  readonly entryCount: number;
  /** Where the piece's first token stood when it was encoded: behind the sink. */
  readonly position: number;
  /** [hidden], the mean over the piece's tokens of the hidden states: what it is like, for selection. */
  readonly pooled: Float32Array;
  readonly layers: readonly KeptLayer[];
}

/** The most important entry of every head comes first. */
export interface KeptLayer {
  /** [kvHeads, entries], the token of the piece that an entry is of. */
  readonly tokens: Uint16Array;
  /**
   * [kvHeads, entries, headDim], turned back to position 0: there a channel is much the same in all
   * entries, which is what eight bits want (kept-codec.ts).
   */
  readonly keys: Float32Array;
  /** [kvHeads, entries, headDim] */
  readonly values: Float32Array;
}

/** Entries that a memory of `tokenCount` tokens keeps at `ratio`: max(1, ceil(n / r)). */
export function entryCountAt(tokenCount: number, ratio: number): number {
  return Math.max(1, Math.ceil(tokenCount / ratio));
}

export function byteLengthOf({ pooled, layers }: KeptMemory): number {
  return layers.reduce(
    (sum, { tokens, keys, values }) =>
      sum + tokens.byteLength + keys.byteLength + values.byteLength,
    pooled.byteLength,
  );
}

/** What one piece has been found to be. */
export interface EncodedPiece {
  /** Its rows where they were run. */
  readonly block: KvBlock;
  readonly pooled: Float32Array; // [hidden]
  /** By layer [kvHeads, tokens]. */
  readonly importance: readonly Float32Array[];
}

export function chooseEntries(
  shape: CacheShape,
  { block: piece, pooled, importance }: EncodedPiece,
  entryCount: number,
): KeptMemory {
  assert(entryCount >= 1 && entryCount <= piece.length);
  const rotationOf = createRotations(shape);
  const layers = importance.map((scores, layer): KeptLayer => {
    const tokens = new Uint16Array(shape.kvHeadCount * entryCount);
    for (let head = 0; head < shape.kvHeadCount; head++) {
      const ofHead = scores.subarray(head * piece.length, (head + 1) * piece.length);
      tokens.set(greatest(ofHead, entryCount), head * entryCount);
    }
    const gather = (rows: Float32Array = new Float32Array(0)) =>
      gatherEntries(rows, tokens, { ...shape, rowCount: piece.length });
    const keys = gather(piece.keys[layer]);
    for (const [entry, token] of tokens.entries())
      rotateKeys(rowOf(keys, entry, shape), rotationOf(-piece.position - token), shape);
    return { tokens, keys, values: gather(piece.values[layer]) };
  });
  const { length: tokenCount, position } = piece;
  return { shape, tokenCount, entryCount, position, pooled, layers };
}

/**
 * The `count` most important entries of every head in text order, at consecutive positions from
 * where the piece stood.
 */
export function keep(memory: KeptMemory, count: number): KvBlock {
  const { shape, entryCount, position, layers } = memory;
  assert(count >= 1 && count <= entryCount);
  const rotationOf = createRotations(shape);
  const size = shape.kvHeadCount * count * shape.headDim;
  const blocks = layers.map(({ tokens, keys, values }) => {
    const block = { keys: new Float32Array(size), values: new Float32Array(size) };
    for (let head = 0; head < shape.kvHeadCount; head++) {
      const first = head * entryCount;
      const entries = textOrder(tokens.subarray(first, first + count));
      for (const [row, entry] of entries.entries()) {
        const from = (first + entry) * shape.headDim;
        const to = (head * count + row) * shape.headDim;
        block.keys.set(keys.subarray(from, from + shape.headDim), to);
        block.values.set(values.subarray(from, from + shape.headDim), to);
        const placed = rowOf(block.keys, head * count + row, shape);
        rotateKeys(placed, rotationOf(position + row), shape);
      }
    }
    return block;
  });
  return {
    length: count,
    position,
    keys: blocks.map(({ keys }) => keys),
    values: blocks.map(({ values }) => values),
  };
}

/** Indices of the `count` greatest scores, the greatest first; of equal ones the earlier. */
function greatest(scores: Float32Array, count: number): Uint16Array {
  const order = Array.from(scores.keys()).sort(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b,
  );
  return Uint16Array.from(order.slice(0, count));
}

/** Indices of `tokens` in ascending order of the tokens. */
function textOrder(tokens: Uint16Array): number[] {
  return Array.from(tokens.keys()).sort((a, b) => (tokens[a] ?? 0) - (tokens[b] ?? 0));
}

/** Of `rows` [kvHeads, rowCount, headDim] those that `tokens` [kvHeads, entries] name. */
function gatherEntries(
  rows: Float32Array,
  tokens: Uint16Array,
  { kvHeadCount, headDim, rowCount }: CacheShape & { readonly rowCount: number },
): Float32Array {
  const gathered = new Float32Array(tokens.length * headDim);
  const entryCount = tokens.length / kvHeadCount;
  for (const [index, token] of tokens.entries()) {
    const row = Math.floor(index / entryCount) * rowCount + token;
    gathered.set(rows.subarray(row * headDim, (row + 1) * headDim), index * headDim);
  }
  return gathered;
}

function rowOf(rows: Float32Array, index: number, { headDim }: CacheShape): Float32Array {
  return rows.subarray(index * headDim, (index + 1) * headDim);
}

/** A piece is short, so few distances occur, and each in many heads. */
function createRotations(shape: CacheShape): (distance: number) => Rotation {
  const known = new Map<number, Rotation>();
  return (distance) => {
    const rotation = known.get(distance) ?? rotationBy(shape, distance);
    known.set(distance, rotation);
    return rotation;
  };
}
