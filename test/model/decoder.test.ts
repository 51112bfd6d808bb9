// The graph, run by the engine, against plain loops over the dequantised weights of the tiny model.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../../sidecar/engine/engine.ts";
import { type TensorType, tensorTypes } from "../../sidecar/gguf/tensor-type.ts";
import type { PrepareOptions } from "../../sidecar/model/prepare.ts";
import { meanAttention, type Rows, tinyForward } from "../support/tiny-forward.ts";
import { type TinyOptions, tinySource } from "../support/tiny-gguf.ts";
import { prepare } from "./prepare-tiny.ts";

const ids = [1, 40, 77, 281, 8, 8, 150, 263, 30, 12, 99, 287];

/** Float32 sums in another order; logits are a few units. */
const EXACT = 1e-4;

for (const architecture of ["llama", "qwen2"] as const)
  for (const hasTiedEmbeddings of [true, false])
    test(`${architecture} with ${hasTiedEmbeddings ? "tied" : "own"} head equals plain loops`, () =>
      checkGraph({ architecture, hasTiedEmbeddings }, { variant: "fp32" }, EXACT));

// Accuracy level 0 multiplies codes in float32, so what is left of 1e-4 would be a wrong weight.
for (const tensorType of tensorTypes)
  test(`${tensorType} by its lossless route equals plain loops`, () =>
    checkGraph(
      { architecture: "qwen2", tensorType, hiddenSize: 256 },
      { variant: "lossless", accuracyLevel: 0 },
      EXACT,
    ));

// 1/254 of a block's greatest weight at most, in random weights, where blocks have no small ones.
for (const tensorType of tensorTypes)
  test(`${tensorType} rounded for speed stays near plain loops`, () =>
    checkGraph(
      { architecture: "qwen2", tensorType, hiddenSize: 256 },
      { variant: "fast", accuracyLevel: 0 },
      0.1,
    ));

test("matrices of different types in one product equal plain loops", () =>
  checkGraph(
    { architecture: "qwen2", hiddenSize: 256, tensorType: mixedType, hasTiedEmbeddings: false },
    { variant: "lossless", accuracyLevel: 0 },
    EXACT,
  ));

// Level 4 rounds the inputs of every product to 8 bits a block: 0.4 % of a block's greatest, in
// random weights, where nothing averages out as it does in trained ones.
for (const tensorType of ["Q4_0", "Q4_1", "Q5_0", "Q8_0", "Q4_K", "Q6_K"] as const)
  test(`${tensorType} with rounded inputs stays near plain loops`, () =>
    checkGraph({ tensorType, hiddenSize: 256 }, { variant: "lossless" }, 0.1));

/** One layer stacks Q4_1 over Q6_K over F16, another Q4_0 over Q8_0: all of the conversions. */
function mixedType(name: string): TensorType {
  const types: Record<string, TensorType> = {
    "blk.0.attn_q.weight": "Q4_1",
    "blk.0.attn_k.weight": "Q6_K",
    "blk.0.attn_v.weight": "Q5_1",
    "blk.0.ffn_gate.weight": "Q4_0",
    "blk.0.ffn_up.weight": "Q8_0",
    "blk.1.attn_q.weight": "Q8_0",
    "blk.1.attn_k.weight": "F16",
    "blk.1.attn_v.weight": "Q4_K",
    "blk.1.ffn_gate.weight": "Q4_K",
    "blk.1.ffn_up.weight": "Q4_0",
    "output.weight": "Q6_K",
    "token_embd.weight": "Q5_0",
  };
  return types[name] ?? "Q8_0";
}

async function checkGraph(
  tiny: TinyOptions,
  options: Omit<PrepareOptions, "sourceSha256">,
  tolerance: number,
): Promise<void> {
  const source = tinySource(tiny);
  const expected = await tinyForward(source, ids);
  const model = await prepare(source, options);
  const engine = await Engine.load(model.engine, { threads: 1 });
  try {
    checkClose("embeddings", engine.embed(ids), expected.embeddings, 1e-6);
    const wanted = { logitsAt: "all", hidden: true } as const;
    const plain = await engine.run(engine.createCache(ids.length), ids, wanted);
    checkClose("hidden", plain.hidden, expected.hidden, tolerance);
    checkClose("logits", plain.logits, expected.logits, tolerance);
    const seen = { ...wanted, attention: true };
    const watched = await engine.run(engine.createCache(ids.length), ids, seen);
    checkClose("logits beside attention", watched.logits, expected.logits, tolerance);
    for (const [layer, heads] of expected.attention.entries()) {
      const means = meanAttention(heads, engine.shape.kvHeadCount);
      checkClose(`attention ${layer}`, watched.attention?.[layer], means, tolerance);
    }
  } finally {
    await engine.dispose();
  }
}

/** `tolerance` is absolute near 0 and relative beyond 1. */
function checkClose(
  label: string,
  found: Float32Array | null | undefined,
  expected: Rows,
  tolerance: number,
): void {
  const values = expected.flatMap((row) => [...row]);
  assert.equal(found?.length, values.length, `${label}: number of values`);
  for (const [index, value] of values.entries()) {
    const distance = Math.abs((found?.[index] ?? Number.NaN) - value) / (1 + Math.abs(value));
    assert.ok(distance <= tolerance, `${label}[${index}] ${found?.[index]}, expected ${value}`);
  }
}
