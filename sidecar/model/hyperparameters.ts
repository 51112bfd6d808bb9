// Metadata of a GGUF -> the numbers that shape the decoder. What the decoder cannot do is refused
// here by name, before any weight is read.
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import type { GgufHeader } from "../gguf/header.ts";
import type { MetadataValue } from "../gguf/metadata.ts";

export type Architecture = "llama" | "qwen2";

export interface Hyperparameters {
  readonly architecture: Architecture;
  readonly layerCount: number;
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
  readonly headCount: number;
  /** Query heads share key and value heads in groups of `headCount / kvHeadCount`. */
  readonly kvHeadCount: number;
  readonly headDim: number;
  readonly vocabularySize: number;
  /** Positions the graph has room for: the model's own, at most `MAX_CONTEXT`. */
  readonly contextLength: number;
  readonly ropeBase: number;
  readonly normEpsilon: number;
  readonly hasQkvBias: boolean;
  /** The head is the embedding table. */
  readonly hasTiedEmbeddings: boolean;
  /** Rotary pairs are (2i, 2i + 1), else (i, i + headDim / 2). */
  readonly rotaryInterleaved: boolean;
}

/**
 * The rotary table takes headDim * 4 bytes a position, 8 MB for this many at 64, and the caches are
 * smaller by far; a file may claim any length, so there has to be a bound.
 */
const MAX_CONTEXT = 32768;

/** Far above every model that runs on a CPU; with them no table made from metadata is large. */
const limits = { layerCount: 256, size: 65536, headCount: 512, headDim: 512 };

/**
 * @throws FormatError when a key is missing or contradicts another; UnsupportedError for
 *   architectures and features that the decoder lacks; LimitError for sizes out of all proportion.
 */
export function readHyperparameters(header: GgufHeader, fileName: string): Hyperparameters {
  const reader = createReader(header, fileName);
  const architecture = readArchitecture(reader);
  refuseUnsupported(reader);
  const hiddenSize = reader.count("embedding_length", limits.size);
  const headCount = reader.count("attention.head_count", limits.headCount);
  const kvHeadCount = reader.count("attention.head_count_kv", limits.headCount, headCount);
  if (headCount % kvHeadCount !== 0)
    throw new FormatError(
      `${fileName}: ${headCount} heads are not a multiple of ${kvHeadCount} key and value heads`,
    );
  return {
    architecture,
    layerCount: reader.count("block_count", limits.layerCount),
    hiddenSize,
    feedForwardSize: reader.count("feed_forward_length", limits.size),
    headCount,
    kvHeadCount,
    headDim: readHeadDim(reader, hiddenSize / headCount),
    vocabularySize: readVocabularySize(reader),
    contextLength: Math.min(reader.count("context_length", 2 ** 32), MAX_CONTEXT),
    ropeBase: reader.positive("rope.freq_base", 10000), // llama.cpp's default, older files rely on it
    normEpsilon: reader.positive("attention.layer_norm_rms_epsilon"),
    hasQkvBias: header.tensors.has("blk.0.attn_q.bias"),
    hasTiedEmbeddings: !header.tensors.has("output.weight"),
    // convert_hf_to_gguf.py permutes the rows of q and k for llama, and not for qwen2.
    rotaryInterleaved: architecture === "llama",
  };
}

type Reader = ReturnType<typeof createReader>;

/** Keys are given without the architecture that they start with. */
function createReader({ metadata }: GgufHeader, fileName: string) {
  const architecture = metadata.get("general.architecture");
  const keyOf = (key: string) => `${String(architecture)}.${key}`;
  const get = (key: string): MetadataValue | undefined => metadata.get(keyOf(key));
  const number = (key: string, fallback?: number): number => {
    const value = get(key) ?? fallback;
    if (typeof value === "number") return value;
    if (value === undefined) throw new FormatError(`${fileName}: ${keyOf(key)} is missing`);
    throw new UnsupportedError(
      `${fileName}: ${keyOf(key)} is not a number; one value for all layers is supported`,
    );
  };
  const count = (key: string, limit: number, fallback?: number): number => {
    const value = number(key, fallback);
    if (!Number.isInteger(value) || value < 1)
      throw new FormatError(`${fileName}: ${keyOf(key)} ${value} is not a positive whole number`);
    if (value > limit) throw new LimitError(`${fileName}: ${keyOf(key)} ${value} exceeds ${limit}`);
    return value;
  };
  const positive = (key: string, fallback?: number): number => {
    const value = number(key, fallback);
    if (!(value > 0 && value < Number.POSITIVE_INFINITY))
      throw new FormatError(`${fileName}: ${keyOf(key)} ${value} is not a positive number`);
    return value;
  };
  return { architecture, fileName, metadata, keyOf, get, count, positive };
}

function readArchitecture({ architecture, fileName }: Reader): Architecture {
  if (architecture === "llama" || architecture === "qwen2") return architecture;
  if (typeof architecture !== "string")
    throw new FormatError(`${fileName}: general.architecture is missing`);
  throw new UnsupportedError(
    `${fileName}: architecture ${architecture.slice(0, 80)}, supported are llama and qwen2`,
  );
}

function refuseUnsupported(reader: Reader): void {
  const { fileName, keyOf, get } = reader;
  const scaling = get("rope.scaling.type") ?? "none";
  if (scaling !== "none")
    throw new UnsupportedError(
      `${fileName}: ${keyOf("rope.scaling.type")} ${scaling}, supported is none`,
    );
  for (const key of ["rope.scaling.factor", "rope.scale_linear"])
    if ((get(key) ?? 1) !== 1)
      throw new UnsupportedError(`${fileName}: ${keyOf(key)} ${get(key)}, supported is 1`);
  for (const key of ["expert_count", "attention.sliding_window"])
    if ((get(key) ?? 0) !== 0)
      throw new UnsupportedError(
        `${fileName}: ${keyOf(key)} ${get(key)}, supported are dense layers with full attention`,
      );
}

function readHeadDim(reader: Reader, fallback: number): number {
  const { fileName, keyOf } = reader;
  const headDim = reader.count("attention.key_length", limits.headDim, fallback);
  for (const key of ["attention.value_length", "rope.dimension_count"]) {
    const value = reader.count(key, limits.headDim, headDim);
    if (value !== headDim)
      throw new UnsupportedError(
        `${fileName}: ${keyOf(key)} ${value} differs from the head size ${headDim}, supported is one size`,
      );
  }
  // GroupQueryAttention rotates on the CPU only such head sizes.
  if (headDim % 16 !== 0)
    throw new UnsupportedError(`${fileName}: head size ${headDim}, supported are multiples of 16`);
  return headDim;
}

function readVocabularySize({ metadata, fileName }: Reader): number {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (!Array.isArray(tokens) || tokens.length === 0)
    throw new FormatError(`${fileName}: tokenizer.ggml.tokens is missing or empty`);
  return tokens.length;
}
