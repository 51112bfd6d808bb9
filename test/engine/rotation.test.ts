import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rotateKeys, rotationBy } from "../../sidecar/engine/rotation.ts";

const shapes = [
  { headDim: 16, ropeBase: 10000, rotaryInterleaved: true },
  { headDim: 16, ropeBase: 10000, rotaryInterleaved: false },
  { headDim: 64, ropeBase: 1e6, rotaryInterleaved: false },
];
const distance = fc.integer({ min: -4096, max: 4096 });
const number = fc.float({ min: -8, max: 8, noNaN: true });

for (const shape of shapes) {
  const label = `${shape.headDim} ${shape.rotaryInterleaved ? "interleaved" : "split"}`;
  const keys = fc
    .array(number, { minLength: 3 * shape.headDim, maxLength: 3 * shape.headDim })
    .map((values) => Float32Array.from(values));
  const rotated = (rows: Float32Array, by: number) => {
    const copy = rows.slice();
    rotateKeys(copy, rotationBy(shape, by), shape);
    return copy;
  };

  test(`two rotations are the rotation by their sum: ${label}`, () => {
    fc.assert(
      fc.property(keys, distance, distance, (rows, a, b) => {
        checkClose(rotated(rotated(rows, a), b), rotated(rows, a + b));
      }),
    );
  });

  test(`a rotation keeps the length of every row: ${label}`, () => {
    fc.assert(
      fc.property(keys, distance, (rows, by) => {
        checkClose(squaredLengths(rotated(rows, by)), squaredLengths(rows), 1e-3);
      }),
    );
  });

  test(`the score of a query and a key depends on their distance alone: ${label}`, () => {
    fc.assert(
      fc.property(keys, keys, distance, (queries, rows, by) => {
        const here = dot(queries, rows);
        checkClose([dot(rotated(queries, by), rotated(rows, by))], [here], 2e-2);
      }),
    );
  });

  // The definition, with complex numbers: pair p of a row at position t is multiplied by
  // e^(i t base^(-2p / headDim)).
  test(`pairs and angles are those of the definition: ${label}`, () => {
    const row = Float32Array.from({ length: shape.headDim }, (_, index) => Math.sin(index + 1));
    const found = rotated(row, 5);
    for (let pair = 0; pair < shape.headDim / 2; pair++) {
      const first = shape.rotaryInterleaved ? 2 * pair : pair;
      const second = shape.rotaryInterleaved ? 2 * pair + 1 : pair + shape.headDim / 2;
      const [x = 0, y = 0] = [row[first], row[second]];
      const angle = 5 / shape.ropeBase ** ((2 * pair) / shape.headDim) + Math.atan2(y, x);
      checkClose(
        [found[first] ?? 0, found[second] ?? 0],
        [Math.hypot(x, y) * Math.cos(angle), Math.hypot(x, y) * Math.sin(angle)],
      );
    }
  });
}

/** float32 rounding of numbers up to 12, twice. */
function checkClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 5e-6): void {
  assert.equal(found.length, expected.length);
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs((found[index] ?? Number.NaN) - (expected[index] ?? Number.NaN));
    assert(difference <= tolerance, `${difference} at ${index} is more than ${tolerance}`);
  }
}

function squaredLengths(rows: Float32Array): number[] {
  return [0, 1, 2].map((row) => {
    const values = rows.subarray((row * rows.length) / 3, ((row + 1) * rows.length) / 3);
    return dot(values, values);
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
