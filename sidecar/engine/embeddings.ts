// The embedding table stays on disk; a run reads the rows of its ids and no more. With the operating
// system's page cache behind it that is some microseconds a row, and it keeps 60 to 550 MB out of
// this process.
//
// Row of a table with 8 bits: codes [columns] u8, scales [columns / blockSize] f32, offsets alike;
// value = scale * (code - 128) + offset. With 32 bits: values [columns] f32.
import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { FormatError, LimitError } from "../errors.ts";
import type { EmbeddingFile, ModelShape } from "./engine-model.ts";

type TableShape = Pick<ModelShape, "hiddenSize" | "vocabularySize">;

export class EmbeddingTable {
  readonly #descriptor: number;
  readonly #vocabularySize: number;
  readonly #columns: number;
  readonly #blockSize: number;
  readonly #row: Uint8Array; // the bytes of one row
  readonly #readRow: (id: number, target: Float32Array) => void;

  /** @throws FormatError when the file's size is not that of the table. */
  constructor({ file, bits, blockSize }: EmbeddingFile, shape: TableShape) {
    assert(bits === 32 || (bits === 8 && shape.hiddenSize % blockSize === 0));
    this.#vocabularySize = shape.vocabularySize;
    this.#columns = shape.hiddenSize;
    this.#blockSize = blockSize;
    const blockBytes = 2 * Float32Array.BYTES_PER_ELEMENT * (shape.hiddenSize / blockSize);
    const rowLength = bits === 32 ? 4 * shape.hiddenSize : shape.hiddenSize + blockBytes;
    this.#row = new Uint8Array(rowLength);
    this.#readRow = bits === 32 ? this.#readValues : this.#readCodes;
    this.#descriptor = openSync(file, "r");
    const { size } = fstatSync(this.#descriptor);
    if (size === rowLength * shape.vocabularySize) return;
    this.close();
    const expected = `${shape.vocabularySize} rows of ${rowLength} bytes`;
    throw new FormatError(`engine: ${file} has ${size} bytes, not ${expected}`);
  }

  /**
   * Writes the rows of `ids` into `target` [ids, columns].
   * @throws LimitError for an id that is not in the vocabulary.
   */
  read(ids: ArrayLike<number>, target: Float32Array): void {
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index] ?? -1;
      if (!Number.isInteger(id) || id < 0 || id >= this.#vocabularySize)
        throw new LimitError(`engine: id ${id} is not below ${this.#vocabularySize}`);
      this.#readRow(id, target.subarray(index * this.#columns, (index + 1) * this.#columns));
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #readBytes(id: number, bytes: Uint8Array): void {
    const read = readSync(this.#descriptor, bytes, 0, bytes.length, id * bytes.length);
    if (read !== bytes.length)
      throw new FormatError(`engine: embedding row ${id} has ${read} of ${bytes.length} bytes`);
  }

  #readValues(id: number, target: Float32Array): void {
    this.#readBytes(id, new Uint8Array(target.buffer, target.byteOffset, target.byteLength));
  }

  #readCodes(id: number, target: Float32Array): void {
    const row = this.#row;
    this.#readBytes(id, row);
    const blockCount = this.#columns / this.#blockSize;
    const parameters = new DataView(row.buffer, this.#columns);
    for (let block = 0; block < blockCount; block++) {
      const scale = parameters.getFloat32(4 * block, true);
      const offset = parameters.getFloat32(4 * (blockCount + block), true);
      const start = block * this.#blockSize;
      for (let column = start; column < start + this.#blockSize; column++)
        target[column] = scale * (row[column]! - 128) + offset;
    }
  }
}
