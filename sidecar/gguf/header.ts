// The header of a GGUF file: magic, version, metadata, tensor table. In: a ByteSource. Out: plain
// records whose every length, count and offset fits the file; the bytes of tensors are not read.
//
// Our own parser, for hostile files: @huggingface/gguf reads past the end of a short file as zeros
// and takes 47 s and 1.5 GB over a crafted 48 MB one. The tests compare the two on honest files.
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import {
  type Cursor,
  createCursor,
  PrefixEnds,
  printable,
  quoted,
  readBoolean,
  readCount,
  readInt64,
  readString,
  readUint32,
  readUint64,
  takeBytes,
} from "./cursor.ts";
import {
  blockLayouts,
  byteLengthOf,
  type TensorType,
  tensorTypeOf,
  tensorTypes,
} from "./tensor-type.ts";

export type MetadataValue = string | number | boolean | readonly string[] | readonly number[];

export interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  /** ggml order: columns (inputs) first, then rows (outputs). */
  readonly dimensions: readonly number[];
  /** From the start of the file; the whole tensor lies within the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const limits = {
  /** The 0.5B's header takes 6 MB and a vocabulary of 262,144 tokens about 15 MB. */
  headerBytes: 64 * 2 ** 20,
  /** Real files hold under 100 entries. */
  metadataCount: 4096,
  /** Elements of all arrays together: tokens, their types and merges of a 262,144 vocabulary. */
  arrayElements: 4 * 2 ** 20,
  /** The largest published models hold about 3,000. */
  tensorCount: 65536,
  /** GGML_MAX_DIMS. */
  dimensionCount: 4,
  /** The default is 32; more than a few pages is not an alignment. */
  alignment: 65536,
};

const FIRST_READ = 8 * 2 ** 20;

/**
 * Reads only the header, in prefixes of doubling size, so that a header costs at most twice its
 * length in time and once in memory.
 * @throws FormatError when a field is wrong or the file ends in it; LimitError when a value is over
 *   a limit above; UnsupportedError for other versions, byte orders and tensor types.
 */
export async function parseHeader(source: ByteSource): Promise<GgufHeader> {
  for (let length = FIRST_READ; ; length *= 2) {
    const prefix = await source.read(0, Math.min(length, source.byteLength));
    const cursor = createCursor(source, prefix);
    try {
      return readHeader(cursor);
    } catch (error) {
      // The only error that is not the file's: a longer prefix may hold the rest of the header.
      if (!(error instanceof PrefixEnds)) throw error;
      if (length >= limits.headerBytes)
        throw new LimitError(
          `${source.name}: header at offset ${cursor.offset} exceeds ${limits.headerBytes} bytes`,
        );
    }
  }
}

function readHeader(cursor: Cursor): GgufHeader {
  readMagicAndVersion(cursor);
  const tensorCount = readCount(cursor, "tensor count", limits.tensorCount);
  const metadataCount = readCount(cursor, "metadata count", limits.metadataCount);
  const metadata = readMetadata(cursor, metadataCount);
  const alignment = alignmentOf(cursor, metadata);
  const entries = readTensorTable(cursor, tensorCount, alignment);
  const dataOffset = Math.ceil(cursor.offset / alignment) * alignment;
  const tensors = new Map(
    entries.map((entry) => [entry.name, placeTensor(cursor, entry, dataOffset)]),
  );
  return { metadata, tensors };
}

function readMagicAndVersion(cursor: Cursor): void {
  const magic = cursor.bytes.toString("latin1", 0, takeBytes(cursor, 4, "magic") + 4);
  if (magic !== "GGUF")
    throw new FormatError(`${cursor.name}: not a GGUF file, it starts with "${printable(magic)}"`);
  const version = readUint32(cursor, "version");
  // A big-endian file has its version in the upper bytes.
  if (version !== 2 && version !== 3)
    throw new UnsupportedError(
      `${cursor.name}: GGUF version ${version} at offset 4, supported are 2 and 3, little-endian`,
    );
}

function readMetadata(cursor: Cursor, count: number): Map<string, MetadataValue> {
  const metadata = new Map<string, MetadataValue>();
  let elementsLeft = limits.arrayElements;
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

/** Readers by `enum gguf_metadata_value_type`; index 9 is the array. */
const scalarReaders: readonly ((cursor: Cursor, label: string) => string | number | boolean)[] = [
  (cursor, label) => cursor.view.getUint8(takeBytes(cursor, 1, label)),
  (cursor, label) => cursor.view.getInt8(takeBytes(cursor, 1, label)),
  (cursor, label) => cursor.view.getUint16(takeBytes(cursor, 2, label), true),
  (cursor, label) => cursor.view.getInt16(takeBytes(cursor, 2, label), true),
  readUint32,
  (cursor, label) => cursor.view.getInt32(takeBytes(cursor, 4, label), true),
  (cursor, label) => cursor.view.getFloat32(takeBytes(cursor, 4, label), true),
  readBoolean,
  readString,
  readNothing,
  readUint64,
  readInt64,
  (cursor, label) => cursor.view.getFloat64(takeBytes(cursor, 8, label), true),
];
const ARRAY_TYPE = 9;
const STRING_TYPE = 8;
/** Smallest number of bytes a value of each type takes; a string is at least its length. */
const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8] as const;

/** Fills the place of the array among the scalar readers; `readerOf` never returns it. */
function readNothing(): never {
  throw new Error("arrays are read by readArray");
}

function readValue(cursor: Cursor, key: string, elementLimit: number): MetadataValue {
  const label = `metadata ${quoted(key)}`;
  const type = readUint32(cursor, `type of ${label}`);
  return type === ARRAY_TYPE
    ? readArray(cursor, label, elementLimit)
    : readerOf(cursor, type, label)(cursor, label);
}

function readArray(cursor: Cursor, label: string, elementLimit: number): MetadataValue {
  const start = cursor.offset;
  const type = readUint32(cursor, `element type of ${label}`);
  if (type === ARRAY_TYPE)
    throw new UnsupportedError(
      `${cursor.name}: ${label} at offset ${start} is an array of arrays; arrays hold plain values`,
    );
  const read = readerOf(cursor, type, label);
  const length = readCount(cursor, `length of ${label}`, elementLimit);
  const left = cursor.fileLength - cursor.offset;
  if (length * (scalarBytes[type] ?? 1) > left)
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

function readerOf(cursor: Cursor, type: number, label: string) {
  const read = type === ARRAY_TYPE ? undefined : scalarReaders[type];
  if (read === undefined)
    throw new FormatError(
      `${cursor.name}: type ${type} of ${label} at offset ${cursor.offset - 4}, known are 0 to 12`,
    );
  return read;
}

interface TableEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly dimensions: readonly number[];
  /** From the start of the data, which follows the table. */
  readonly dataOffset: number;
}

function readTensorTable(cursor: Cursor, count: number, alignment: number): TableEntry[] {
  const entries: TableEntry[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const start = cursor.offset;
    const entry = readTableEntry(cursor, alignment);
    if (names.has(entry.name))
      throw new FormatError(
        `${cursor.name}: tensor ${quoted(entry.name)} twice, at offset ${start}`,
      );
    names.add(entry.name);
    entries.push(entry);
  }
  return entries;
}

function readTableEntry(cursor: Cursor, alignment: number): TableEntry {
  const name = readString(cursor, "tensor name");
  const label = `tensor ${quoted(name)}`;
  const dimensions = readDimensions(cursor, label);
  const code = readUint32(cursor, `type of ${label}`);
  const type = tensorTypeOf(code);
  if (type === undefined)
    throw new UnsupportedError(
      `${cursor.name}: ${label} at offset ${cursor.offset - 4} has ggml type ${code}, supported are ${tensorTypes.join(", ")}`,
    );
  const dataOffset = readUint64(cursor, `offset of ${label}`);
  if (dataOffset % alignment !== 0)
    throw new FormatError(
      `${cursor.name}: ${label} has data offset ${dataOffset}, not a multiple of the alignment ${alignment}`,
    );
  return { name, type, dimensions, dataOffset };
}

function readDimensions(cursor: Cursor, label: string): number[] {
  const count = readUint32(cursor, `dimension count of ${label}`);
  if (count < 1 || count > limits.dimensionCount)
    throw new LimitError(
      `${cursor.name}: ${label} at offset ${cursor.offset - 4} has ${count} dimensions, allowed are 1 to ${limits.dimensionCount}`,
    );
  return Array.from({ length: count }, () => {
    const dimension = readUint64(cursor, `dimension of ${label}`);
    if (dimension === 0)
      throw new FormatError(
        `${cursor.name}: ${label} at offset ${cursor.offset - 8} has a dimension of 0`,
      );
    return dimension;
  });
}

/** Turns the offset into the file's and checks that every byte of the tensor lies in the file. */
function placeTensor(cursor: Cursor, entry: TableEntry, dataStart: number): TensorEntry {
  const { name, type, dimensions, dataOffset } = entry;
  const [columns = 0] = dimensions;
  const label = `${cursor.name}: tensor ${quoted(name)} [${dimensions.join(", ")}] ${type}`;
  const { elements } = blockLayouts[type];
  if (columns % elements !== 0)
    throw new FormatError(
      `${label} has columns that are not a multiple of its blocks of ${elements}`,
    );
  // Each factor is a safe integer; a product that is not is far over the file's length anyway.
  const elementCount = dimensions.reduce((product, each) => product * each, 1);
  const byteLength = byteLengthOf(type, elementCount);
  const offset = dataStart + dataOffset;
  if (offset + byteLength > cursor.fileLength)
    throw new FormatError(
      `${label} of ${byteLength} bytes at offset ${offset} ends past the file's ${cursor.fileLength} bytes`,
    );
  return { name, type, dimensions, offset, byteLength };
}

function alignmentOf(cursor: Cursor, metadata: ReadonlyMap<string, MetadataValue>): number {
  const alignment = metadata.get("general.alignment") ?? 32; // GGUF_DEFAULT_ALIGNMENT
  const isPowerOfTwo = typeof alignment === "number" && Number.isInteger(Math.log2(alignment));
  if (!isPowerOfTwo || alignment < 1)
    throw new FormatError(`${cursor.name}: general.alignment ${alignment} is not a power of two`);
  if (alignment > limits.alignment)
    throw new LimitError(
      `${cursor.name}: general.alignment ${alignment} exceeds ${limits.alignment}`,
    );
  return alignment;
}
