// Tensors of the GGUF -> initialisers in weights.bin, in layer order. Rows are read, encoded and
// written a few thousand at a time, so memory does not grow with the model.
import { throwIfCancelled } from "../errors.ts";
import { dequantize } from "../gguf/dequantize.ts";
import type { TensorEntry } from "../gguf/tensor-table.ts";
import type { StoredTensor } from "../onnx/tensor-store.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import {
  refuseNonFinite,
  type StoredLinear,
  type WeightWriting,
  writeMatrix,
} from "./linear-store.ts";
import type { DecoderTensors, LayerTensors } from "./tensor-plan.ts";

export interface LayerWeights {
  readonly attentionNorm: StoredTensor; // [hidden]
  readonly queryKeyValue: StoredLinear; // [(heads + 2 kvHeads) headDim, hidden]
  readonly attentionOutput: StoredLinear; // [hidden, heads headDim]
  readonly feedForwardNorm: StoredTensor; // [hidden]
  readonly gateAndUp: StoredLinear; // [2 feedForward, hidden]
  readonly down: StoredLinear; // [hidden, feedForward]
}

export interface DecoderWeights {
  readonly cosines: StoredTensor; // [context, headDim / 2]
  readonly sines: StoredTensor; // [context, headDim / 2]
  readonly layers: readonly LayerWeights[];
  readonly outputNorm: StoredTensor; // [hidden]
  readonly head: StoredLinear; // [vocabulary, hidden]
}

/** Writes what `tensors` names; @throws FormatError when a weight is not finite. */
export async function writeWeights(
  writing: WeightWriting,
  tensors: DecoderTensors,
  hyperparameters: Hyperparameters,
): Promise<DecoderWeights> {
  const { cosines, sines } = await writeRotaryTable(writing, hyperparameters);
  const layers: LayerWeights[] = [];
  for (const [index, layer] of tensors.layers.entries())
    layers.push(await writeLayer(writing, layer, `layer.${index}`));
  return {
    cosines,
    sines,
    layers,
    outputNorm: await writeVectors(writing, [tensors.outputNorm]),
    head: await writeLinear(writing, "head", [tensors.head]),
  };
}

async function writeLayer(
  writing: WeightWriting,
  tensors: LayerTensors,
  name: string,
): Promise<LayerWeights> {
  const { query, key, value, queryKeyValueBias, gate, up } = tensors;
  return {
    attentionNorm: await writeVectors(writing, [tensors.attentionNorm]),
    queryKeyValue: {
      ...(await writeLinear(writing, `${name}.query_key_value`, [query, key, value])),
      bias: queryKeyValueBias.length > 0 ? await writeVectors(writing, queryKeyValueBias) : null,
    },
    attentionOutput: await writeLinear(writing, `${name}.attention_output`, [
      tensors.attentionOutput,
    ]),
    feedForwardNorm: await writeVectors(writing, [tensors.feedForwardNorm]),
    gateAndUp: await writeLinear(writing, `${name}.gate_and_up`, [gate, up]),
    down: await writeLinear(writing, `${name}.down`, [tensors.down]),
  };
}

/** Several vectors one behind the other, as floats whatever their type in the file. */
async function writeVectors(
  { source, store, onBytes, signal }: WeightWriting,
  entries: readonly TensorEntry[],
): Promise<StoredTensor> {
  throwIfCancelled(signal);
  const lengths = entries.map(({ dimensions }) => dimensions[0] ?? 0);
  const values = new Float32Array(lengths.reduce((sum, each) => sum + each, 0));
  let at = 0;
  for (const [index, { name, type, offset, byteLength }] of entries.entries()) {
    const length = lengths[index] ?? 0;
    const vector = dequantize(type, await source.read(offset, byteLength), length);
    refuseNonFinite(vector, `${source.name}: tensor ${name}`);
    values.set(vector, at);
    at += length;
    onBytes(byteLength);
  }
  const name = entries.map((entry) => entry.name).join("+");
  return store.add(name, "float32", [values.length], values);
}

/** Matrices with one input, stacked; a bias is the caller's. */
async function writeLinear(
  writing: WeightWriting,
  name: string,
  entries: readonly TensorEntry[],
): Promise<StoredLinear> {
  const [columns = 0] = entries[0]?.dimensions ?? [];
  const rows = entries.reduce((sum, { dimensions }) => sum + (dimensions[1] ?? 0), 0);
  return { name, rows, columns, matrix: await writeMatrix(writing, name, entries), bias: null };
}

/**
 * cos and sin of position * base^(-2i / headDim), computed in doubles: at position 30,000 a float32
 * angle is off by 2e-3.
 */
async function writeRotaryTable(
  { store }: WeightWriting,
  { contextLength, headDim, ropeBase }: Hyperparameters,
): Promise<{ readonly cosines: StoredTensor; readonly sines: StoredTensor }> {
  const half = headDim / 2;
  const frequencies = Float64Array.from(
    { length: half },
    (_, i) => ropeBase ** ((-2 * i) / headDim),
  );
  const cosines = new Float32Array(contextLength * half);
  const sines = new Float32Array(contextLength * half);
  for (let position = 0; position < contextLength; position++)
    for (const [i, frequency] of frequencies.entries()) {
      cosines[position * half + i] = Math.cos(position * frequency);
      sines[position * half + i] = Math.sin(position * frequency);
    }
  return {
    cosines: await store.add("rotary.cosines", "float32", [contextLength, half], cosines),
    sines: await store.add("rotary.sines", "float32", [contextLength, half], sines),
  };
}
