// The block formats of ggml, taken apart: bytes -> whole-number codes and what scales them. Layouts
// are those of ggml-common.h; `d` and `m` are halves, `j` counts within a block.
//
//   Q4_0  d, 16 x u8       code j = low nibble of byte j, code j+16 = its high nibble; w = d (q - 8)
//   Q4_1  d, m, 16 x u8    the same nibbles;                                           w = d q + m
//   Q5_0  d, u32, 16 x u8  bit j of the u32 is the fifth bit of code j;                w = d (q - 16)
//   Q5_1  d, m, u32, 16 x u8                                                           w = d q + m
//   Q8_0  d, 32 x i8                                                                   w = d q
//   Q4_K  d, dmin, 12 bytes of eight 6-bit (scale, min) pairs, 128 x u8;  w = (d s) q - (dmin m)
//   Q5_K  as Q4_K with 32 x u8 of fifth bits before the nibbles
//   Q6_K  128 x u8 low nibbles, 64 x u8 upper bit pairs, 16 x i8 scales, d; w = (d s) (q - 32)
import { halfValues } from "./half.ts";
import { type BlockType, blockLayouts } from "./tensor-type.ts";

/** w = scale (code - centre) + minimum, by element and by block of `blockSize` elements. */
export interface UnpackedBlocks {
  /** Elements that share a scale; less than the file's block for the K types. */
  readonly blockSize: 16 | 32;
  /** Codes lie in 0 to 2^codeBits - 1. */
  readonly codeBits: 4 | 5 | 6 | 8;
  /** The code that stands for zero before the minimum is added. */
  readonly centre: number;
  readonly codes: Uint8Array; // [elements]
  readonly scales: Float32Array; // [elements / blockSize]
  readonly minima: Float32Array | null; // [elements / blockSize]
}

/** `elementCount` is a multiple of the type's block, and `bytes` holds exactly that many blocks. */
export function unpackBlocks(
  type: BlockType,
  bytes: Uint8Array,
  elementCount: number,
): UnpackedBlocks {
  const { blockSize, codeBits, hasMinima, unpack } = formats[type];
  const target = {
    codes: new Uint8Array(elementCount),
    scales: new Float32Array(elementCount / blockSize),
    minima: new Float32Array(hasMinima ? elementCount / blockSize : 0),
  };
  const blockCount = elementCount / blockLayouts[type].elements;
  const source = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
  for (let block = 0; block < blockCount; block++) unpack(source, block, target);
  const { codes, scales, minima } = target;
  // Types without minima are symmetric around the middle of their codes.
  const centre = hasMinima ? 0 : 2 ** (codeBits - 1);
  return { blockSize, codeBits, centre, codes, scales, minima: hasMinima ? minima : null };
}

interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

interface Target {
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  readonly minima: Float32Array;
}

interface Format {
  readonly blockSize: 16 | 32;
  readonly codeBits: 4 | 5 | 6 | 8;
  readonly hasMinima: boolean;
  /** Unpacks block number `block` of the source into the target. */
  readonly unpack: (source: Source, block: number, target: Target) => void;
}

const formats: Record<BlockType, Format> = {
  Q4_0: { blockSize: 32, codeBits: 4, hasMinima: false, unpack: unpackQ4(18, 2) },
  Q4_1: { blockSize: 32, codeBits: 4, hasMinima: true, unpack: unpackQ4(20, 4) },
  Q5_0: { blockSize: 32, codeBits: 5, hasMinima: false, unpack: unpackQ5(22, 2) },
  Q5_1: { blockSize: 32, codeBits: 5, hasMinima: true, unpack: unpackQ5(24, 4) },
  Q8_0: { blockSize: 32, codeBits: 8, hasMinima: false, unpack: unpackQ80 },
  Q4_K: { blockSize: 32, codeBits: 4, hasMinima: true, unpack: unpackK(144, null, 16) },
  Q5_K: { blockSize: 32, codeBits: 5, hasMinima: true, unpack: unpackK(176, 16, 48) },
  Q6_K: { blockSize: 16, codeBits: 6, hasMinima: false, unpack: unpackQ6K },
};

/** Q4_0 and Q4_1: `head` bytes of scale (and minimum) before the nibbles. */
function unpackQ4(blockBytes: number, head: number): Format["unpack"] {
  return ({ bytes, view }, block, target) => {
    const start = block * blockBytes;
    target.scales[block] = half(view, start);
    if (head === 4) target.minima[block] = half(view, start + 2);
    for (let j = 0; j < 16; j++) {
      const pair = bytes[start + head + j]!;
      target.codes[block * 32 + j] = pair & 15;
      target.codes[block * 32 + 16 + j] = pair >> 4;
    }
  };
}

function unpackQ5(blockBytes: number, head: number): Format["unpack"] {
  return ({ bytes, view }, block, target) => {
    const start = block * blockBytes;
    target.scales[block] = half(view, start);
    if (head === 4) target.minima[block] = half(view, start + 2);
    const fifthBits = view.getUint32(start + head, true);
    for (let j = 0; j < 16; j++) {
      const pair = bytes[start + head + 4 + j]!;
      target.codes[block * 32 + j] = (pair & 15) | (((fifthBits >>> j) & 1) << 4);
      target.codes[block * 32 + 16 + j] = (pair >> 4) | (((fifthBits >>> (j + 16)) & 1) << 4);
    }
  };
}

function unpackQ80({ bytes, view }: Source, block: number, target: Target): void {
  const start = block * 34;
  target.scales[block] = half(view, start);
  // Flipping the sign bit of an i8 adds 128 to it.
  for (let j = 0; j < 32; j++) target.codes[block * 32 + j] = bytes[start + 2 + j]! ^ 0x80;
}

/** Q4_K and Q5_K; `fifthAt` and `nibblesAt` are offsets in the block. */
function unpackK(blockBytes: number, fifthAt: number | null, nibblesAt: number): Format["unpack"] {
  return ({ bytes, view }, block, target) => {
    const start = block * blockBytes;
    const scale = half(view, start);
    const minimum = half(view, start + 2);
    for (let group = 0; group < 8; group++) {
      const [groupScale, groupMinimum] = sixBitPair(bytes, start + 4, group);
      target.scales[block * 8 + group] = scale * groupScale;
      target.minima[block * 8 + group] = -(minimum * groupMinimum);
      // Two groups share 32 bytes: the even one takes the low nibbles, the odd one the high.
      const nibbles = start + nibblesAt + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let j = 0; j < 32; j++) {
        const nibble = (bytes[nibbles + j]! >> shift) & 15;
        const fifth = fifthAt === null ? 0 : (bytes[start + fifthAt + j]! >> group) & 1;
        target.codes[block * 256 + group * 32 + j] = nibble | (fifth << 4);
      }
    }
  };
}

/**
 * `get_scale_min_k4` of ggml-quants.c: pairs 0 to 3 are the low six bits of bytes 0-3 and 4-7;
 * pairs 4 to 7 take nibbles of bytes 8-11 and, above them, the upper two bits of the first eight.
 */
function sixBitPair(bytes: Uint8Array, start: number, group: number): readonly [number, number] {
  const low = bytes[start + group]!;
  const high = bytes[start + group + 4]!;
  if (group < 4) return [low & 63, high & 63];
  const below = bytes[start + group - 4]!;
  return [(high & 15) | ((below >> 6) << 4), (high >> 4) | ((low >> 6) << 4)];
}

function unpackQ6K({ bytes, view }: Source, block: number, target: Target): void {
  const start = block * 210;
  const scale = half(view, start + 208);
  for (let group = 0; group < 16; group++)
    target.scales[block * 16 + group] = scale * view.getInt8(start + 192 + group);
  // Each half of the block: four runs of 32 codes over 64 bytes of nibbles and 32 of bit pairs.
  for (let run = 0; run < 8; run++) {
    const part = run >> 2;
    const quarter = run & 3;
    const nibbles = start + part * 64 + (quarter & 1) * 32;
    const pairs = start + 128 + part * 32;
    const shift = (quarter >> 1) * 4;
    for (let j = 0; j < 32; j++) {
      const low = (bytes[nibbles + j]! >> shift) & 15;
      const upper = (bytes[pairs + j]! >> (quarter * 2)) & 3;
      target.codes[block * 256 + run * 32 + j] = low | (upper << 4);
    }
  }
}

function half(view: DataView, offset: number): number {
  return halfValues[view.getUint16(offset, true)]!;
}
