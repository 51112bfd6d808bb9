// The metadata of a GGUF: keys and typed values, one behind the other. Arrays are checked against the
// file before an element is read.
import { FormatError, UnsupportedError } from "../errors.ts";
import {
  type Cursor,
  quoted,
  readBoolean,
  readCount,
  readInt64,
  readString,
  readUint32,
  readUint64,
  takeBytes,
} from "./cursor.ts";

/** Booleans within arrays come as 0 and 1. */
export type MetadataValue = string | number | boolean | readonly string[] | readonly number[];

/** Of all arrays together: tokens, their types and merges of a vocabulary of 262,144 are 1.3 million. */
const MAX_ARRAY_ELEMENTS = 4 * 2 ** 20;

/** Reads `count` entries from the cursor on. */
export function readMetadata(cursor: Cursor, count: number): Map<string, MetadataValue> {
  const metadata = new Map<string, MetadataValue>();
  let elementsLeft = MAX_ARRAY_ELEMENTS;
  for (let index = 0; index < count; index++) {
    const start = cursor.offset;
    const key = readString(cursor, "metadata key");
    if (metadata.has(key))
      throw new FormatError(
        `${cursor.name}: metadata key ${quoted(key)} twice, at offset ${start}`,
      );
    const value = readValue(cursor, key, elementsLeft);
    if (Array.isArray(value)) elementsLeft -= value.length;
    metadata.set(key, value);
  }
  return metadata;
}

type ScalarReader = (cursor: Cursor, label: string) => string | number | boolean;

/** Readers by `enum gguf_metadata_value_type`, and the fewest bytes that such a value takes. */
const scalarTypes: readonly (
  | { readonly read: ScalarReader; readonly bytes: number }
  | undefined
)[] = [
  { bytes: 1, read: (cursor, label) => cursor.view.getUint8(takeBytes(cursor, 1, label)) },
  { bytes: 1, read: (cursor, label) => cursor.view.getInt8(takeBytes(cursor, 1, label)) },
  { bytes: 2, read: (cursor, label) => cursor.view.getUint16(takeBytes(cursor, 2, label), true) },
  { bytes: 2, read: (cursor, label) => cursor.view.getInt16(takeBytes(cursor, 2, label), true) },
  { bytes: 4, read: readUint32 },
  { bytes: 4, read: (cursor, label) => cursor.view.getInt32(takeBytes(cursor, 4, label), true) },
  { bytes: 4, read: (cursor, label) => cursor.view.getFloat32(takeBytes(cursor, 4, label), true) },
  { bytes: 1, read: readBoolean },
  { bytes: 8, read: readString },
  undefined, // the array, see readArray
  { bytes: 8, read: readUint64 },
  { bytes: 8, read: readInt64 },
  { bytes: 8, read: (cursor, label) => cursor.view.getFloat64(takeBytes(cursor, 8, label), true) },
];
const STRING_TYPE = 8;
const ARRAY_TYPE = 9;

function readValue(cursor: Cursor, key: string, elementLimit: number): MetadataValue {
  const label = `metadata ${quoted(key)}`;
  const type = readUint32(cursor, `type of ${label}`);
  return type === ARRAY_TYPE
    ? readArray(cursor, label, elementLimit)
    : scalarTypeOf(cursor, type, label).read(cursor, label);
}

function readArray(cursor: Cursor, label: string, elementLimit: number): MetadataValue {
  const start = cursor.offset;
  const type = readUint32(cursor, `element type of ${label}`);
  if (type === ARRAY_TYPE)
    throw new UnsupportedError(
      `${cursor.name}: ${label} at offset ${start} is an array of arrays; arrays hold plain values`,
    );
  const { read, bytes } = scalarTypeOf(cursor, type, label);
  const length = readCount(cursor, `length of ${label}`, elementLimit);
  const left = cursor.fileLength - cursor.offset;
  if (length * bytes > left)
    throw new FormatError(
      `${cursor.name}: ${label} of ${length} elements at offset ${start} does not fit the ${left} bytes left`,
    );
  const values: (string | number)[] = [];
  for (let index = 0; index < length; index++) {
    const value = read(cursor, label);
    values.push(typeof value === "boolean" ? Number(value) : value);
  }
  return type === STRING_TYPE ? (values as string[]) : (values as number[]);
}

function scalarTypeOf(cursor: Cursor, type: number, label: string) {
  const found = scalarTypes[type];
  if (found === undefined)
    throw new FormatError(
      `${cursor.name}: type ${type} of ${label} at offset ${cursor.offset - 4}, known are 0 to 12`,
    );
  return found;
}
