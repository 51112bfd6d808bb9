// Tensor bytes -> the codes that MatMulNBits reads, without changing a weight:
// w = scale (code - zero point) + offset, by element and by block.
import type { BlockType } from "./tensor-type.ts";
import { unpackBlocks } from "./unpack.ts";

export interface BlockCodes {
  readonly bits: 4 | 8;
  readonly blockSize: 16 | 32;
  /** One code a byte. */
  readonly codes: Uint8Array; // [elements]
  readonly scales: Float32Array; // [elements / blockSize]
  /** Where there are none the zero point is 2^(bits-1). */
  readonly zeroPoints: Uint8Array | null; // [elements / blockSize]
  readonly offsets: Float32Array | null; // [elements / blockSize]
}

/**
 * Types of four bits keep four, the others take eight. A type with minima gets the zero point that
 * is nearest to its zero, and what is left, half a scale at most where zero lies within the block,
 * goes into the offset: the smaller what MatMulNBits multiplies, the less its rounded inputs lose.
 * Only offsets are rounded, once, to float32.
 */
export function repack(type: BlockType, bytes: Uint8Array, elementCount: number): BlockCodes {
  const { blockSize, codeBits, centre, codes, scales, minima } = unpackBlocks(
    type,
    bytes,
    elementCount,
  );
  const bits = codeBits === 4 ? 4 : 8;
  if (minima !== null)
    return { bits, blockSize, codes, scales, ...splitMinima(minima, scales, 2 ** bits - 1) };
  const shift = 2 ** (bits - 1) - centre;
  if (shift !== 0) for (let index = 0; index < codes.length; index++) codes[index]! += shift;
  return { bits, blockSize, codes, scales, zeroPoints: null, offsets: null };
}

/** scale code + minimum = scale (code - zero point) + offset, with zero points up to `greatest`. */
function splitMinima(minima: Float32Array, scales: Float32Array, greatest: number) {
  const zeroPoints = scales.map((scale, block) => {
    const nearest = scale === 0 ? 0 : Math.round(-minima[block]! / scale);
    return Math.min(greatest, Math.max(0, nearest));
  });
  return {
    zeroPoints: Uint8Array.from(zeroPoints),
    offsets: minima.map((minimum, block) => minimum + scales[block]! * zeroPoints[block]!),
  };
}
