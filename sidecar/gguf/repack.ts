// Tensor bytes -> the codes that MatMulNBits reads, without changing a weight:
// w = scale (code - 2^(bits-1)) + offset, by element and by block.
import type { BlockType } from "./tensor-type.ts";
import { unpackBlocks } from "./unpack.ts";

export interface BlockCodes {
  readonly bits: 4 | 8;
  readonly blockSize: 16 | 32;
  /** One code a byte. */
  readonly codes: Uint8Array; // [elements]
  readonly scales: Float32Array; // [elements / blockSize]
  readonly offsets: Float32Array | null; // [elements / blockSize]
}

/**
 * Types of four bits keep four, the others take eight. The offset of a type with minima is
 * minimum + scale (2^(bits-1) - centre), rounded to float32 once; the rest is exact.
 */
export function repack(type: BlockType, bytes: Uint8Array, elementCount: number): BlockCodes {
  const unpacked = unpackBlocks(type, bytes, elementCount);
  const { blockSize, codes, scales, minima } = unpacked;
  const bits = type === "Q4_0" || type === "Q4_1" || type === "Q4_K" ? 4 : 8;
  const middle = 2 ** (bits - 1);
  if (minima !== null) {
    const shift = minima.map((minimum, block) => minimum + scales[block]! * middle);
    return { bits, blockSize, codes, scales, offsets: shift };
  }
  const shift = middle - unpacked.centre;
  if (shift !== 0) for (let index = 0; index < codes.length; index++) codes[index]! += shift;
  return { bits, blockSize, codes, scales, offsets: null };
}
