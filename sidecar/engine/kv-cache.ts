// The keys and values of what the model has read, at a fixed capacity so that the graph can write
// into them in place. A position is an index, from 0, without gaps. Blocks can be lifted out, put
// behind the end and taken out of the middle; their keys are then rotated to the new positions.
// Knows no model and no ids: what a position means is the caller's business.
import assert from "node:assert/strict";
import { LimitError } from "../errors.ts";
import type { CacheShape } from "./engine-model.ts";
import { type Rotation, rotateKeys, rotationBy } from "./rotation.ts";

/** Keys and values of consecutive positions, copied out of a cache; per layer [kvHeads, length, headDim]. */
export interface KvBlock {
  readonly length: number;
  /** Of its first row, where it was computed: what its keys are rotated to. */
  readonly position: number;
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

export class KvCache {
  readonly shape: CacheShape;
  readonly capacity: number;
  readonly batchSize: number;
  /** Per layer [batch, kvHeads, capacity, headDim]; rows from `length` on are undefined. */
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
  /** Positions in use, for every sequence of the batch; whoever writes rows counts them here. */
  readonly lengths: Int32Array;

  constructor(shape: CacheShape, capacity: number, batchSize = 1) {
    const size = batchSize * shape.kvHeadCount * capacity * shape.headDim;
    const allocate = () => Array.from({ length: shape.layerCount }, () => new Float32Array(size));
    this.shape = shape;
    this.capacity = capacity;
    this.batchSize = batchSize;
    this.keys = allocate();
    this.values = allocate();
    this.lengths = new Int32Array(batchSize);
  }

  /** Positions in use; of the longest sequence if there are several. */
  get length(): number {
    return Math.max(...this.lengths);
  }

  /** @throws LimitError when `count` more positions do not fit. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.capacity)
      throw new LimitError(`engine: ${needed} positions exceed the cache's ${this.capacity}`);
  }

  /** Forgets every position from `length` on. */
  truncate(length: number): void {
    assert(Number.isInteger(length) && length >= 0 && length <= this.length);
    for (const [sequence, old] of this.lengths.entries())
      this.lengths[sequence] = Math.min(old, length);
  }

  /** A copy of the positions from `start` up to `end`. */
  copyBlock(start: number, end: number): KvBlock {
    this.#checkRange(start, end);
    const copyRows = (layer: Float32Array) => this.#copyRows(layer, start, end);
    return {
      length: end - start,
      position: start,
      keys: this.keys.map(copyRows),
      values: this.values.map(copyRows),
    };
  }

  /**
   * Puts a block behind the end, its keys rotated by the difference of the positions.
   * @throws LimitError when it does not fit.
   */
  attach(block: KvBlock): void {
    assert(this.batchSize === 1, "blocks belong to a cache of one sequence");
    this.reserve(block.length);
    const start = this.length;
    const rotation = rotationBy(this.shape, start - block.position);
    for (const [index, layer] of this.keys.entries()) {
      this.#writeRows(layer, start, block.keys[index]);
      this.#rotateRows(layer, [start, start + block.length], rotation);
    }
    for (const [index, layer] of this.values.entries())
      this.#writeRows(layer, start, block.values[index]);
    this.lengths[0] = start + block.length;
  }

  /** Takes the positions from `start` up to `end` out; later ones move down, their keys rotated. */
  remove(start: number, end: number): void {
    this.#checkRange(start, end);
    const newLength = this.length - (end - start);
    const rotation = rotationBy(this.shape, start - end);
    for (const layer of this.keys) {
      this.#moveRowsDown(layer, start, end);
      this.#rotateRows(layer, [start, newLength], rotation);
    }
    for (const layer of this.values) this.#moveRowsDown(layer, start, end);
    this.truncate(newLength);
  }

  /**
   * Of the positions from `start` on keeps only `rows` (ascending), which become consecutive. Keys
   * stay as they are: a path through a tree already stands at consecutive positions.
   */
  keepRows(start: number, rows: readonly number[]): void {
    for (const [index, row] of rows.entries()) {
      this.#checkRange(start + index, row);
      for (const layer of [...this.keys, ...this.values]) this.#copyRow(layer, row, start + index);
    }
    this.truncate(start + rows.length);
  }

  #copyRow(layer: Float32Array, from: number, to: number): void {
    for (let head = 0; head < this.shape.kvHeadCount; head++) {
      const source = this.#offset(head, from);
      layer.copyWithin(this.#offset(head, to), source, source + this.shape.headDim);
    }
  }

  #checkRange(start: number, end: number): void {
    assert(this.batchSize === 1, "blocks belong to a cache of one sequence");
    assert(Number.isInteger(start) && Number.isInteger(end));
    assert(start >= 0 && start <= end && end <= this.length);
  }

  /** Where the row of a head lies in a layer of one sequence. */
  #offset(head: number, row: number): number {
    return (head * this.capacity + row) * this.shape.headDim;
  }

  #copyRows(layer: Float32Array, start: number, end: number): Float32Array {
    const { kvHeadCount, headDim } = this.shape;
    const rows = new Float32Array(kvHeadCount * (end - start) * headDim);
    for (let head = 0; head < kvHeadCount; head++) {
      const source = layer.subarray(this.#offset(head, start), this.#offset(head, end));
      rows.set(source, head * source.length);
    }
    return rows;
  }

  #writeRows(layer: Float32Array, start: number, rows: Float32Array | undefined): void {
    assert(rows !== undefined, "a block has every layer of the cache");
    const { kvHeadCount } = this.shape;
    const headSize = rows.length / kvHeadCount;
    for (let head = 0; head < kvHeadCount; head++) {
      const source = rows.subarray(head * headSize, (head + 1) * headSize);
      layer.set(source, this.#offset(head, start));
    }
  }

  #moveRowsDown(layer: Float32Array, start: number, end: number): void {
    for (let head = 0; head < this.shape.kvHeadCount; head++) {
      const last = this.#offset(head, this.length);
      layer.copyWithin(this.#offset(head, start), this.#offset(head, end), last);
    }
  }

  #rotateRows(layer: Float32Array, [start, end]: [number, number], rotation: Rotation): void {
    for (let head = 0; head < this.shape.kvHeadCount; head++) {
      const rows = layer.subarray(this.#offset(head, start), this.#offset(head, end));
      rotateKeys(rows, rotation, this.shape);
    }
  }
}
