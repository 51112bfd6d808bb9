// Adapters that training wrote make the virtual tokens that it computed with PyTorch on the same
// weights (test/golden/adapters): the tiny models in float32 to 1e-3, the committed adapters on the
// product's build by direction.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { type Adapter, parseAdapter, readAdapter } from "../../sidecar/memory/adapter.ts";
import { EmbeddedEncoder } from "../../sidecar/memory/embedded-encoder.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { compress } from "../support/compress.ts";
import { openTiny } from "../support/tiny-engine.ts";
import { exactModel, preparedModel, type RealModelId } from "../support/weights.ts";

interface Golden {
  readonly path: string;
  readonly text: string;
  readonly ids: readonly number[];
  /** By ratio [count, hidden]. */
  readonly virtualTokens: Readonly<Record<string, readonly (readonly number[])[]>>;
}

const tiny = [
  ["llama", "uni-plus-slots"],
  ["qwen2", "uni-plus-pool"],
] as const;

for (const [architecture, arm] of tiny)
  test(`an adapter of training makes the same virtual tokens here, ${architecture} ${arm}`, async () => {
    const stem = `test/golden/adapters/tiny-${architecture}.${arm}`;
    const golden = await readGolden(stem);
    const bytes = await readFile(`${stem}.safetensors`);
    const model = await openTiny({ architecture });
    try {
      const sha256 = /"backbone_sha256":"([0-9a-f]{64})"/.exec(bytes.toString("latin1"))?.[1] ?? "";
      const feedForwardSize = 2 * model.engine.shape.hiddenSize;
      const backbone = { ...model.engine.shape, sha256, feedForwardSize };
      const adapter = parseAdapter(stem, bytes, backbone);
      for (const [found, expected] of await compressGolden(model, adapter, golden))
        checkClose(found, expected);
    } finally {
      await model.close();
    }
  });

const committed = [
  ["smollm2-135m", "uni"],
  ["smollm2-135m", "uni-plus-pool"],
  ["qwen2.5-coder-0.5b", "uni-plus-pool"],
] as const;
const builds = [
  ["float32 products", exactModel, checkClose],
  ["the product's build", (id: RealModelId) => preparedModel(id), checkDirections],
] as const;

for (const [id, arm] of committed)
  for (const [label, open, check] of builds)
    test(`the committed adapter makes the virtual tokens that training computed: ${id} ${arm}, ${label}`, async () => {
      const golden = await readGolden(`test/golden/adapters/${id}.${arm}`);
      const prepared = await open(id);
      const sha256 = (await preparedModel(id, "lossless")).sourceSha256;
      const backbone = { ...prepared.hyperparameters, sha256 };
      const adapter = await readAdapter(`sidecar/adapters/${id}/${arm}.safetensors`, backbone);
      const tokenizer = Tokenizer.create(prepared.vocabulary);
      const engine = await Engine.load(prepared.engine, { threads: 2 });
      try {
        const compressed = await compressGolden({ engine, tokenizer }, adapter, golden);
        for (const [found, expected, hiddenSize] of compressed) check(found, expected, hiddenSize);
      } finally {
        tokenizer.dispose();
        await engine.dispose();
      }
    });

async function readGolden(stem: string): Promise<Golden> {
  return JSON.parse(await readFile(`${stem}.json`, "utf8"));
}

/** At every ratio: the virtual tokens here, those of training, and the size of one. */
async function compressGolden(
  { engine, tokenizer }: { engine: Engine; tokenizer: Tokenizer },
  adapter: Adapter,
  golden: Golden,
): Promise<[found: Float32Array, expected: number[], hiddenSize: number][]> {
  const header = encodeHeader(readLayout(tokenizer), tokenizer, golden.path);
  assert.deepEqual([...header, ...tokenizer.encode(golden.text)], golden.ids);
  const encoder = new EmbeddedEncoder(engine, adapter);
  const compressed: [Float32Array, number[], number][] = [];
  for (const [ratio, expected] of Object.entries(golden.virtualTokens)) {
    const count = Math.ceil(golden.ids.length / Number(ratio));
    const options = { chunk: 32, question: [], count };
    const { vectors } = await compress(encoder, [...golden.ids], options);
    compressed.push([vectors, expected.flat(), adapter.hiddenSize]);
  }
  return compressed;
}

/** Products of the product's build round their inputs to eight bits. */
function checkDirections(found: Float32Array, expected: readonly number[], size: number): void {
  assert.equal(found.length, expected.length);
  for (let start = 0; start < expected.length; start += size) {
    const [a, b] = [found, expected].map((each) => each.slice(start, start + size));
    const similarity = cosine(a ?? [], b ?? []);
    assert.ok(similarity >= 0.999, `${similarity} of the virtual token ${start / size}`);
  }
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Array.from(x).reduce((sum, value, index) => sum + value * (y[index] ?? Number.NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Float32 sums in another order, over numbers around 1. */
function checkClose(found: Float32Array, expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(value - (found[index] ?? Number.NaN));
    assert.ok(difference < 1e-3, `${difference} at ${index}`);
  }
}
