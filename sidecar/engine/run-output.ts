// What a run hands back, and the parts of it that one chunk fills in: logits and hidden states are
// computed straight into their place, attention needs a gap behind the rows of earlier chunks.
import assert from "node:assert/strict";
import type { ModelShape } from "./engine-model.ts";
import { floatTensor, type Tensor, type Tensors } from "./session.ts";

export interface RunOutput {
  readonly rows: number;
  /** [logitsAt, vocabulary]; those of a single row are overwritten by the next run on the cache. */
  readonly logits: Float32Array;
  /** [rows, hidden], after the final norm. */
  readonly hidden: Float32Array | null;
  /** Per layer [heads, rows, positions], after the softmax; 0 where a row sees nothing. */
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

/** Empty tensors for the attention of a chunk of `rows` that ends at position `total`. */
export function attentionResults(rows: number, total: number, shape: ModelShape): Tensors {
  const size = shape.headCount * rows * total;
  const dimensions = [1, shape.headCount, rows, total];
  const layers = Array.from({ length: shape.layerCount }, (_, layer) => [
    `attention.${layer}`,
    floatTensor(new Float32Array(size), dimensions),
  ]);
  return Object.fromEntries(layers);
}

/** Copies a chunk's attention [heads, chunk rows, total] into the run's [heads, rows, positions]. */
export function copyAttention(results: Tensors, chunk: Chunk, output: RunOutput): void {
  for (const [layer, target] of output.attention?.entries() ?? []) {
    const tensor = results[`attention.${layer}`];
    assert(tensor !== undefined);
    const [, headCount = 0, chunkRows = 0, total = 0] = tensor.dims;
    const source = tensor.data as Float32Array;
    const positions = target.length / (headCount * output.rows);
    for (let index = 0; index < headCount * chunkRows; index++) {
      const head = Math.floor(index / chunkRows);
      const row = chunk.start + (index % chunkRows);
      const values = source.subarray(index * total, (index + 1) * total);
      target.set(values, (head * output.rows + row) * positions);
    }
  }
}
