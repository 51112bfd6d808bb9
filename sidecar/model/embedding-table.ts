// token_embd -> embeddings.bin: a row of fixed length for every id, read from disk at need. The
// graph takes embeddings, so it holds this table only where it is the head as well.
//   bits 8:  columns x u8 code | blocks x f32 scale | blocks x f32 offset,  w = scale (code - 128) + offset
//   bits 32: columns x f32
import type { TensorEntry } from "../gguf/tensor-table.ts";
import type { ByteSink } from "../onnx/tensor-store.ts";
import { encodedPieces, shapeOf, type WeightWriting } from "./linear-store.ts";
import { convertRows, type MatrixCodes, type MatrixFormat } from "./matrix.ts";

export interface EmbeddingFormat {
  readonly bits: 8 | 32;
  /** Columns that share a scale and an offset where bits are 8. */
  readonly blockSize: number;
}

/** `writing.choose` says whether rows are codes or floats; it is not the choice of the head. */
export async function writeEmbeddings(
  writing: Omit<WeightWriting, "store">,
  entry: TensorEntry,
  sink: ByteSink,
): Promise<EmbeddingFormat> {
  const shape = shapeOf(entry);
  const encoder = writing.choose(shape);
  const format = rowFormat(encoder.format);
  let position = 0;
  for await (const { rows } of encodedPieces(writing, entry, encoder)) {
    const converted = convertRows(rows, format);
    const bytes =
      converted.bits === 32 ? bytesOf(converted.values) : interleaved(converted, shape.columns);
    await sink.write(bytes, position);
    position += bytes.byteLength;
  }
  return format.bits === 32
    ? { bits: 32, blockSize: shape.columns }
    : { bits: 8, blockSize: format.blockSize };
}

function rowFormat(format: MatrixFormat): MatrixFormat & { readonly bits: 8 | 32 } {
  if (format.bits === 32) return format;
  return { bits: 8, blockSize: format.blockSize, hasZeroPoints: false, hasOffsets: true };
}

/** Codes, scales and offsets of a row side by side. */
function interleaved(rows: MatrixCodes, columns: number): Uint8Array {
  const blocks = columns / rows.blockSize;
  const rowBytes = columns + 8 * blocks;
  const rowCount = rows.codes.length / columns;
  const scales = bytesOf(rows.scales);
  const offsets = bytesOf(rows.offsets ?? new Float32Array(rows.scales.length));
  const result = new Uint8Array(rowCount * rowBytes);
  for (let row = 0; row < rowCount; row++) {
    const start = row * rowBytes;
    const part = (bytes: Uint8Array, length: number) =>
      bytes.subarray(row * length, (row + 1) * length);
    result.set(part(rows.codes, columns), start);
    result.set(part(scales, 4 * blocks), start + columns);
    result.set(part(offsets, 4 * blocks), start + columns + 4 * blocks);
  }
  return result;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
