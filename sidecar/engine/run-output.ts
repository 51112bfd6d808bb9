// What a run hands back, and the parts of it that one chunk fills in: logits and hidden states are
// computed straight into their place.
import assert from "node:assert/strict";
import type { ModelShape } from "./engine-model.ts";
import { floatTensor, type Tensor, type Tensors } from "./session.ts";

export interface RunOutput {
  readonly rows: number;
  /** [logitsAt, vocabulary]; those of a single row are overwritten by the next run on the cache. */
  readonly logits: Float32Array;
  /** [rows, hidden], after the final norm. */
  readonly hidden: Float32Array | null;
  /** Per layer [kvHeads, positions], mean over the rows and the query heads of a group. */
  readonly attention: Float32Array[] | null;
}

/** Consecutive rows of the input that go through the model together. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  /** Counted from `start`. */
  readonly logitRows: readonly number[];
  /** How many rows of logits lie before them. */
  readonly logitOffset: number;
}

/** The rows of `logitsAt` as a list, checked to ascend and to lie within the input. */
export function logitRowsOf(
  logitsAt: readonly number[] | "last" | "all" | undefined,
  rows: number,
): readonly number[] {
  if (logitsAt === "all") return Array.from({ length: rows }, (_, row) => row);
  if (logitsAt === "last") return rows === 0 ? [] : [rows - 1];
  const wanted = logitsAt ?? [];
  const ascends = wanted.every((row, index) => row > (wanted[index - 1] ?? -1) && row < rows);
  assert(ascends, "logits are asked for in ascending rows of the input");
  return wanted;
}

export function splitChunks(rows: number, logitRows: readonly number[], size: number): Chunk[] {
  assert(size >= 1);
  const chunks: Chunk[] = [];
  let logitOffset = 0;
  for (let start = 0; start < rows; start += size) {
    const end = Math.min(rows, start + size);
    const own = logitRows.filter((row) => row >= start && row < end).map((row) => row - start);
    chunks.push({ start, end, logitRows: own, logitOffset });
    logitOffset += own.length;
  }
  return chunks;
}

/** Tensors over the parts of `output` that a chunk computes; none for what it need not compute. */
export function chunkResults(chunk: Chunk, output: RunOutput, shape: ModelShape): Tensors {
  const { vocabularySize, hiddenSize } = shape;
  const { start, end, logitRows, logitOffset } = chunk;
  const logits = partOf(output.logits, vocabularySize, [logitOffset, logitRows.length]);
  const hidden = output.hidden && partOf(output.hidden, hiddenSize, [start, end - start]);
  return { ...(logitRows.length > 0 && { logits }), ...(hidden !== null && { hidden }) };
}

/** A tensor [1, count, size] over the rows from `first` on. */
function partOf(table: Float32Array, size: number, [first, count]: [number, number]): Tensor {
  return floatTensor(table.subarray(first * size, (first + count) * size), [1, count, size]);
}
