// What is known of a memory without its payload: small enough to be read for every look-up. As a
// frame: JSON { path, language, lines, dimensions }, then pooled [dimensions] f32, then sign bits
// [ceil(dimensions / 32)] u32, all in the byte order of the machine, which the bank never leaves.
import { FormatError } from "../errors.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";

export interface MemoryRecord {
  /** Absolute, of the file the text stands in. */
  readonly path: string;
  readonly language: string;
  /** Of its text, as `lineHashes` gives them. */
  readonly lines: string;
  /** [dimensions] */
  readonly pooled: Float32Array;
  /** [ceil(dimensions / 32)] */
  readonly signBits: Uint32Array;
}

export function encodeRecord({ pooled, signBits, ...facts }: MemoryRecord): Buffer {
  const bytes = Buffer.concat([bytesOf(pooled), bytesOf(signBits)]);
  return encodeFrame({ json: { ...facts, dimensions: pooled.length }, bytes });
}

/** @throws FormatError when it is not as written. */
export function decodeRecord(frame: Buffer, name: string): MemoryRecord {
  const { json, bytes } = decodeFrame(frame, name);
  const { path, language, lines, dimensions } = json;
  if (typeof path !== "string" || typeof language !== "string" || typeof lines !== "string")
    throw new FormatError(`bank: ${name} lacks its path, language or lines`);
  if (typeof dimensions !== "number") throw new FormatError(`bank: ${name} lacks its dimensions`);
  const words = Math.ceil(dimensions / 32);
  if (bytes.length !== 4 * (dimensions + words))
    throw new FormatError(`bank: ${name} has ${bytes.length} bytes for ${dimensions} dimensions`);
  return {
    ...{ path, language, lines },
    pooled: new Float32Array(bytes.buffer, 0, dimensions),
    signBits: new Uint32Array(bytes.buffer, 4 * dimensions, words),
  };
}

export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
