// Hidden states -> virtual tokens, by the trained vectors of an adapter (UniICL, arXiv 2405.17062):
// C = LN(W h + b), in the scale of the embedding table's rows.
import type { Adapter } from "./adapter.ts";

export interface VirtualTokens {
  readonly count: number;
  /** [count, hidden], which stand where embeddings stand. */
  readonly vectors: Float32Array;
}

/** As PyTorch's LayerNorm. */
const epsilon = 1e-5;

/** `states` [count, hidden] */
export function projectStates(
  { hiddenSize, ...adapter }: Adapter,
  states: Float32Array,
): VirtualTokens {
  const count = states.length / hiddenSize;
  const vectors = new Float32Array(states.length);
  for (let row = 0; row < count; row++) {
    const range = [row * hiddenSize, (row + 1) * hiddenSize] as const;
    const projected = affine(adapter.projection, states.subarray(...range));
    vectors.set(normalize(adapter.norm, projected), range[0]);
  }
  return { count, vectors };
}

/** Their mean [hidden]: what the text is like, for selection. */
export function pool({ count, vectors }: VirtualTokens): Float32Array {
  return meanRows(vectors, vectors.length / count, [0, count]);
}

/** Of a table with rows of `size`, the mean of those from `start` up to `end`. */
export function meanRows(
  table: Float32Array,
  size: number,
  [start, end]: readonly [start: number, end: number],
): Float32Array {
  const mean = new Float32Array(size);
  for (let row = start; row < end; row++)
    for (let column = 0; column < size; column++)
      mean[column]! += table[row * size + column]! / (end - start);
  return mean;
}

/** W x + b */
function affine({ weight, bias }: Adapter["projection"], x: Float32Array): Float32Array {
  return bias.map((value, row) => {
    let sum = value;
    const start = row * x.length;
    for (let column = 0; column < x.length; column++) sum += weight[start + column]! * x[column]!;
    return sum;
  });
}

function normalize({ weight, bias }: Adapter["norm"], x: Float32Array): Float32Array {
  const mean = x.reduce((sum, each) => sum + each, 0) / x.length;
  const variance = x.reduce((sum, each) => sum + (each - mean) ** 2, 0) / x.length;
  const scale = 1 / Math.sqrt(variance + epsilon);
  return x.map((each, column) => (each - mean) * scale * weight[column]! + bias[column]!);
}
