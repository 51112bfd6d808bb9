// The variant `fast`: how far rounding may move a weight, what it leaves alone and what it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../sidecar/errors.ts";
import { bytesSource } from "../../sidecar/gguf/byte-source.ts";
import { dequantize } from "../../sidecar/gguf/dequantize.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { tensorTypes } from "../../sidecar/gguf/tensor-type.ts";
import { chooseLossless, type MatrixCodes } from "../../sidecar/model/matrix.ts";
import { chooseFast, roundToEightBits } from "../../sidecar/model/quantize.ts";
import { createRandom, randomTensor } from "../support/random-tensor.ts";
import { makeTinyGguf, tinySource } from "../support/tiny-gguf.ts";
import { prepare } from "./prepare-tiny.ts";

const name = "blk.0.attn_q.weight";

for (const type of tensorTypes)
  test(`${type} moves a weight by half a step at most, or not at all`, () => {
    const source = { name, type, rows: 5, columns: 256 };
    const bytes = randomTensor(createRandom(3), type, 5 * 256, 0.1);
    const { format, encode } = chooseFast(source);
    const rows = encode(bytes, 5, 0);
    if (type === "Q4_0") return assert.deepEqual(rows, chooseLossless(source).encode(bytes, 5, 0));
    assert.ok(rows.bits === 8 && rows.zeroPoints === null && rows.offsets === null);
    assert.deepEqual(format, { bits: 8, blockSize: 128, hasZeroPoints: false, hasOffsets: false });
    checkNearest(rows, dequantize(type, bytes, 5 * 256));
  });

test("whole multiples of a block's step are exact", () => {
  const steps = [-127, -126, -64, -3, -1, 0, 1, 2, 31, 90, 126, 127, 5, 6, 7, 8];
  const values = Float32Array.from([...steps, ...steps], (step, index) =>
    index < 16 ? step / 1024 : step * 3,
  );
  const rows = roundToEightBits(values, 16);
  assert.deepEqual(weightsOf(rows), values);
  assert.deepEqual(rows.scales, Float32Array.of(1 / 1024, 3));
});

const edges: readonly (readonly [string, number])[] = [
  ["zeros", 0],
  ["negative zeros", -0],
  ["ones", 1],
  ["a weight near the greatest float", 1e38],
  ["the least float, which has no 127th part", 1.401298464324817e-45],
  ["180 times the least float, whose step is rounded down", 2.5223372357846707e-43],
];
for (const [label, value] of edges)
  test(`${label} stay as they are, to half a step`, () => {
    const rows = roundToEightBits(new Float32Array(32).fill(value), 32);
    // A subnormal step is a multiple of the least float: 53 of those are the most it can lose.
    for (const weight of weightsOf(rows))
      assert.ok(Math.abs(weight - value) <= Math.max(Math.abs(value) * 2e-7, 53 * 1.5e-45));
  });

test("columns choose the block: the largest power of two up to 128 that divides them", () => {
  for (const [columns, expected] of [
    ...[[896, 128] as const, [4864, 128] as const, [1536, 128] as const, [4096, 128] as const],
    ...[[576, 64] as const, [96, 32] as const, [48, 16] as const],
  ]) {
    const { format } = chooseFast({ name, type: "F32", rows: 1, columns });
    assert.ok(format.bits === 8);
    assert.equal(format.blockSize, expected, `${columns} columns`);
  }
});

test("rows that no block divides stay floats", () => {
  const source = { name, type: "F16", rows: 2, columns: 24 } as const;
  assert.deepEqual(chooseFast(source).format, { bits: 32 });
});

test("rows in pieces are the same rows", () => {
  const { encode } = chooseFast({ name, type: "Q5_0", rows: 4, columns: 128 });
  const bytes = randomTensor(createRandom(5), "Q5_0", 4 * 128, 0.1);
  const whole = encode(bytes, 4, 0) as MatrixCodes;
  const half = bytes.byteLength / 2;
  const [first, second] = [bytes.subarray(0, half), bytes.subarray(half)].map(
    (piece, index) => encode(piece, 2, 2 * index) as MatrixCodes,
  );
  assert.deepEqual([...(first?.codes ?? []), ...(second?.codes ?? [])], [...whole.codes]);
  assert.deepEqual([...(first?.scales ?? []), ...(second?.scales ?? [])], [...whole.scales]);
});

for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
  test(`a weight that is ${broken} is a FormatError that names its tensor`, async () => {
    const { bytes } = makeTinyGguf();
    const { tensors } = await parseHeader(tinySource());
    const { offset = 0 } = tensors.get("blk.1.ffn_up.weight") ?? {};
    const damaged = bytes.slice();
    new DataView(damaged.buffer).setFloat32(offset + 4 * 77, broken, true);
    await assert.rejects(
      prepare(bytesSource("tiny.gguf", damaged), { variant: "fast" }),
      (error) => {
        assert.ok(error instanceof FormatError);
        assert.match(error.message, /^tiny\.gguf: tensor blk\.1\.ffn_up\.weight holds/);
        return true;
      },
    );
  });

test("embeddings stay as in the file", async () => {
  const source = tinySource({ tensorType: "Q5_0" });
  const [fast, lossless] = [
    await prepare(source, { variant: "fast" }),
    await prepare(source, { variant: "lossless" }),
  ];
  assert.equal(fast.variant, "fast");
  assert.equal(fast.engine.embeddings.blockSize, lossless.engine.embeddings.blockSize);
});

/** Every weight is as near as its block's grid allows, and the grid as fine as 127 steps allow. */
function checkNearest({ blockSize, scales, codes }: MatrixCodes, values: Float32Array): void {
  assert.equal(codes.length, values.length);
  for (const [block, scale] of scales.entries()) {
    const own = values.subarray(block * blockSize, (block + 1) * blockSize);
    const extent = Math.max(...own.map(Math.abs));
    assert.ok(Math.abs(scale * 127 - extent) <= 1e-6 * extent, `block ${block}: scale ${scale}`);
    for (const [index, value] of own.entries()) {
      const weight = scale * ((codes[block * blockSize + index] ?? Number.NaN) - 128);
      assert.ok(Math.abs(weight - value) <= 0.50001 * scale, `block ${block}: ${value}, ${weight}`);
    }
  }
}

function weightsOf({ blockSize, scales, codes }: MatrixCodes): Float32Array {
  return Float32Array.from(
    codes,
    (code, index) => (scales[Math.floor(index / blockSize)] ?? Number.NaN) * (code - 128),
  );
}
