// Which tensors of the file the decoder takes, by name and shape, checked before any is read.
import { FormatError, UnsupportedError } from "../errors.ts";
import type { GgufHeader } from "../gguf/header.ts";
import type { TensorEntry } from "../gguf/tensor-table.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

export interface LayerTensors {
  readonly attentionNorm: TensorEntry; // [hidden]
  readonly query: TensorEntry; // [hidden, heads headDim]
  readonly key: TensorEntry; // [hidden, kvHeads headDim]
  readonly value: TensorEntry; // [hidden, kvHeads headDim]
  readonly queryKeyValueBias: readonly TensorEntry[]; // one for each of the three, or none
  readonly attentionOutput: TensorEntry; // [heads headDim, hidden]
  readonly feedForwardNorm: TensorEntry; // [hidden]
  readonly gate: TensorEntry; // [hidden, feedForward]
  readonly up: TensorEntry; // [hidden, feedForward]
  readonly down: TensorEntry; // [feedForward, hidden]
}

/** Shapes are ggml's, columns first. */
export interface DecoderTensors {
  readonly embeddings: TensorEntry; // [hidden, vocabulary]
  readonly layers: readonly LayerTensors[];
  readonly outputNorm: TensorEntry; // [hidden]
  readonly head: TensorEntry; // [hidden, vocabulary], the embeddings where they are tied
}

/**
 * @throws FormatError when a tensor is missing or its shape contradicts the metadata;
 *   UnsupportedError when there are others, which stand for a feature that the decoder lacks.
 */
export function planTensors(
  header: GgufHeader,
  hyperparameters: Hyperparameters,
  fileName: string,
): DecoderTensors {
  const { hiddenSize, vocabularySize, hasTiedEmbeddings } = hyperparameters;
  const taken = new Set<string>();
  const take: TakeTensor = (name, ...dimensions) => {
    taken.add(name);
    return entryOf(header, fileName, { name, dimensions });
  };
  const embeddings = take("token_embd.weight", hiddenSize, vocabularySize);
  const plan = {
    embeddings,
    layers: Array.from({ length: hyperparameters.layerCount }, (_, index) =>
      planLayer(take, hyperparameters, index),
    ),
    outputNorm: take("output_norm.weight", hiddenSize),
    head: hasTiedEmbeddings ? embeddings : take("output.weight", hiddenSize, vocabularySize),
  };
  for (const name of header.tensors.keys())
    if (!taken.has(name))
      throw new UnsupportedError(
        `${fileName}: tensor ${name.slice(0, 80)} has no place in ${plan.layers.length} layers of plain attention and gated feed-forward, which are supported`,
      );
  return plan;
}

type TakeTensor = (name: string, ...dimensions: readonly number[]) => TensorEntry;

function planLayer(
  take: TakeTensor,
  { hiddenSize, feedForwardSize, headCount, kvHeadCount, headDim, hasQkvBias }: Hyperparameters,
  index: number,
): LayerTensors {
  const querySize = headCount * headDim;
  const kvSize = kvHeadCount * headDim;
  const weight = (part: string, ...dimensions: readonly number[]) =>
    take(`blk.${index}.${part}.weight`, ...dimensions);
  const bias = (part: string, size: number) => take(`blk.${index}.${part}.bias`, size);
  return {
    attentionNorm: weight("attn_norm", hiddenSize),
    query: weight("attn_q", hiddenSize, querySize),
    key: weight("attn_k", hiddenSize, kvSize),
    value: weight("attn_v", hiddenSize, kvSize),
    queryKeyValueBias: hasQkvBias
      ? [bias("attn_q", querySize), bias("attn_k", kvSize), bias("attn_v", kvSize)]
      : [],
    attentionOutput: weight("attn_output", querySize, hiddenSize),
    feedForwardNorm: weight("ffn_norm", hiddenSize),
    gate: weight("ffn_gate", hiddenSize, feedForwardSize),
    up: weight("ffn_up", hiddenSize, feedForwardSize),
    down: weight("ffn_down", feedForwardSize, hiddenSize),
  };
}

function entryOf(
  { tensors }: GgufHeader,
  fileName: string,
  { name, dimensions }: Pick<TensorEntry, "name" | "dimensions">,
): TensorEntry {
  const entry = tensors.get(name);
  if (entry === undefined) throw new FormatError(`${fileName}: tensor ${name} is missing`);
  const isSame =
    entry.dimensions.length === dimensions.length &&
    dimensions.every((each, index) => each === entry.dimensions[index]);
  if (!isSame)
    throw new FormatError(
      `${fileName}: tensor ${name} is [${entry.dimensions.join(", ")}], expected [${dimensions.join(", ")}]`,
    );
  return entry;
}
