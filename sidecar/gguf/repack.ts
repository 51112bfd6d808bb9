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
 * Types of four bits keep four, the others take eight. Codes move so that the middle of their range
 * is the middle of the target's: the smaller what MatMulNBits multiplies, the less its rounded
 * inputs and the later sum with the offset lose. Only offsets are rounded, once, to float32.
 */
export function repack(type: BlockType, bytes: Uint8Array, elementCount: number): BlockCodes {
  const { blockSize, codeBits, codes, scales, minima } = unpackBlocks(type, bytes, elementCount);
  const bits = codeBits === 4 ? 4 : 8;
  const middle = 2 ** (codeBits - 1);
  const shift = 2 ** (bits - 1) - middle;
  if (shift !== 0) for (let index = 0; index < codes.length; index++) codes[index]! += shift;
  const offsets = minima?.map((minimum, block) => minimum + middle * scales[block]!) ?? null;
  return { bits, blockSize, codes, scales, offsets };
}
