// A tiny model made in code: two layers, about 300 tokens of byte-level BPE, seeded weights of any
// tensor type, as the bytes of a GGUF file. It takes every path of the real ones in milliseconds.
import { type ByteSource, bytesSource } from "../../sidecar/gguf/byte-source.ts";
import type { TensorType } from "../../sidecar/gguf/tensor-type.ts";
import { type TypedValue, type WrittenGguf, type WrittenTensor, writeGguf } from "./gguf-writer.ts";
import { createRandom, gaussian, type Random, randomTensor } from "./random-tensor.ts";

export interface TinyOptions {
  /** Default `llama`: interleaved rotary pairs, no biases; `qwen2` has split pairs and biases. */
  readonly architecture?: "llama" | "qwen2";
  /** Default 1. */
  readonly seed?: number;
  /** Default 2. */
  readonly layerCount?: number;
  /** Default 64; the K types need a multiple of 256 here and in `feedForwardSize`. */
  readonly hiddenSize?: number;
  /** Default twice the hidden size. */
  readonly feedForwardSize?: number;
  /** Default 4; the head size is `hiddenSize / headCount`. */
  readonly headCount?: number;
  /** Default 2. */
  readonly kvHeadCount?: number;
  /** Default 512. */
  readonly contextLength?: number;
  /** Type of the matrices, or a choice by tensor name; default F32. Norms and biases stay F32. */
  readonly tensorType?: TensorType | ((name: string) => TensorType);
  /** Default true: no `output.weight`, the head is the embedding table. */
  readonly hasTiedEmbeddings?: boolean;
  /** Metadata that is added or replaced. */
  readonly metadata?: Readonly<Record<string, TypedValue>>;
}

/** The same model as a source to parse or prepare. */
export function tinySource(options: TinyOptions = {}): ByteSource {
  return bytesSource("tiny.gguf", makeTinyGguf(options).bytes);
}

export function makeTinyGguf(options: TinyOptions = {}): WrittenGguf {
  const vocabulary = tinyVocabulary();
  const shape = {
    architecture: options.architecture ?? "llama",
    layerCount: options.layerCount ?? 2,
    hiddenSize: options.hiddenSize ?? 64,
    feedForwardSize: options.feedForwardSize ?? 2 * (options.hiddenSize ?? 64),
    headCount: options.headCount ?? 4,
    kvHeadCount: options.kvHeadCount ?? 2,
    contextLength: options.contextLength ?? 512,
    vocabularySize: vocabulary.tokens.length,
  };
  const metadata = {
    ...tinyMetadata(shape),
    ...vocabularyMetadata(shape.architecture, vocabulary),
  };
  return writeGguf(
    new Map(Object.entries({ ...metadata, ...options.metadata })),
    tinyTensors(shape, options),
  );
}

type TinyShape = Required<
  Pick<
    TinyOptions,
    | "architecture"
    | "layerCount"
    | "hiddenSize"
    | "feedForwardSize"
    | "headCount"
    | "kvHeadCount"
    | "contextLength"
  >
> & { readonly vocabularySize: number };

function tinyMetadata(shape: TinyShape): Record<string, TypedValue> {
  const own = (key: string) => `${shape.architecture}.${key}`;
  return {
    "general.architecture": { string: shape.architecture },
    "general.name": { string: "Tiny" },
    [own("block_count")]: { uint32: shape.layerCount },
    [own("context_length")]: { uint32: shape.contextLength },
    [own("embedding_length")]: { uint32: shape.hiddenSize },
    [own("feed_forward_length")]: { uint32: shape.feedForwardSize },
    [own("attention.head_count")]: { uint32: shape.headCount },
    [own("attention.head_count_kv")]: { uint32: shape.kvHeadCount },
    [own("rope.freq_base")]: { float32: 10000 },
    [own("attention.layer_norm_rms_epsilon")]: { float32: 1e-5 },
  };
}

function tinyTensors(shape: TinyShape, options: TinyOptions): WrittenTensor[] {
  const random = createRandom(options.seed ?? 1);
  const { hiddenSize, feedForwardSize, vocabularySize } = shape;
  const kvSize = (hiddenSize / shape.headCount) * shape.kvHeadCount;
  const matrix = (name: string, columns: number, rows: number): WrittenTensor => {
    const type = typeOf(options, name);
    const bytes = randomTensor(random, type, columns * rows, 1 / Math.sqrt(columns));
    return { name, type, dimensions: [columns, rows], bytes };
  };
  const layer = (index: number): WrittenTensor[] => {
    const name = (part: string) => `blk.${index}.${part}`;
    const biases =
      shape.architecture === "qwen2"
        ? [
            vector(random, name("attn_q.bias"), hiddenSize, 0),
            vector(random, name("attn_k.bias"), kvSize, 0),
            vector(random, name("attn_v.bias"), kvSize, 0),
          ]
        : [];
    return [
      vector(random, name("attn_norm.weight"), hiddenSize, 1),
      matrix(name("attn_q.weight"), hiddenSize, hiddenSize),
      matrix(name("attn_k.weight"), hiddenSize, kvSize),
      matrix(name("attn_v.weight"), hiddenSize, kvSize),
      ...biases,
      matrix(name("attn_output.weight"), hiddenSize, hiddenSize),
      vector(random, name("ffn_norm.weight"), hiddenSize, 1),
      matrix(name("ffn_gate.weight"), hiddenSize, feedForwardSize),
      matrix(name("ffn_up.weight"), hiddenSize, feedForwardSize),
      matrix(name("ffn_down.weight"), feedForwardSize, hiddenSize),
    ];
  };
  const tensors = [matrix("token_embd.weight", hiddenSize, vocabularySize)];
  for (let index = 0; index < shape.layerCount; index++) tensors.push(...layer(index));
  tensors.push(vector(random, "output_norm.weight", hiddenSize, 1));
  if (options.hasTiedEmbeddings === false)
    tensors.push(matrix("output.weight", hiddenSize, vocabularySize));
  return tensors;
}

function typeOf({ tensorType }: TinyOptions, name: string): TensorType {
  return typeof tensorType === "function" ? tensorType(name) : (tensorType ?? "F32");
}

/** Norm gains lie around 1, biases around 0. */
function vector(random: Random, name: string, length: number, centre: number): WrittenTensor {
  const values = Float32Array.from({ length }, () => centre + 0.1 * gaussian(random));
  return { name, type: "F32", dimensions: [length], bytes: new Uint8Array(values.buffer) };
}

interface TinyVocabulary {
  readonly tokens: readonly string[];
  readonly tokenTypes: readonly number[];
  readonly merges: readonly string[];
}

/** Marks that Qwen2.5-Coder and SmolLM2 have, so that layouts and end tests work on both flavours. */
const controlTokens = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|fim_prefix|>",
  "<|fim_middle|>",
  "<|fim_suffix|>",
  "<|repo_name|>",
  "<|file_sep|>",
];

const merges = [
  ["Ġ", "t"],
  ["h", "e"],
  ["i", "n"],
  ["r", "e"],
  ["Ġ", "Ġ"],
  ["o", "n"],
  ["Ġt", "he"],
  ["e", "r"],
  ["Ġ", "="],
  ["ĠĠ", "ĠĠ"],
  ["in", "g"],
  ["c", "on"],
  ["s", "t"],
  ["con", "st"],
  ["Ġ", "r"],
  ["re", "t"],
  ["u", "r"],
  ["ret", "ur"],
  ["retur", "n"],
  ["(", ")"],
  [";", "Ċ"],
  ["Ċ", "Ċ"],
  ["Ã", "©"],
  ["ð", "Ł"],
] as const;

function tinyVocabulary(): TinyVocabulary {
  const ordinary = [...byteAlphabet(), ...merges.map((pair) => pair.join(""))];
  return {
    tokens: [...controlTokens, ...ordinary],
    // gguf.TokenType: 1 normal, 3 control.
    tokenTypes: [...controlTokens.map(() => 3), ...ordinary.map(() => 1)],
    merges: merges.map((pair) => pair.join(" ")),
  };
}

/** GPT-2's byte alphabet, in byte order: printable bytes as themselves, the rest from U+0100 on. */
function byteAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}

function vocabularyMetadata(
  architecture: "llama" | "qwen2",
  { tokens, tokenTypes, merges }: TinyVocabulary,
): Record<string, TypedValue> {
  return {
    "tokenizer.ggml.model": { string: "gpt2" },
    "tokenizer.ggml.pre": { string: architecture === "qwen2" ? "qwen2" : "smollm" },
    "tokenizer.ggml.tokens": { strings: tokens },
    "tokenizer.ggml.token_type": { int32s: tokenTypes },
    "tokenizer.ggml.merges": { strings: merges },
    "tokenizer.ggml.eos_token_id": { uint32: 2 },
    "tokenizer.ggml.add_bos_token": { bool: false },
  };
}
