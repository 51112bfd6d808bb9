// The variant `fast`: every matrix in eight bits with blocks of up to 128 columns, whatever the file
// has. It is near to the file (half a step of 1/127 of a block's largest weight), and MatMulNBits
// takes less time for it than for eight bits in blocks of 16 or 32, than for four bits in those where
// several rows run, and than for codes with a product for offsets beside. test/bench/README.md has
// the figures, and why no matrix is in four bits.
import { dequantize } from "../gguf/dequantize.ts";
import { chooseLossless, type MatrixChooser, type MatrixCodes } from "./matrix.ts";

/** The next, 256, divides the hidden size of neither backbone. */
const LARGEST_BLOCK = 128;

/** MatMulNBits takes no smaller ones. */
const SMALLEST_BLOCK = 16;

/**
 * Matrices that are small already stay as in the file: Q4_0, which takes four bits and no offsets,
 * and those whose rows cannot be cut into equal blocks.
 */
export const chooseFast: MatrixChooser = (source) => {
  const { type, columns } = source;
  const blockSize = blockSizeOf(columns);
  if (type === "Q4_0" || blockSize < SMALLEST_BLOCK) return chooseLossless(source);
  return {
    format: { bits: 8, blockSize, hasZeroPoints: false, hasOffsets: false },
    encode: (bytes, rowCount) =>
      roundToEightBits(dequantize(type, bytes, rowCount * columns), blockSize),
  };
};

/** The largest power of two that divides `columns`, up to `LARGEST_BLOCK`. */
function blockSizeOf(columns: number): number {
  let blockSize = LARGEST_BLOCK;
  while (columns % blockSize !== 0) blockSize /= 2;
  return blockSize;
}

/**
 * w = scale (code - 128), to the nearest code; the largest weight of a block has the code 1 or 255.
 * A block that holds what is no number gets a scale that is none, which the writer refuses.
 */
export function roundToEightBits(values: Float32Array, blockSize: number): MatrixCodes {
  const scales = new Float32Array(values.length / blockSize);
  // Stores the nearest whole number from 0 to 255.
  const codes = new Uint8ClampedArray(values.length);
  for (let block = 0; block < scales.length; block++) {
    const start = block * blockSize;
    const end = start + blockSize;
    let extent = 0;
    for (let index = start; index < end; index++)
      extent = Math.max(extent, Math.abs(values[index]!));
    scales[block] = extent / 127;
    const scale = scales[block]!; // As the graph reads it, rounded to float32.
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let index = start; index < end; index++) codes[index] = values[index]! * inverse + 128;
  }
  const { buffer } = codes;
  return {
    bits: 8,
    blockSize,
    codes: new Uint8Array(buffer),
    scales,
    zeroPoints: null,
    offsets: null,
  };
}
