import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dequantize } from "../../sidecar/gguf/dequantize.ts";
import { repack } from "../../sidecar/gguf/repack.ts";
import { isFloatType, type TensorType, tensorTypes } from "../../sidecar/gguf/tensor-type.ts";

interface Golden {
  readonly elementCount: number;
  readonly bytes: string;
  readonly values: string;
}

const goldens: Record<string, Golden> = JSON.parse(
  readFileSync("test/golden/blocks/blocks.json", "utf8"),
);

for (const type of tensorTypes) {
  test(`${type} dequantizes to the bits of gguf-py`, () => {
    const { bytes, values, elementCount } = goldenOf(type);
    assert.deepEqual(dequantize(type, bytes, elementCount), values);
  });
}

for (const type of tensorTypes) {
  if (isFloatType(type)) continue;
  test(`${type} repacked is the dequantized tensor`, () => {
    const { bytes, values, elementCount } = goldenOf(type);
    const { bits, blockSize, codes, scales, zeroPoints, offsets } = repack(
      type,
      bytes,
      elementCount,
    );
    for (const [index, value] of values.entries()) {
      const block = Math.floor(index / blockSize);
      const code = codes[index] ?? Number.NaN;
      assert.ok(code >= 0 && code < 2 ** bits, `code ${code} of element ${index} has ${bits} bits`);
      const scale = scales[block] ?? Number.NaN;
      const offset = offsets === null ? 0 : (offsets[block] ?? Number.NaN);
      const zero = zeroPoints === null ? 2 ** (bits - 1) : (zeroPoints[block] ?? Number.NaN);
      const repacked = scale * (code - zero) + offset;
      // Exact without minima; with them the offset was rounded once to float32, relative 2^-24.
      const rounding = offsets === null ? 0 : 2 ** -23 * (Math.abs(offset) + Math.abs(repacked));
      const distance = Math.abs(Math.fround(repacked) - value);
      assert.ok(distance <= rounding, `element ${index}: ${repacked} is not ${value}`);
    }
  });
}

for (const type of ["Q4_1", "Q5_K"] as const) {
  test(`${type} leaves its offsets half a scale where a zero point can do the rest`, () => {
    const { bytes, elementCount } = goldenOf(type);
    const { bits, scales, zeroPoints, offsets } = repack(type, bytes, elementCount);
    assert.ok(zeroPoints !== null && offsets !== null);
    const inside = [...zeroPoints.keys()].filter((block) => {
      const zeroPoint = zeroPoints[block] ?? 0;
      return zeroPoint > 0 && zeroPoint < 2 ** bits - 1;
    });
    assert.ok(inside.length > 0);
    for (const block of inside) {
      const scale = Math.abs(scales[block] ?? 0);
      assert.ok(Math.abs(offsets[block] ?? Number.NaN) <= 0.501 * scale, `block ${block}`);
    }
  });
}

function goldenOf(type: TensorType) {
  const golden = goldens[type];
  assert.ok(golden !== undefined, `no golden blocks for ${type}`);
  const values = Uint8Array.from(Buffer.from(golden.values, "base64"));
  return {
    elementCount: golden.elementCount,
    bytes: Buffer.from(golden.bytes, "base64"),
    values: new Float32Array(values.buffer),
  };
}
