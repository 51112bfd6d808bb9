// A place in the first bytes of a file and the readers that move it. Each reader takes its bytes
// before it looks at them: past the end of the file is a FormatError, past the prefix PrefixEnds.
import { isUtf8 } from "node:buffer";
import { FormatError, LimitError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";

/** Chat templates are the longest strings of real files, a few tens of KB. */
const MAX_STRING_BYTES = 2 ** 20;

/** Never leaves this part: the prefix ends before the header does, the file does not. */
export class PrefixEnds extends Error {}

export interface Cursor {
  readonly name: string;
  readonly fileLength: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  offset: number;
}

export function createCursor(source: ByteSource, prefix: Uint8Array): Cursor {
  const { buffer, byteOffset, byteLength } = prefix;
  return {
    name: source.name,
    fileLength: source.byteLength,
    bytes: Buffer.from(buffer, byteOffset, byteLength),
    view: new DataView(buffer, byteOffset, byteLength),
    offset: 0,
  };
}

/** Moves the cursor over `length` bytes and returns where they start. */
export function takeBytes(cursor: Cursor, length: number, label: string): number {
  const start = cursor.offset;
  const end = start + length;
  if (end > cursor.fileLength)
    throw new FormatError(
      `${cursor.name}: file of ${cursor.fileLength} bytes ends in ${label}, which takes ${length} bytes at offset ${start}`,
    );
  if (end > cursor.bytes.byteLength) throw new PrefixEnds();
  cursor.offset = end;
  return start;
}

export function readUint32(cursor: Cursor, label: string): number {
  return cursor.view.getUint32(takeBytes(cursor, 4, label), true);
}

export function readUint64(cursor: Cursor, label: string): number {
  return safeInteger(cursor, cursor.view.getBigUint64(takeBytes(cursor, 8, label), true), label);
}

export function readInt64(cursor: Cursor, label: string): number {
  return safeInteger(cursor, cursor.view.getBigInt64(takeBytes(cursor, 8, label), true), label);
}

function safeInteger(cursor: Cursor, wide: bigint, label: string): number {
  const value = Number(wide);
  if (!Number.isSafeInteger(value))
    throw new LimitError(
      `${cursor.name}: ${label} ${wide} at offset ${cursor.offset - 8} exceeds ${Number.MAX_SAFE_INTEGER}`,
    );
  return value;
}

export function readCount(cursor: Cursor, label: string, limit: number): number {
  const count = readUint64(cursor, label);
  if (count > limit)
    throw new LimitError(
      `${cursor.name}: ${label} ${count} at offset ${cursor.offset - 8} exceeds ${limit}`,
    );
  return count;
}

/** The length of an array, which has to fit the file with so many bytes an element. */
export function takeElements(cursor: Cursor, label: string, bytes: number): number {
  const start = cursor.offset;
  const length = readLength(cursor, label);
  const left = cursor.fileLength - cursor.offset;
  if (length * bytes > left)
    throw new FormatError(
      `${cursor.name}: ${label} of ${length} elements at offset ${start} does not fit the ${left} bytes left`,
    );
  return length;
}

export function readBoolean(cursor: Cursor, label: string): boolean {
  const byte = cursor.view.getUint8(takeBytes(cursor, 1, label));
  if (byte > 1)
    throw new FormatError(
      `${cursor.name}: ${label} at offset ${cursor.offset - 1} is ${byte}, a boolean is 0 or 1`,
    );
  return byte === 1;
}

export function readString(cursor: Cursor, label: string): string {
  const length = readCount(cursor, `byte length of ${label}`, MAX_STRING_BYTES);
  const start = takeBytes(cursor, length, label);
  if (!isUtf8(cursor.bytes.subarray(start, start + length)))
    throw new FormatError(`${cursor.name}: ${label} at offset ${start} is not UTF-8`);
  return cursor.bytes.toString("utf8", start, start + length);
}

/** A key that is not UTF-8 is none that anybody asks for. */
export function readKey(cursor: Cursor): string {
  const start = skipString(cursor, "metadata key");
  return cursor.bytes.toString("utf8", start, cursor.offset);
}

/** Moves the cursor over a string, whatever it holds, and returns where its bytes start. */
export function skipString(cursor: Cursor, label: string): number {
  return takeBytes(cursor, readLength(cursor, label), label);
}

/** A length that is checked against the file by who uses it; rounded where it is over 2^53. */
function readLength(cursor: Cursor, label: string): number {
  return Number(cursor.view.getBigUint64(takeBytes(cursor, 8, `length of ${label}`), true));
}

export function quoted(text: string): string {
  return `"${printable(text)}"`;
}

/** Names come from the file: keep them short and on one line. */
export function printable(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return short.replace(/[^\x20-\x7e]/g, "?");
}
