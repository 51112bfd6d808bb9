// LoRA tensors of an adapter -> the factors of the products that the graph has: queries, keys and
// values are one, gate and up another, so their factors stand side by side, A stacked and B along the
// diagonal. Rows of queries and keys are in the order of transformers, which rotates the pair
// (i, i + headDim / 2); where the model's pairs are (2i, 2i + 1) they are reordered as its weights were.
import type { LowRankFactors, LowRankPair } from "../engine/engine.ts";
import type { ModelShape } from "../engine/engine-model.ts";

export type LoraShape = Pick<
  ModelShape,
  "layerCount" | "hiddenSize" | "headCount" | "kvHeadCount" | "headDim" | "rotaryInterleaved"
> & { readonly feedForwardSize: number };

/** A tensor of the adapter; throws where it is missing or of another shape. */
export type TakeTensor = (name: string, shape: readonly number[]) => Float32Array;

export function readLora(take: TakeTensor, rank: number, shape: LoraShape): LowRankFactors {
  const { hiddenSize, headCount, kvHeadCount, headDim, feedForwardSize } = shape;
  const factors = new Map<string, LowRankPair>();
  for (let layer = 0; layer < shape.layerCount; layer++) {
    const pair = (name: string, rows: number, columns: number): LowRankPair => ({
      rank,
      a: take(`lora.${layer}.${name}.a`, [rank, columns]),
      b: take(`lora.${layer}.${name}.b`, [rows, rank]),
    });
    const rotated = (each: LowRankPair): LowRankPair =>
      shape.rotaryInterleaved ? { ...each, b: interleaveHalves(each.b, rank, headDim) } : each;
    factors.set(
      `${layer}.query_key_value`,
      besides([
        rotated(pair("q", headCount * headDim, hiddenSize)),
        rotated(pair("k", kvHeadCount * headDim, hiddenSize)),
        pair("v", kvHeadCount * headDim, hiddenSize),
      ]),
    );
    factors.set(`${layer}.output`, pair("o", hiddenSize, headCount * headDim));
    factors.set(
      `${layer}.gate_up`,
      besides([pair("gate", feedForwardSize, hiddenSize), pair("up", feedForwardSize, hiddenSize)]),
    );
    factors.set(`${layer}.down`, pair("down", hiddenSize, feedForwardSize));
  }
  return factors;
}

/** One pair for products of the same input whose results stand behind each other. */
function besides(pairs: readonly LowRankPair[]): LowRankPair {
  const rank = pairs.reduce((sum, each) => sum + each.rank, 0);
  const a = Float32Array.from(pairs.flatMap((pair) => Array.from(pair.a)));
  const rowCount = pairs.reduce((sum, pair) => sum + pair.b.length / pair.rank, 0);
  const b = new Float32Array(rowCount * rank);
  let firstRow = 0;
  let firstColumn = 0;
  for (const pair of pairs) {
    const rows = pair.b.length / pair.rank;
    for (let row = 0; row < rows; row++)
      b.set(
        pair.b.subarray(row * pair.rank, (row + 1) * pair.rank),
        (firstRow + row) * rank + firstColumn,
      );
    firstRow += rows;
    firstColumn += pair.rank;
  }
  return { rank, a, b };
}

/** Of every head's rows [headDim, width] row i becomes 2i, row i + headDim / 2 becomes 2i + 1. */
function interleaveHalves(rows: Float32Array, width: number, headDim: number): Float32Array {
  const reordered = new Float32Array(rows.length);
  for (let row = 0; row < rows.length / width; row++) {
    const head = row - (row % headDim);
    const half = Math.floor((row % headDim) / (headDim / 2));
    const target = head + 2 * (row % (headDim / 2)) + half;
    reordered.set(rows.subarray(row * width, (row + 1) * width), target * width);
  }
  return reordered;
}
