// A product in the graph against loops, for rows with zero points and offsets in every combination,
// those among them that no variant of today writes.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { floatTensor, Session } from "../../sidecar/engine/session.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { writeMatrix } from "../../sidecar/model/linear-store.ts";
import type { CodedFormat, MatrixChooser, MatrixCodes } from "../../sidecar/model/matrix.ts";
import { createFile } from "../../sidecar/model/prepared-folder.ts";
import { createFineProduct, createProduct, type Product } from "../../sidecar/model/product.ts";
import { GraphBuilder } from "../../sidecar/onnx/graph-builder.ts";
import { TensorStore } from "../../sidecar/onnx/tensor-store.ts";
import { createRandom, gaussianValues } from "../support/random-tensor.ts";
import { tinySource } from "../support/tiny-gguf.ts";
import { freshFolder } from "./prepare-tiny.ts";

// Three or six blocks a row: four-bit zero points end in half a byte, or fill three.
const columns = 96;
const rows = 192;
const inputRows = 5;

for (const bits of [4, 8] as const)
  for (const blockSize of [16, 32])
    for (const hasZeroPoints of [false, true])
      for (const hasOffsets of [false, true])
        test(`${bits} bits in blocks of ${blockSize}${hasZeroPoints ? ", zero points" : ""}${hasOffsets ? ", offsets" : ""}`, () =>
          checkProduct({ bits, blockSize, hasZeroPoints, hasOffsets }));

test("a product of fine inputs is nearer by far, and takes rows of zeros and no rows", async () => {
  const format = { bits: 8, blockSize: 32, hasZeroPoints: false, hasOffsets: false } as const;
  const codes = randomCodes(format);
  const inputs = gaussianValues(createRandom(3), inputRows * columns, 1).fill(
    0,
    columns,
    2 * columns,
  );
  const expected = plainProduct(codes, inputs);
  const run = async (isFine: boolean, rowCount: number) => {
    const values = await runProduct(codes, inputs.subarray(0, rowCount * columns), (graph) => {
      const multiply = createProduct(graph, 4);
      return isFine ? createFineProduct(graph, multiply) : multiply;
    });
    assert.equal(values.length, rowCount * rows);
    return values.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)));
  };
  const [coarse, fine] = [await run(false, inputRows), await run(true, inputRows)];
  assert.ok(Math.max(...coarse) > 1e-2);
  assert.ok(Math.max(...fine) < Math.max(...coarse) / 100);
  await run(true, 0);
});

async function checkProduct(format: CodedFormat): Promise<void> {
  const codes = randomCodes(format);
  const inputs = gaussianValues(createRandom(3), inputRows * columns, 1);
  const values = await runProduct(codes, inputs, (graph) => createProduct(graph, 0));
  const expected = plainProduct(codes, inputs);
  assert.equal(values.length, expected.length);
  // Sums of 96 products of a few units, in float32.
  for (const [index, value] of expected.entries())
    assert.ok(Math.abs((values[index] ?? Number.NaN) - value) <= 1e-4, `element ${index}`);
}

async function runProduct(
  codes: MatrixCodes,
  inputs: Float32Array,
  createMultiply: (graph: GraphBuilder) => Product,
): Promise<Float32Array> {
  const { bits, blockSize } = codes;
  const hasZeroPoints = codes.zeroPoints !== null;
  const format = { bits, blockSize, hasZeroPoints, hasOffsets: codes.offsets !== null };
  const folder = freshFolder();
  mkdirSync(folder);
  const weights = await createFile(join(folder, "weights.bin"));
  const source = tinySource({ hiddenSize: columns, headCount: 6, kvHeadCount: 2 });
  const header = await parseHeader(source);
  const entry = header.tensors.get("blk.0.ffn_gate.weight");
  assert.deepEqual(entry?.dimensions, [columns, rows]);
  const choose: MatrixChooser = () => ({ format, encode: () => codes });
  const store = new TensorStore("weights.bin", weights);
  const writing = { source, store, choose, onBytes: () => {}, signal: undefined };
  const matrix = await writeMatrix(writing, "gate", entry === undefined ? [] : [entry]);
  await weights.close();

  const graph = new GraphBuilder();
  const input = graph.input("x", "float32", ["n", columns]);
  const linear = { name: "gate", rows, columns, matrix, bias: null };
  const y = createMultiply(graph)(input, linear);
  graph.output(y, "float32", ["n", rows]);
  const file = join(folder, "product.onnx");
  writeFileSync(file, graph.finish());

  const session = await Session.load(file, { threads: 1 });
  const feeds = { x: floatTensor(inputs, [inputs.length / columns, columns]) };
  const { [y]: values } = await session.run(feeds, [y]);
  await session.release();
  return values?.data as Float32Array;
}

function randomCodes({ bits, blockSize, hasZeroPoints, hasOffsets }: CodedFormat): MatrixCodes {
  const random = createRandom(bits * blockSize);
  const blocks = (rows * columns) / blockSize;
  const code = () => Math.floor(random() * 2 ** bits);
  return {
    bits,
    blockSize,
    codes: Uint8Array.from({ length: rows * columns }, code),
    scales: Float32Array.from({ length: blocks }, () => (0.5 + random()) / 2 ** bits),
    zeroPoints: hasZeroPoints ? Uint8Array.from({ length: blocks }, code) : null,
    offsets: hasOffsets ? gaussianValues(random, blocks, 0.3) : null,
  };
}

function plainProduct(codes: MatrixCodes, inputs: Float32Array): number[] {
  const at = (values: ArrayLike<number>, index: number) => values[index] ?? Number.NaN;
  const weights = Array.from(codes.codes, (code, index) => {
    const block = Math.floor(index / codes.blockSize);
    const zero = codes.zeroPoints === null ? 2 ** (codes.bits - 1) : at(codes.zeroPoints, block);
    return at(codes.scales, block) * (code - zero) + (codes.offsets ? at(codes.offsets, block) : 0);
  });
  return Array.from({ length: inputRows * rows }, (_, index) => {
    const [input, row] = [Math.floor(index / rows) * columns, (index % rows) * columns];
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += at(inputs, input + i) * at(weights, row + i);
    return sum;
  });
}
