// Seeded tensors in any GGUF type, as the bytes of the file. Block types get random codes and
// scales that give the elements about the wanted spread: nothing is quantised here, so these bytes
// say nothing about how a quantiser would have chosen them.
import { type BlockType, blockLayouts, type TensorType } from "../../sidecar/gguf/tensor-type.ts";

export type Random = () => number;

/** mulberry32: uniform in [0, 1). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Box and Muller. */
export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function gaussianValues(random: Random, count: number, deviation: number): Float32Array {
  return Float32Array.from({ length: count }, () => gaussian(random) * deviation);
}

/** Bytes of `count` elements of `type`, standard deviation near `deviation`. */
export function randomTensor(
  random: Random,
  type: TensorType,
  count: number,
  deviation: number,
): Uint8Array {
  if (type === "F32") return new Uint8Array(gaussianValues(random, count, deviation).buffer);
  if (type === "F16") return halves(gaussianValues(random, count, deviation), toHalf);
  if (type === "BF16") return halves(gaussianValues(random, count, deviation), toBrainHalf);
  const { elements, bytes } = blockLayouts[type];
  const blocks = Buffer.alloc((count / elements) * bytes);
  for (let offset = 0; offset < blocks.byteLength; offset += bytes) {
    const block = blocks.subarray(offset, offset + bytes);
    for (let index = 0; index < bytes; index++) block[index] = Math.floor(random() * 256);
    // Scales differ from block to block, by up to a third.
    setScales[type](block, deviation * (0.8 + 0.4 * random()), random);
  }
  return blocks;
}

// The divisors are the standard deviations of uniform random codes: (2^bits) / sqrt(12), times 36
// for the 6-bit scales of the K types and 74 for the 8-bit ones of Q6_K.
const setScales: Record<BlockType, (block: Buffer, deviation: number, random: Random) => void> = {
  Q4_0: (block, deviation) => writeHalf(block, 0, deviation / 4.6),
  Q4_1: (block, deviation, random) => writeAffine(block, deviation / 4.6, 7 + random()),
  Q5_0: (block, deviation) => writeHalf(block, 0, deviation / 9.2),
  Q5_1: (block, deviation, random) => writeAffine(block, deviation / 9.2, 15 + random()),
  Q8_0: (block, deviation) => writeHalf(block, 0, deviation / 74),
  Q4_K: (block, deviation) => writePair(block, deviation / (4.6 * 36), (7.5 * deviation) / 166),
  Q5_K: (block, deviation) => writePair(block, deviation / (9.2 * 36), (7.5 * deviation) / 166),
  Q6_K: (block, deviation) => writeHalf(block, 208, deviation / (18.5 * 74)),
};

function writeAffine(block: Buffer, scale: number, centre: number): void {
  writePair(block, scale, -centre * scale);
}

function writePair(block: Buffer, first: number, second: number): void {
  writeHalf(block, 0, first);
  writeHalf(block, 2, second);
}

function writeHalf(block: Buffer, offset: number, value: number): void {
  block.writeUInt16LE(toHalf(value), offset);
}

function halves(values: Float32Array, convert: (value: number) => number): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, convert).buffer);
}

/** Nearest IEEE half (ties away from zero), which is exact enough for made-up weights. */
function toHalf(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -24) return sign;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = Math.round(magnitude / 2 ** (exponent - 10)); // 1024..2047 for normal numbers
  return sign | (steps + ((exponent + 14) << 10));
}

/** The upper half of a float, rounded to nearest. */
function toBrainHalf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return ((bits + 0x8000) >>> 16) & 0xffff;
}
