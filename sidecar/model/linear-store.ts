// Matrices -> the tensors that MatMulNBits and MatMul read. Matrices that share an input are stacked,
// row below row, in the one format that holds them all without changing a weight.
import { FormatError, throwIfCancelled } from "../errors.ts";
import type { ByteSource } from "../gguf/byte-source.ts";
import type { TensorEntry } from "../gguf/tensor-table.ts";
import type { StoredTensor, TensorRegion, TensorStore } from "../onnx/tensor-store.ts";
import {
  type CodedFormat,
  commonFormat,
  convertRows,
  type MatrixChooser,
  type MatrixCodes,
  type MatrixEncoder,
  type MatrixRows,
} from "./matrix.ts";

/** A matrix and its bias, written down: y = x W' + b. */
export interface StoredLinear {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly matrix: StoredFloats | StoredCodes;
  readonly bias: StoredTensor | null; // f32 [rows]
}

export interface StoredFloats {
  readonly bits: 32;
  readonly values: StoredTensor; // f32 [rows, columns]
}

export interface StoredCodes {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly codes: StoredTensor; // u8 [rows, columns / blockSize, blockSize * bits / 8]
  readonly scales: StoredTensor; // f32 [rows, columns / blockSize]
  readonly zeroPoints: StoredTensor | null; // u8 [rows, ceil(columns / blockSize * bits / 8)]
  readonly offsets: StoredTensor | null; // f32 [rows, columns / blockSize]
}

/** What writing needs besides the tensors themselves. */
export interface WeightWriting {
  readonly source: ByteSource;
  readonly store: TensorStore;
  readonly choose: MatrixChooser;
  /** Told how many more bytes of the file have been used. */
  readonly onBytes: (byteLength: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Elements encoded at a time: 8 MB as floats, and large enough that reads do not count. */
const PIECE_ELEMENTS = 2 ** 21;

/** `entries` have equal columns; their rows follow each other in the result. */
export async function writeMatrix(
  writing: WeightWriting,
  name: string,
  entries: readonly TensorEntry[],
): Promise<StoredFloats | StoredCodes> {
  const encoders = entries.map((entry) => writing.choose(shapeOf(entry)));
  const format = commonFormat(encoders.map((encoder) => encoder.format));
  const rows = entries.reduce((sum, entry) => sum + shapeOf(entry).rows, 0);
  const columns = entries[0] === undefined ? 0 : shapeOf(entries[0]).columns;
  const target =
    format.bits === 32
      ? reserveFloats(writing, name, { rows, columns })
      : reserveCodes(writing, name, { rows, columns, format });
  let firstRow = 0;
  for (const [index, entry] of entries.entries()) {
    const encoder = encoders[index];
    if (encoder === undefined) throw new Error("one encoder a matrix");
    for await (const piece of encodedPieces(writing, entry, encoder)) {
      await target.write(convertRows(piece.rows, format), firstRow);
      firstRow += piece.rowCount;
    }
  }
  return target.stored;
}

/** The rows of a tensor, encoded, a piece at a time. */
export async function* encodedPieces(
  { source, onBytes, signal }: Pick<WeightWriting, "source" | "onBytes" | "signal">,
  entry: TensorEntry,
  encoder: MatrixEncoder,
): AsyncGenerator<{ readonly rows: MatrixRows; readonly rowCount: number }> {
  const { rows, columns } = shapeOf(entry);
  const rowBytes = entry.byteLength / rows;
  const step = Math.max(1, Math.floor(PIECE_ELEMENTS / columns));
  for (let row = 0; row < rows; row += step) {
    throwIfCancelled(signal);
    const rowCount = Math.min(step, rows - row);
    const bytes = await source.read(entry.offset + row * rowBytes, rowCount * rowBytes);
    const encoded = encoder.encode(bytes, rowCount, row);
    const numbers =
      encoded.bits === 32 ? [encoded.values] : [encoded.scales, encoded.offsets ?? []];
    for (const values of numbers) refuseNonFinite(values, `${source.name}: tensor ${entry.name}`);
    yield { rows: encoded, rowCount };
    onBytes(bytes.byteLength);
  }
}

/** A broken number would surface only as a model that writes nonsense. */
export function refuseNonFinite(values: Iterable<number>, label: string): void {
  for (const value of values)
    if (!Number.isFinite(value)) throw new FormatError(`${label} holds ${value}, expected numbers`);
}

export function shapeOf({ name, type, dimensions }: TensorEntry) {
  const [columns = 0, rows = 1] = dimensions;
  return { name, type, rows, columns };
}

interface Target<Stored> {
  readonly stored: Stored;
  write(rows: MatrixRows, firstRow: number): Promise<void>;
}

function reserveFloats(
  { store }: WeightWriting,
  name: string,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Target<StoredFloats> {
  const values = store.reserve(`${name}.values`, "float32", [rows, columns]);
  return {
    stored: { bits: 32, values: values.tensor },
    write: async (piece, firstRow) => {
      if (piece.bits === 32) await writePart(values, piece.values, firstRow * columns * 4);
    },
  };
}

function reserveCodes(
  { store }: WeightWriting,
  name: string,
  shape: { readonly rows: number; readonly columns: number; readonly format: CodedFormat },
): Target<StoredCodes> {
  const { rows, columns, format } = shape;
  const { bits, blockSize } = format;
  const blocks = columns / blockSize;
  const codeBytes = (columns * bits) / 8;
  const zeroPointBytes = Math.ceil((blocks * bits) / 8);
  const reserve = (part: string, dataType: "float32" | "uint8", row: readonly number[]) =>
    store.reserve(`${name}.${part}`, dataType, [rows, ...row]);
  const codes = reserve("codes", "uint8", [blocks, (blockSize * bits) / 8]);
  const scales = reserve("scales", "float32", [blocks]);
  const zeroPoints = format.hasZeroPoints
    ? reserve("zero_points", "uint8", [zeroPointBytes])
    : null;
  const offsets = format.hasOffsets ? reserve("offsets", "float32", [blocks]) : null;
  return {
    stored: {
      bits,
      blockSize,
      codes: codes.tensor,
      scales: scales.tensor,
      zeroPoints: zeroPoints?.tensor ?? null,
      offsets: offsets?.tensor ?? null,
    },
    write: async (piece, firstRow) => {
      if (piece.bits === 32) return;
      await writePart(codes, packed(piece.codes, columns, bits), firstRow * codeBytes);
      await writePart(scales, piece.scales, firstRow * blocks * 4);
      if (zeroPoints !== null)
        await writePart(
          zeroPoints,
          packed(pointsOf(piece), blocks, bits),
          firstRow * zeroPointBytes,
        );
      if (offsets !== null && piece.offsets !== null)
        await writePart(offsets, piece.offsets, firstRow * blocks * 4);
    },
  };
}

function pointsOf({ zeroPoints }: MatrixCodes): Uint8Array {
  if (zeroPoints === null) throw new Error("convertRows fills the zero points of its format");
  return zeroPoints;
}

function writePart(region: TensorRegion, values: Float32Array | Uint8Array, offset: number) {
  return region.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
}

/** Four-bit values two a byte, the first in the low nibble; a row of odd length ends in a 0. */
function packed(values: Uint8Array, rowLength: number, bits: 4 | 8): Uint8Array {
  if (bits === 8) return values;
  const rowBytes = Math.ceil(rowLength / 2);
  const result = new Uint8Array((values.length / rowLength) * rowBytes);
  for (let index = 0; index < values.length; index++) {
    const row = Math.floor(index / rowLength);
    const column = index - row * rowLength;
    result[row * rowBytes + (column >> 1)]! |= values[index]! << ((column & 1) * 4);
  }
  return result;
}
