// Rows in one format are the same weights in every format that holds them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { repack } from "../../sidecar/gguf/repack.ts";
import { byteLengthOf } from "../../sidecar/gguf/tensor-type.ts";
import {
  chooseFloats,
  chooseLossless,
  commonFormat,
  convertRows,
  type MatrixCodes,
  type MatrixFormat,
  type MatrixRows,
} from "../../sidecar/model/matrix.ts";
import { createRandom, randomTensor } from "../support/random-tensor.ts";

const shape = { name: "blk.0.attn_q.weight", rows: 3, columns: 256 };

test("the common format has the most bits, the smallest blocks and every extra", () => {
  const coded = { blockSize: 32, hasZeroPoints: false, hasOffsets: false } as const;
  const cases: readonly (readonly [MatrixFormat[], MatrixFormat])[] = [
    [[{ bits: 4, ...coded }], { bits: 4, ...coded }],
    [
      [
        { bits: 4, ...coded },
        { bits: 8, ...coded, blockSize: 16 },
      ],
      { bits: 8, ...coded, blockSize: 16 },
    ],
    [
      [
        { bits: 4, ...coded, hasOffsets: true },
        { bits: 4, ...coded, hasZeroPoints: true },
      ],
      { bits: 4, blockSize: 32, hasOffsets: true, hasZeroPoints: true },
    ],
    [[{ bits: 8, ...coded }, { bits: 32 }], { bits: 32 }],
  ];
  for (const [formats, expected] of cases) assert.deepEqual(commonFormat(formats), expected);
});

for (const type of ["Q4_0", "Q4_1", "Q5_1", "Q8_0", "Q6_K"] as const)
  test(`${type} in any format that holds it keeps its weights`, () => {
    const bytes = randomTensor(createRandom(7), type, shape.rows * shape.columns, 0.1);
    const { format, encode } = chooseLossless({ ...shape, type });
    const rows = encode(bytes, shape.rows, 0);
    const richest = { bits: 8, blockSize: 16, hasZeroPoints: true, hasOffsets: true } as const;
    const wider = convertRows(rows, commonFormat([format, richest]));
    assert.notEqual(wider.bits, 32);
    assert.deepEqual(floatsOf(wider), floatsOf(rows));
    const floats = chooseFloats({ ...shape, type }).encode(bytes, shape.rows, 0);
    // Types with minima round their offset once, see repack.
    const distance = greatestDistance(floatsOf(rows), floatsOf(floats));
    assert.ok(distance <= (type === "Q4_1" || type === "Q5_1" ? 2e-7 : 0), `${distance}`);
  });

test("own zero points move with the codes", () => {
  const bytes = randomTensor(createRandom(8), "Q4_0", 64, 0.1);
  const codes: MatrixCodes = {
    ...repack("Q4_0", bytes, 64),
    zeroPoints: Uint8Array.of(0, 15),
  };
  const format = { bits: 8, blockSize: 16, hasZeroPoints: true, hasOffsets: false } as const;
  const wider = convertRows(codes, format);
  assert.ok(wider.bits === 8);
  assert.deepEqual(wider.zeroPoints, Uint8Array.of(120, 120, 135, 135));
  assert.deepEqual(floatsOf(wider), floatsOf(codes));
});

test("a chooser knows the format before it sees a row", () => {
  for (const type of ["F16", "Q4_K", "Q5_0", "Q6_K"] as const) {
    const { format, encode } = chooseLossless({ ...shape, type });
    const rows = encode(new Uint8Array(byteLengthOf(type, 3 * 256)), 3, 0);
    assert.equal(rows.bits, format.bits);
    if (rows.bits === 32 || format.bits === 32) continue;
    assert.equal(rows.blockSize, format.blockSize);
    assert.equal(rows.offsets !== null, format.hasOffsets);
    assert.equal(rows.zeroPoints !== null, format.hasZeroPoints);
  }
});

/** Written without `convertRows`: w = scale (code - zero point) + offset. */
function floatsOf(rows: MatrixRows): number[] {
  if (rows.bits === 32) return [...rows.values];
  const at = (values: ArrayLike<number>, index: number) => values[index] ?? Number.NaN;
  return Array.from(rows.codes, (code, index) => {
    const block = Math.floor(index / rows.blockSize);
    const zero = rows.zeroPoints === null ? 2 ** (rows.bits - 1) : at(rows.zeroPoints, block);
    const offset = rows.offsets === null ? 0 : at(rows.offsets, block);
    return Math.fround(Math.fround(at(rows.scales, block) * (code - zero)) + offset);
  });
}

function greatestDistance(left: readonly number[], right: readonly number[]): number {
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN))));
}
