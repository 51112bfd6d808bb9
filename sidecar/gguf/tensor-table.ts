// The tensor table of a GGUF: name, dimensions, type and place of every tensor.
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import { type Cursor, quoted, readString, readUint32, readUint64 } from "./cursor.ts";
import {
  blockLayouts,
  byteLengthOf,
  type TensorType,
  tensorTypeOf,
  tensorTypes,
} from "./tensor-type.ts";

export interface TensorEntry {
  readonly name: string;
  readonly type: TensorType;
  /** ggml order: columns (inputs) first, then rows (outputs). */
  readonly dimensions: readonly number[];
  /** From the start of the file; the whole tensor lies within the file. */
  readonly offset: number;
  readonly byteLength: number;
}

const MAX_DIMENSIONS = 4; // GGML_MAX_DIMS

/** Reads `count` entries, at least one, and checks that all of each tensor lies in the file. */
export function readTensorTable(
  cursor: Cursor,
  count: number,
  alignment: number,
): Map<string, TensorEntry> {
  const entries = readEntries(cursor, count, alignment);
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  const tensors = entries.map((entry) => placeTensor(cursor, entry, dataStart));
  checkEnd(cursor, tensors);
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

interface TableEntry {
  readonly name: string;
  readonly type: TensorType;
  readonly dimensions: readonly number[];
  /** From the start of the data, which follows the table. */
  readonly dataOffset: number;
}

function readEntries(cursor: Cursor, count: number, alignment: number): TableEntry[] {
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
  if (count < 1 || count > MAX_DIMENSIONS)
    throw new LimitError(
      `${cursor.name}: ${label} at offset ${cursor.offset - 4} has ${count} dimensions, allowed are 1 to ${MAX_DIMENSIONS}`,
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

/** Turns the offset into the file's. */
function placeTensor(cursor: Cursor, entry: TableEntry, dataStart: number): TensorEntry {
  const { name, type, dimensions, dataOffset } = entry;
  const [columns = 0] = dimensions;
  const { elements } = blockLayouts[type];
  if (columns % elements !== 0)
    throw new FormatError(
      `${cursor.name}: tensor ${quoted(name)} [${dimensions.join(", ")}] ${type} has columns that are not a multiple of its blocks of ${elements}`,
    );
  // Each factor is a safe integer; a product that is not is far over the file's length anyway.
  const elementCount = dimensions.reduce((product, each) => product * each, 1);
  const byteLength = byteLengthOf(type, elementCount);
  return { name, type, dimensions, offset: dataStart + dataOffset, byteLength };
}

/** Every byte of every tensor lies in the file. */
function checkEnd({ name, fileLength }: Cursor, tensors: readonly TensorEntry[]): void {
  const endOf = ({ offset, byteLength }: TensorEntry) => offset + byteLength;
  const last = tensors.reduce((one, other) => (endOf(other) > endOf(one) ? other : one));
  const missing = endOf(last) - fileLength;
  if (missing <= 0) return;
  throw new FormatError(
    `${name}: file of ${fileLength} bytes lacks ${missing} bytes: tensor ${quoted(last.name)} [${last.dimensions.join(", ")}] ${last.type} has ${last.byteLength} bytes at offset ${last.offset}; a download may have broken off`,
  );
}
