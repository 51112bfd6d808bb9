// The metadata of a GGUF: keys and typed values, one behind the other. The first pass measures every
// value and reads none; a value is read, and checked, when it is asked for, so that an entry that
// nobody asks for cannot make a file unreadable.
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import {
  type Cursor,
  quoted,
  readBoolean,
  readCount,
  readInt64,
  readKey,
  readString,
  readUint32,
  readUint64,
  skipString,
  takeBytes,
  takeElements,
} from "./cursor.ts";

/** Booleans within arrays come as 0 and 1. */
export type MetadataValue = string | number | boolean | readonly string[] | readonly number[];

export interface Metadata {
  keys(): Iterable<string>;
  /**
   * undefined where there is no such key.
   * @throws FormatError when the value is not what its type says or the key is there twice;
   *   UnsupportedError for an array of arrays; LimitError for numbers, strings and arrays that are
   *   over a limit.
   */
  get(key: string): MetadataValue | undefined;
}

/** Tokens, their types or merges of a vocabulary of 262,144 are half a million at most. */
const MAX_ARRAY_ELEMENTS = 4 * 2 ** 20;

/** The specification has no bound; real files nest nothing. */
const MAX_ARRAY_DEPTH = 16;

/** Measures `count` entries from the cursor on. @throws FormatError where an end cannot be known. */
export function readMetadata(cursor: Cursor, count: number): Metadata {
  const places = new Map<string, number[]>();
  for (let index = 0; index < count; index++) {
    const key = readKey(cursor);
    const known = places.get(key);
    if (known === undefined) places.set(key, [cursor.offset]);
    else known.push(cursor.offset);
    skipValue(cursor, `metadata ${quoted(key)}`);
  }
  const values = new Map<string, MetadataValue>();
  return {
    keys: () => places.keys(),
    get(key) {
      const [offset, again] = places.get(key) ?? [];
      if (offset === undefined || values.has(key)) return values.get(key);
      if (again !== undefined)
        throw new FormatError(
          `${cursor.name}: metadata key ${quoted(key)} twice, with values at offsets ${offset} and ${again}`,
        );
      const value = readValue({ ...cursor, offset }, `metadata ${quoted(key)}`);
      values.set(key, value);
      return value;
    },
  };
}

function skipValue(cursor: Cursor, label: string): void {
  const type = readUint32(cursor, `type of ${label}`);
  if (type === ARRAY_TYPE) skipArray(cursor, label, 1);
  else if (type === STRING_TYPE) skipString(cursor, label);
  else takeBytes(cursor, scalarTypeOf(cursor, type, label).bytes, label);
}

function skipArray(cursor: Cursor, label: string, depth: number): void {
  if (depth > MAX_ARRAY_DEPTH)
    throw new LimitError(
      `${cursor.name}: ${label} at offset ${cursor.offset} has arrays in arrays ${depth} deep, over ${MAX_ARRAY_DEPTH}`,
    );
  const type = readUint32(cursor, `element type of ${label}`);
  const isNested = type === ARRAY_TYPE;
  const bytes = isNested ? EMPTY_ARRAY_BYTES : scalarTypeOf(cursor, type, label).bytes;
  const length = takeElements(cursor, label, bytes);
  if (isNested) for (let index = 0; index < length; index++) skipArray(cursor, label, depth + 1);
  else if (type === STRING_TYPE)
    for (let index = 0; index < length; index++) skipString(cursor, label);
  else takeBytes(cursor, length * bytes, label);
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
/** The type of its elements and their number. */
const EMPTY_ARRAY_BYTES = 12;

function readValue(cursor: Cursor, label: string): MetadataValue {
  const type = readUint32(cursor, `type of ${label}`);
  return type === ARRAY_TYPE
    ? readArray(cursor, label)
    : scalarTypeOf(cursor, type, label).read(cursor, label);
}

function readArray(cursor: Cursor, label: string): MetadataValue {
  const start = cursor.offset;
  const type = readUint32(cursor, `element type of ${label}`);
  if (type === ARRAY_TYPE)
    throw new UnsupportedError(
      `${cursor.name}: ${label} at offset ${start} is an array of arrays; arrays hold plain values`,
    );
  const { read } = scalarTypeOf(cursor, type, label);
  const length = readCount(cursor, `length of ${label}`, MAX_ARRAY_ELEMENTS);
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
