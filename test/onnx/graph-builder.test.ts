// The model file read back by the same schema: order, attributes, and where the bytes of weights lie.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnx } from "onnx-proto";
import { GraphBuilder } from "../../sidecar/onnx/graph-builder.ts";
import { TensorStore } from "../../sidecar/onnx/tensor-store.ts";

test("tensors below 1 KiB stay in the graph, others go to pages of the external file", async () => {
  const { sink, bytes } = memorySink();
  const store = new TensorStore("weights.bin", sink);
  const small = await store.add("small", "float32", [255], new Float32Array(255).fill(1));
  const large = await store.add("large", "float32", [2, 128], new Float32Array(256).fill(2));
  const next = await store.add("next", "uint8", [5000], new Uint8Array(5000).fill(3));
  assert.ok(small.content instanceof Uint8Array);
  assert.deepEqual(large.content, { file: "weights.bin", offset: 0, byteLength: 1024 });
  assert.deepEqual(next.content, { file: "weights.bin", offset: 4096, byteLength: 5000 });
  assert.equal(store.byteLength, 9096);
  assert.deepEqual(new Float32Array(bytes().slice(0, 1024).buffer), new Float32Array(256).fill(2));
  assert.deepEqual(bytes().slice(4096), new Uint8Array(5000).fill(3));
});

test("a region takes its pieces in any order", async () => {
  const { sink, bytes } = memorySink();
  const store = new TensorStore("weights.bin", sink);
  await store.add("before", "uint8", [1024], new Uint8Array(1024));
  const region = store.reserve("pieces", "uint8", [2048]);
  await region.write(new Uint8Array(1024).fill(2), 1024);
  await region.write(new Uint8Array(1024).fill(1), 0);
  assert.deepEqual(
    bytes().slice(4096),
    Uint8Array.from({ length: 2048 }, (_, at) => (at < 1024 ? 1 : 2)),
  );
});

test("two graphs name one stored tensor", async () => {
  const store = new TensorStore("weights.bin", memorySink().sink);
  const gain = await store.add("gain", "float32", [512], new Float32Array(512));
  const models = [1, 2].map(() => {
    const graph = new GraphBuilder();
    const input = graph.input("x", "float32", ["n", 512]);
    assert.equal(graph.initializer(gain), graph.initializer(gain));
    graph.rmsNorm(input, graph.initializer(gain), 1e-5);
    return onnx.ModelProto.decode(graph.finish());
  });
  for (const { graph } of models) {
    assert.equal(graph?.initializer?.length, 1);
    const external = graph?.initializer?.[0]?.externalData?.map(({ key, value }) => [key, value]);
    assert.deepEqual(external, [
      ["location", "weights.bin"],
      ["offset", "0"],
      ["length", "2048"],
    ]);
  }
});

test("nodes keep their order, left out inputs are empty and trailing ones absent", () => {
  const graph = new GraphBuilder();
  const input = graph.input("x", "float32", ["batch", "seq", 64]);
  const matrix = { rows: 8, columns: 64, bits: 4, blockSize: 32, codes: "c", scales: "s" } as const;
  graph.matMulNBits(input, { ...matrix, zeroPoints: null, bias: "b" }, 4, "with bias");
  graph.matMulNBits(input, { ...matrix, zeroPoints: null, bias: null }, 0, "plain");
  graph.output("plain", "float32", ["batch", "seq", 8]);
  const model = onnx.ModelProto.decode(graph.finish());
  const [first, second] = model.graph?.node ?? [];
  assert.deepEqual(first?.input, ["x", "c", "s", "", "", "b"]);
  assert.deepEqual(second?.input, ["x", "c", "s"]);
  assert.equal(second?.domain, "com.microsoft");
  const attributes = second?.attribute?.map(({ name, i }) => [name, Number(i)]);
  assert.deepEqual(attributes, [
    ["K", 64],
    ["N", 8],
    ["bits", 4],
    ["block_size", 32],
    ["accuracy_level", 0],
  ]);
  const dimensions = model.graph?.output?.[0]?.type?.tensorType?.shape?.dim;
  assert.deepEqual(
    dimensions?.map((each) => each.dimParam || Number(each.dimValue)),
    ["batch", "seq", 8],
  );
});

function memorySink() {
  let content = new Uint8Array(0);
  const sink = {
    write: async (bytes: Uint8Array, position: number) => {
      const grown = new Uint8Array(Math.max(content.length, position + bytes.length));
      grown.set(content);
      grown.set(bytes, position);
      content = grown;
    },
  };
  return { sink, bytes: () => content };
}
