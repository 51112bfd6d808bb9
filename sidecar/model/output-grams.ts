// How loud a value vector can get in the residual stream: |W_o,q v|^2 = v' G_q v, with W_o,q the
// columns of the output projection that belong to query head q and G_q = W_o,q' W_o,q. Whoever asks
// has values only, so the G_q are made once, from the file's own weights, whatever the variant.
//   output-grams.bin: layers x heads x headDim x headDim x f32
import { readFile } from "node:fs/promises";
import { FormatError, throwIfCancelled } from "../errors.ts";
import { dequantize } from "../gguf/dequantize.ts";
import type { ByteSink } from "../onnx/tensor-store.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import type { WeightWriting } from "./linear-store.ts";
import type { LayerTensors } from "./tensor-plan.ts";

type GramShape = Pick<Hyperparameters, "layerCount" | "headCount" | "headDim">;

/** Reads the output projection of every layer once more: they are less than a tenth of the weights. */
export async function writeOutputGrams(
  { source, signal }: Pick<WeightWriting, "source" | "signal">,
  layers: readonly LayerTensors[],
  { shape, sink }: { readonly shape: GramShape; readonly sink: ByteSink },
): Promise<void> {
  for (const [index, { attentionOutput }] of layers.entries()) {
    throwIfCancelled(signal);
    const { type, offset, byteLength, dimensions } = attentionOutput;
    const count = dimensions.reduce((product, each) => product * each, 1);
    const weights = dequantize(type, await source.read(offset, byteLength), count);
    const grams = gramsOf(weights, shape);
    await sink.write(new Uint8Array(grams.buffer), index * grams.byteLength);
  }
}

/**
 * By layer [heads, headDim, headDim].
 * @throws FormatError when the file has another length than the shape says.
 */
export async function loadOutputGrams(file: string, shape: GramShape): Promise<Float32Array[]> {
  const { buffer, byteOffset, byteLength } = await readFile(file);
  const size = shape.headCount * shape.headDim ** 2;
  const expected = shape.layerCount * size * Float32Array.BYTES_PER_ELEMENT;
  if (byteLength !== expected)
    throw new FormatError(`${file}: ${byteLength} bytes, the model has ${expected}`);
  const values = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
  return Array.from({ length: shape.layerCount }, (_, layer) =>
    values.subarray(layer * size, (layer + 1) * size),
  );
}

/** `weights` [hidden, heads headDim] -> [heads, headDim, headDim]. */
function gramsOf(weights: Float32Array, { headCount, headDim }: GramShape): Float32Array {
  const sums = new Float64Array(headCount * headDim ** 2); // The upper triangles.
  for (let segment = 0; segment < weights.length; segment += headDim) {
    const gram = ((segment / headDim) % headCount) * headDim ** 2;
    for (let i = 0; i < headDim; i++) {
      const weight = weights[segment + i]!;
      const row = gram + i * headDim;
      for (let j = i; j < headDim; j++) sums[row + j]! += weight * weights[segment + j]!;
    }
  }
  for (let gram = 0; gram < sums.length; gram += headDim ** 2)
    for (let i = 0; i < headDim; i++)
      for (let j = 0; j < i; j++) sums[gram + i * headDim + j] = sums[gram + j * headDim + i]!;
  return Float32Array.from(sums);
}
