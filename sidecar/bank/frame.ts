// The bytes of one value in the bank: a JSON object and bytes, with a checksum over both.
//
//   offset  bytes  what, little-endian
//   0       4      "PITH"
//   4       4      version, 1
//   8       4      length of the JSON text, UTF-8
//   12      4      length of the bytes
//   16      16     first half of the SHA-256 of all that follows and of the two lengths
//   32             JSON text, then the bytes
import { createHash } from "node:crypto";
import { FormatError } from "../errors.ts";

export interface Frame {
  readonly json: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
}

const headLength = 32;
const magic = 0x48544950; // "PITH"
const version = 1;

export function encodeFrame({ json, bytes }: Frame): Buffer {
  const text = Buffer.from(JSON.stringify(json), "utf8");
  const frame = Buffer.alloc(headLength + text.length + bytes.length);
  frame.writeUInt32LE(magic, 0);
  frame.writeUInt32LE(version, 4);
  frame.writeUInt32LE(text.length, 8);
  frame.writeUInt32LE(bytes.length, 12);
  frame.set(text, headLength);
  frame.set(bytes, headLength + text.length);
  frame.set(checksum(frame), 16);
  return frame;
}

/**
 * `name` is for messages. The bytes are a copy at the start of a buffer of their own, so they can be
 * read as numbers of any width.
 *
 * @throws FormatError when anything is not as written.
 */
export function decodeFrame(frame: Buffer, name: string): Frame {
  if (frame.length < headLength)
    throw new FormatError(`bank: ${name} has ${frame.length} bytes, fewer than ${headLength}`);
  const [found, foundVersion] = [frame.readUInt32LE(0), frame.readUInt32LE(4)];
  if (found !== magic) throw new FormatError(`bank: ${name} does not begin with PITH`);
  if (foundVersion !== version)
    throw new FormatError(`bank: ${name} is of version ${foundVersion}, not ${version}`);
  const textEnd = headLength + frame.readUInt32LE(8);
  const end = textEnd + frame.readUInt32LE(12);
  if (end !== frame.length)
    throw new FormatError(`bank: ${name} has ${frame.length} bytes, its lengths say ${end}`);
  if (!checksum(frame).equals(frame.subarray(16, headLength)))
    throw new FormatError(`bank: ${name} does not have its checksum`);
  const json = JSON.parse(frame.toString("utf8", headLength, textEnd));
  return { json, bytes: new Uint8Array(frame.subarray(textEnd, end)) };
}

function checksum(frame: Buffer): Buffer {
  const hash = createHash("sha256")
    .update(frame.subarray(8, 16))
    .update(frame.subarray(headLength));
  return hash.digest().subarray(0, 16);
}
