// The graph against plain loops over the dequantised weights, on the tiny model.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tensorTypes } from "../../sidecar/gguf/tensor-type.ts";
import { type PrepareOptions, prepareModel } from "../../sidecar/model/prepare.ts";
import { runGraph } from "../support/run-graph.ts";
import { type Rows, tinyForward } from "../support/tiny-forward.ts";
import { type TinyOptions, tinySource } from "../support/tiny-gguf.ts";

const ids = [1, 40, 77, 281, 8, 8, 150, 263, 30, 12, 99, 287];

for (const architecture of ["llama", "qwen2"] as const)
  for (const hasTiedEmbeddings of [true, false])
    test(`${architecture}, ${hasTiedEmbeddings ? "tied" : "own"} head: float graph equals the loops`, () =>
      checkGraph({ architecture, hasTiedEmbeddings }, { variant: "fp32" }));

for (const tensorType of tensorTypes)
  test(`${tensorType}: the lossless graph equals the loops`, () =>
    checkGraph(
      { architecture: "qwen2", tensorType, hiddenSize: 256 },
      { variant: "lossless", accuracyLevel: 0 },
    ));

/** Float32 sums in another order: 1e-4 absolute on logits of a few units, plus 1e-4 relative. */
async function checkGraph(tiny: TinyOptions, options: Omit<PrepareOptions, "sourceSha256">) {
  const source = tinySource(tiny);
  const folder = await mkdtemp(join(tmpdir(), "pith-"));
  try {
    const model = await prepareModel(source, join(folder, "m"), { ...options, sourceSha256: "0" });
    const expected = await tinyForward(source, ids);
    const found = await runGraph(model, expected.embeddings, { attention: true });
    checkClose("hidden", found.hidden, expected.hidden);
    checkClose("logits", found.logits, expected.logits);
    for (const [layer, heads] of expected.attention.entries())
      checkClose(`attention.${layer}`, found.attention[layer], heads.flat());
    const plain = await runGraph(model, expected.embeddings);
    checkClose("logits without attention outputs", plain.logits, expected.logits);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function checkClose(label: string, found: Float32Array | undefined, expected: Rows): void {
  const values = expected.flatMap((row) => [...row]);
  assert.equal(found?.length, values.length, `${label}: number of values`);
  let worst = 0;
  for (const [index, value] of values.entries())
    worst = Math.max(
      worst,
      Math.abs((found?.[index] ?? Number.NaN) - value) / (1 + Math.abs(value)),
    );
  assert.ok(worst <= 1e-4, `${label}: differs by ${worst}`);
}
