// Adapters that training wrote make the virtual tokens that it computed: the tiny models in float32
// against PyTorch on the same weights (test/golden/adapters).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { parseAdapter } from "../../sidecar/memory/adapter.ts";
import { EmbeddedEncoder } from "../../sidecar/memory/embedded-encoder.ts";
import { openTiny } from "../support/tiny-engine.ts";

interface Golden {
  readonly path: string;
  readonly text: string;
  readonly ids: readonly number[];
  /** By ratio [count, hidden]. */
  readonly virtualTokens: Readonly<Record<string, readonly (readonly number[])[]>>;
}

const cases = [
  ["llama", "uni-plus-slots"],
  ["qwen2", "uni-plus-pool"],
] as const;

for (const [architecture, arm] of cases)
  test(`an adapter of training makes the same virtual tokens here, ${architecture} ${arm}`, async () => {
    const stem = `test/golden/adapters/tiny-${architecture}.${arm}`;
    const golden: Golden = JSON.parse(await readFile(`${stem}.json`, "utf8"));
    const bytes = await readFile(`${stem}.safetensors`);
    const model = await openTiny({ architecture });
    try {
      const { engine, tokenizer } = model;
      const header = encodeHeader(readLayout(tokenizer), tokenizer, golden.path);
      assert.deepEqual([...header, ...tokenizer.encode(golden.text)], golden.ids);
      const sha256 = /"backbone_sha256":"([0-9a-f]{64})"/.exec(bytes.toString("latin1"))?.[1] ?? "";
      const feedForwardSize = 2 * engine.shape.hiddenSize;
      const backbone = { ...engine.shape, sha256, feedForwardSize };
      const encoder = new EmbeddedEncoder(engine, parseAdapter(stem, bytes, backbone));
      for (const [ratio, expected] of Object.entries(golden.virtualTokens)) {
        const count = Math.ceil(golden.ids.length / Number(ratio));
        const options = { chunk: 32, question: [], count };
        checkClose(
          (await encoder.compress(golden.ids as number[], options)).vectors,
          expected.flat(),
        );
      }
    } finally {
      await model.close();
    }
  });

/** Float32 sums in another order, over numbers around 1. */
function checkClose(found: Float32Array, expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(value - (found[index] ?? Number.NaN));
    assert.ok(difference < 1e-3, `${difference} at ${index}`);
  }
}
