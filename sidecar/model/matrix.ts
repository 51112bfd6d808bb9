// How the rows of a matrix are written down in the prepared file, and the choice of it by variant.
// w = scale (code - zero point) + offset, by element and by block; or plain floats.
import { dequantize } from "../gguf/dequantize.ts";
import { repack } from "../gguf/repack.ts";
import { byteLengthOf, isFloatType, type TensorType } from "../gguf/tensor-type.ts";

/** What rows look like, known before any is read. */
export type MatrixFormat = FloatFormat | CodedFormat;

export interface FloatFormat {
  readonly bits: 32;
}

export interface CodedFormat {
  readonly bits: 4 | 8;
  /** Elements of a row that share a scale: a power of two from 16. */
  readonly blockSize: number;
  /** Where there are none the zero point is 2^(bits-1). */
  readonly hasZeroPoints: boolean;
  readonly hasOffsets: boolean;
}

/** Whole rows of a matrix. */
export type MatrixRows = FloatRows | MatrixCodes;

export interface FloatRows {
  readonly bits: 32;
  readonly values: Float32Array; // [rows, columns]
}

export interface MatrixCodes {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** One code a byte, also where bits are 4. */
  readonly codes: Uint8Array; // [rows, columns]
  readonly scales: Float32Array; // [rows, columns / blockSize]
  /** One zero point a byte. */
  readonly zeroPoints: Uint8Array | null; // [rows, columns / blockSize]
  readonly offsets: Float32Array | null; // [rows, columns / blockSize]
}

/** What a chooser may look at: the tensor's name says which layer and which matrix it is. */
export interface MatrixSource {
  readonly name: string;
  readonly type: TensorType;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Turns a tensor's rows, as they lie in the file, into rows of `format`. Big matrices come in
 * several pieces, so a row's codes may depend on that row alone.
 */
export interface MatrixEncoder {
  readonly format: MatrixFormat;
  /** `bytes` are `rowCount` rows, the first of them number `firstRow` of the matrix. */
  encode(bytes: Uint8Array, rowCount: number, firstRow: number): MatrixRows;
}

/** Chooses, per matrix, how it is written down. */
export type MatrixChooser = (source: MatrixSource) => MatrixEncoder;

/** The weights of the file, unchanged: block types as codes, float types as floats. */
export function chooseLossless({ type, columns }: MatrixSource): MatrixEncoder {
  if (isFloatType(type)) return floatEncoder(type, columns);
  const probe = repack(type, new Uint8Array(byteLengthOf(type, columns)), columns);
  return {
    format: {
      bits: probe.bits,
      blockSize: probe.blockSize,
      hasZeroPoints: probe.zeroPoints !== null,
      hasOffsets: probe.offsets !== null,
    },
    encode: (bytes, rowCount) => repack(type, bytes, rowCount * columns),
  };
}

/** Every matrix as floats: four to eight times the size, for tests of the graph itself. */
export function chooseFloats({ type, columns }: MatrixSource): MatrixEncoder {
  return floatEncoder(type, columns);
}

function floatEncoder(type: TensorType, columns: number): MatrixEncoder {
  return {
    format: { bits: 32 },
    encode: (bytes, rowCount) => ({
      bits: 32,
      values: dequantize(type, bytes, rowCount * columns),
    }),
  };
}

/**
 * The one format that holds rows of all of `formats` without changing a weight: floats if any has
 * floats, else the most bits and the smallest blocks.
 */
export function commonFormat(formats: readonly MatrixFormat[]): MatrixFormat {
  const coded = formats.filter((format) => format.bits !== 32);
  if (coded.length < formats.length) return { bits: 32 };
  return {
    bits: coded.some(({ bits }) => bits === 8) ? 8 : 4,
    blockSize: Math.min(...coded.map(({ blockSize }) => blockSize)),
    hasZeroPoints: coded.some(({ hasZeroPoints }) => hasZeroPoints),
    hasOffsets: coded.some(({ hasOffsets }) => hasOffsets),
  };
}

/** The same rows in a format that `commonFormat` made of theirs and others. */
export function convertRows(rows: MatrixRows, format: MatrixFormat): MatrixRows {
  if (format.bits === 32) return { bits: 32, values: valuesOf(rows) };
  if (rows.bits === 32) throw new Error("floats have no codes; commonFormat makes no such request");
  const repeat = rows.blockSize / format.blockSize;
  const middle = 2 ** (format.bits - 1);
  // A code moves with its zero point, 8 in four bits and 128 in eight.
  const shift = middle - 2 ** (rows.bits - 1);
  const { scales, zeroPoints } = rows;
  return {
    bits: format.bits,
    blockSize: format.blockSize,
    codes: shift === 0 ? rows.codes : rows.codes.map((code) => code + shift),
    scales: repeated(scales, repeat),
    zeroPoints: format.hasZeroPoints
      ? repeated(
          zeroPoints?.map((point) => point + shift) ?? new Uint8Array(scales.length).fill(middle),
          repeat,
        )
      : null,
    offsets: format.hasOffsets
      ? repeated(format.hasZeroPoints ? offsetsOf(rows) : wholeOffsetsOf(rows), repeat)
      : null,
  };
}

function offsetsOf({ scales, offsets }: MatrixCodes): Float32Array {
  return offsets ?? new Float32Array(scales.length);
}

/** The offsets of the same weights without zero points. */
function wholeOffsetsOf(rows: MatrixCodes): Float32Array {
  const { scales, zeroPoints } = rows;
  if (zeroPoints === null) return offsetsOf(rows);
  const middle = 2 ** (rows.bits - 1);
  return offsetsOf(rows).map(
    (offset, block) => offset + scales[block]! * (middle - zeroPoints[block]!),
  );
}

function valuesOf(rows: MatrixRows): Float32Array {
  if (rows.bits === 32) return rows.values;
  const { blockSize, codes, scales, zeroPoints, offsets } = rows;
  const middle = 2 ** (rows.bits - 1);
  const values = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) {
    const block = Math.floor(index / blockSize);
    const centred = codes[index]! - (zeroPoints === null ? middle : zeroPoints[block]!);
    const product = Math.fround(scales[block]! * centred);
    values[index] = offsets === null ? product : product + offsets[block]!;
  }
  return values;
}

/** Each element `count` times: a block cut in `count` equal ones keeps its scale in all of them. */
function repeated<Values extends Float32Array | Uint8Array>(values: Values, count: number): Values {
  if (count === 1) return values;
  const result =
    values instanceof Float32Array
      ? new Float32Array(values.length * count)
      : new Uint8Array(values.length * count);
  for (let index = 0; index < values.length; index++)
    result.fill(values[index]!, index * count, (index + 1) * count);
  return result as Values;
}
