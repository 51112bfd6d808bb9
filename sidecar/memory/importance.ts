// How much each token of a piece matters to each key/value head: the mean attention
// that it gets while the piece is repeated (KVzip, arXiv 2505.23416: the keys a model needs to
// repeat a text are those it needs to use it), times how much its value can say (VATP, arXiv
// 2406.12335), which is the mean over the group's query heads of |W_o,q v|. Tokens of the outline
// count more (outline.ts).
import type { ModelShape } from "../engine/engine-model.ts";
import type { KvBlock } from "../engine/kv-cache.ts";

/**
 * By layer [kvHeads, tokens].
 * @param attention by layer [kvHeads, positions], of the run that repeats the piece
 * @param grams by layer [heads, headDim, headDim]: G_q = W_o,q' W_o,q, so that |W_o,q v|^2 = v' G_q v
 * @param weights [tokens]
 */
export function importanceOf(
  shape: ModelShape,
  piece: KvBlock,
  {
    attention,
    grams,
    weights,
  }: {
    readonly attention: readonly Float32Array[];
    readonly grams: readonly Float32Array[];
    readonly weights: Float32Array;
  },
): Float32Array[] {
  return attention.map((received, layer) => {
    const positionCount = received.length / shape.kvHeadCount;
    const values = piece.values[layer]!;
    const says = meanLengths(shape, piece, { values, grams: grams[layer]! });
    return says.map((length, index) => {
      const head = Math.floor(index / piece.length);
      const token = index % piece.length;
      return length * received[head * positionCount + piece.position + token]! * weights[token]!;
    });
  });
}

/** Mean over the query heads of a group of |W_o,q v|: [kvHeads, tokens]. */
function meanLengths(
  { headCount, kvHeadCount, headDim }: ModelShape,
  { length }: KvBlock,
  { values, grams }: { readonly values: Float32Array; readonly grams: Float32Array },
): Float32Array {
  const group = headCount / kvHeadCount;
  const means = new Float32Array(kvHeadCount * length);
  for (let head = 0; head < headCount; head++) {
    const kvHead = Math.floor(head / group);
    const gram = grams.subarray(head * headDim ** 2, (head + 1) * headDim ** 2);
    for (let token = 0; token < length; token++) {
      const row = kvHead * length + token;
      const value = values.subarray(row * headDim, (row + 1) * headDim);
      means[row]! += Math.sqrt(squaredLength(value, gram)) / group;
    }
  }
  return means;
}

/** v' G v of a symmetric G; float32 rounding may take it below 0. */
function squaredLength(value: Float32Array, gram: Float32Array): number {
  const size = value.length;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const row = i * size;
    let rest = 0;
    for (let j = i + 1; j < size; j++) rest += gram[row + j]! * value[j]!;
    sum += value[i]! * (gram[row + i]! * value[i]! + 2 * rest);
  }
  return Math.max(0, sum);
}
