// What the metadata says about the shape, and what is refused by name before any weight is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { readHyperparameters } from "../../sidecar/model/hyperparameters.ts";
import { planTensors } from "../../sidecar/model/tensor-plan.ts";
import { readVocabulary } from "../../sidecar/model/vocabulary.ts";
import type { TypedValue } from "../support/gguf-writer.ts";
import { type TinyOptions, tinySource } from "../support/tiny-gguf.ts";

test("the shape of a llama file", async () => {
  assert.deepEqual(await hyperparametersOf({}), {
    architecture: "llama",
    layerCount: 2,
    hiddenSize: 64,
    feedForwardSize: 128,
    headCount: 4,
    kvHeadCount: 2,
    headDim: 16,
    vocabularySize: 288,
    contextLength: 512,
    ropeBase: 10000,
    normEpsilon: Math.fround(1e-5),
    hasQkvBias: false,
    hasTiedEmbeddings: true,
    rotaryInterleaved: true,
  });
});

test("what differs in a qwen2 file", async () => {
  const found = await hyperparametersOf({ architecture: "qwen2", hasTiedEmbeddings: false });
  assert.equal(found.rotaryInterleaved, false);
  assert.equal(found.hasQkvBias, true);
  assert.equal(found.hasTiedEmbeddings, false);
});

test("a claimed context beyond what the graph has room for is cut", async () => {
  assert.equal((await hyperparametersOf({ contextLength: 131072 })).contextLength, 32768);
});

type ErrorClass = typeof FormatError | typeof LimitError | typeof UnsupportedError;

const refused: readonly (readonly [Record<string, TypedValue>, RegExp, ErrorClass])[] = [
  [
    { "general.architecture": { string: "gemma3" } },
    /architecture gemma3, supported are llama and qwen2/,
    UnsupportedError,
  ],
  [{ "llama.rope.scaling.type": { string: "yarn" } }, /rope\.scaling\.type yarn/, UnsupportedError],
  [{ "llama.rope.scaling.factor": { float32: 4 } }, /rope\.scaling\.factor 4/, UnsupportedError],
  [{ "llama.expert_count": { uint32: 8 } }, /expert_count 8/, UnsupportedError],
  [{ "llama.attention.sliding_window": { uint32: 256 } }, /sliding_window 256/, UnsupportedError],
  [
    { "llama.rope.dimension_count": { uint32: 8 } },
    /dimension_count 8 differs from the head size 16/,
    UnsupportedError,
  ],
  [
    { "llama.attention.head_count": { uint32: 8 } },
    /head size 8, supported are multiples of 16/,
    UnsupportedError,
  ],
  [
    { "llama.attention.head_count_kv": { int32s: [2, 1] } },
    /head_count_kv is not a number/,
    UnsupportedError,
  ],
  [
    { "llama.block_count": { uint32: 1 } },
    /tensor blk\.1\.\S+ has no place in 1 layers/,
    UnsupportedError,
  ],
  [
    { "llama.attention.head_count_kv": { uint32: 3 } },
    /4 heads are not a multiple of 3/,
    FormatError,
  ],
  [
    { "llama.attention.head_count": { uint32: 0 } },
    /head_count 0 is not a positive whole number/,
    FormatError,
  ],
  [
    { "llama.embedding_length": { float32: 1.5 } },
    /embedding_length 1.5 is not a positive whole/,
    FormatError,
  ],
  [
    { "llama.attention.layer_norm_rms_epsilon": { float32: -1 } },
    /epsilon -1 is not a positive number/,
    FormatError,
  ],
  [
    { "llama.embedding_length": { uint32: 65537 } },
    /embedding_length 65537 exceeds 65536/,
    LimitError,
  ],
  [{ "llama.attention.key_length": { uint32: 1024 } }, /key_length 1024 exceeds 512/, LimitError],
];

for (const [metadata, message, errorClass] of refused)
  test(`${JSON.stringify(metadata)} is refused`, () =>
    assert.rejects(hyperparametersOf({ metadata }), (error) => {
      assert.ok(error instanceof errorClass, String(error));
      assert.match(error.message, message);
      return true;
    }));

test("a missing tensor and one of another shape are FormatErrors by name", async () => {
  const header = await parseHeader(tinySource());
  const hyperparameters = readHyperparameters(header, "tiny.gguf");
  const tensors = new Map(header.tensors);
  tensors.delete("blk.1.ffn_up.weight");
  const without = { ...header, tensors };
  assert.throws(() => planTensors(without, hyperparameters, "tiny.gguf"), {
    name: "FormatError",
    message: "tiny.gguf: tensor blk.1.ffn_up.weight is missing",
  });
  const wider = { ...hyperparameters, feedForwardSize: 256 };
  assert.throws(() => planTensors(header, wider, "tiny.gguf"), {
    name: "FormatError",
    message: "tiny.gguf: tensor blk.0.ffn_gate.weight is [64, 128], expected [64, 256]",
  });
});

test("a tensor of another architecture is unsupported by name", async () => {
  const header = await parseHeader(tinySource());
  const entry = header.tensors.get("output_norm.weight");
  assert.ok(entry !== undefined);
  const name = "blk.0.attn_q_norm.weight";
  const tensors = new Map(header.tensors).set(name, { ...entry, name });
  const hyperparameters = readHyperparameters(header, "tiny.gguf");
  assert.throws(() => planTensors({ ...header, tensors }, hyperparameters, "tiny.gguf"), {
    name: "UnsupportedError",
    message: /tensor blk\.0\.attn_q_norm\.weight has no place in 2 layers/,
  });
});

test("control tokens that end a text count as ends beside the file's own", async () => {
  const { endIds, tokens } = await vocabularyOf({});
  assert.deepEqual(
    endIds.map((id) => tokens[id]),
    ["<|endoftext|>", "<|im_end|>"],
  );
});

for (const [metadata, message] of [
  [{ "tokenizer.ggml.eos_token_id": { uint32: 288 } }, /eos_token_id 288 is not an id below 288/],
  [{ "tokenizer.ggml.token_type": { int32s: [1, 1] } }, /token_type has 2 entries, expected 288/],
  [{ "tokenizer.ggml.merges": { string: "a b" } }, /merges is missing or not a list of strings/],
  [{ "tokenizer.ggml.pre": { bool: true } }, /pre is missing or not a string/],
] as const)
  test(`a vocabulary with ${JSON.stringify(metadata)} is a FormatError`, () =>
    assert.rejects(vocabularyOf({ metadata }), (error) => {
      assert.ok(error instanceof FormatError);
      assert.match(error.message, message);
      return true;
    }));

async function hyperparametersOf(options: TinyOptions) {
  const header = await parseHeader(tinySource(options));
  const hyperparameters = readHyperparameters(header, "tiny.gguf");
  planTensors(header, hyperparameters, "tiny.gguf");
  return hyperparameters;
}

async function vocabularyOf(options: TinyOptions) {
  const { metadata } = await parseHeader(tinySource(options));
  return readVocabulary(metadata, "tiny.gguf");
}
