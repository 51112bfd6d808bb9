// Tensors of the GGUF -> initialisers in weights.bin, in layer order. Rows are read, encoded and
// written a few thousand at a time, so memory does not grow with the model.
import { FormatError, throwIfCancelled } from "../errors.ts";
import { dequantize } from "../gguf/dequantize.ts";
import type { TensorEntry } from "../gguf/header.ts";
import type { StoredTensor } from "../onnx/tensor-store.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import { type StoredLinear, type WeightWriting, writeMatrix } from "./linear-store.ts";

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

/** @throws FormatError when a tensor is missing or its shape contradicts the metadata. */
export async function writeWeights(
  writing: WeightWriting,
  hyperparameters: Hyperparameters,
): Promise<DecoderWeights> {
  const { hiddenSize, feedForwardSize, headDim, vocabularySize } = hyperparameters;
  const querySize = hyperparameters.headCount * headDim;
  const kvSize = hyperparameters.kvHeadCount * headDim;
  const { cosines, sines } = await writeRotaryTable(writing, hyperparameters);
  const layers: LayerWeights[] = [];
  for (let index = 0; index < hyperparameters.layerCount; index++) {
    const matrix = (part: string, columns: number, rows: number) =>
      entryOf(writing, `blk.${index}.${part}.weight`, [columns, rows]);
    const norm = (part: string) =>
      writeVectors(writing, [`blk.${index}.${part}.weight`], [hiddenSize]);
    const parts = ["attn_q", "attn_k", "attn_v"].map((part) => `blk.${index}.${part}.bias`);
    layers.push({
      attentionNorm: await norm("attn_norm"),
      queryKeyValue: await writeLinear(writing, `layer.${index}.query_key_value`, {
        matrices: [
          matrix("attn_q", hiddenSize, querySize),
          matrix("attn_k", hiddenSize, kvSize),
          matrix("attn_v", hiddenSize, kvSize),
        ],
        bias: hyperparameters.hasQkvBias
          ? await writeVectors(writing, parts, [querySize, kvSize, kvSize])
          : null,
      }),
      attentionOutput: await writeLinear(writing, `layer.${index}.attention_output`, {
        matrices: [matrix("attn_output", querySize, hiddenSize)],
        bias: null,
      }),
      feedForwardNorm: await norm("ffn_norm"),
      gateAndUp: await writeLinear(writing, `layer.${index}.gate_and_up`, {
        matrices: [
          matrix("ffn_gate", hiddenSize, feedForwardSize),
          matrix("ffn_up", hiddenSize, feedForwardSize),
        ],
        bias: null,
      }),
      down: await writeLinear(writing, `layer.${index}.down`, {
        matrices: [matrix("ffn_down", feedForwardSize, hiddenSize)],
        bias: null,
      }),
    });
  }
  const headName = hyperparameters.hasTiedEmbeddings ? "token_embd.weight" : "output.weight";
  const head = entryOf(writing, headName, [hiddenSize, vocabularySize]);
  return {
    cosines,
    sines,
    layers,
    outputNorm: await writeVectors(writing, ["output_norm.weight"], [hiddenSize]),
    head: await writeLinear(writing, "head", { matrices: [head], bias: null }),
  };
}

/** The tensor of that name and shape. @throws FormatError when there is none. */
export function entryOf(
  { header, source }: Pick<WeightWriting, "header" | "source">,
  name: string,
  dimensions: readonly number[],
): TensorEntry {
  const entry = header.tensors.get(name);
  if (entry === undefined) throw new FormatError(`${source.name}: tensor ${name} is missing`);
  const isSame =
    entry.dimensions.length === dimensions.length &&
    dimensions.every((each, index) => each === entry.dimensions[index]);
  if (!isSame)
    throw new FormatError(
      `${source.name}: tensor ${name} is [${entry.dimensions.join(", ")}], expected [${dimensions.join(", ")}]`,
    );
  return entry;
}

/** Several vectors one behind the other, as floats whatever their type in the file. */
async function writeVectors(
  writing: WeightWriting,
  names: readonly string[],
  lengths: readonly number[],
): Promise<StoredTensor> {
  throwIfCancelled(writing.signal);
  const total = lengths.reduce((sum, each) => sum + each, 0);
  const values = new Float32Array(total);
  let at = 0;
  for (const [index, name] of names.entries()) {
    const length = lengths[index] ?? 0;
    const entry = entryOf(writing, name, [length]);
    const bytes = await writing.source.read(entry.offset, entry.byteLength);
    values.set(dequantize(entry.type, bytes, length), at);
    at += length;
    writing.onBytes(entry.byteLength);
  }
  return writing.store.add(names.join("+"), "float32", [total], values);
}

async function writeLinear(
  writing: WeightWriting,
  name: string,
  parts: { readonly matrices: readonly TensorEntry[]; readonly bias: StoredTensor | null },
): Promise<StoredLinear> {
  const [columns = 0] = parts.matrices[0]?.dimensions ?? [];
  const rows = parts.matrices.reduce((sum, { dimensions }) => sum + (dimensions[1] ?? 0), 0);
  const matrix = await writeMatrix(writing, name, parts.matrices);
  return { name, rows, columns, matrix, bias: parts.bias };
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
  const cosines = new Float32Array(contextLength * half);
  const sines = new Float32Array(contextLength * half);
  for (let index = 0; index < cosines.length; index++) {
    const position = Math.floor(index / half);
    const angle = position * ropeBase ** ((-2 * (index % half)) / headDim);
    cosines[index] = Math.cos(angle);
    sines[index] = Math.sin(angle);
  }
  return {
    cosines: await store.add("rotary.cosines", "float32", [contextLength, half], cosines),
    sines: await store.add("rotary.sines", "float32", [contextLength, half], sines),
  };
}
