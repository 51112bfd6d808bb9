import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { EmbeddingTable } from "../../sidecar/engine/embeddings.ts";
import { FormatError, LimitError } from "../../sidecar/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "pith-embeddings-"));
after(() => rmSync(folder, { recursive: true }));
const shape = { hiddenSize: 8, vocabularySize: 3 };
const blockSize = 4;

// Row r: codes 128 + r + column, scales 0.5 and 2, offsets r and -1.
const coded = Buffer.concat(
  [0, 1, 2].map((row) => {
    const codes = Uint8Array.from({ length: 8 }, (_, column) => 128 + row + column);
    return Buffer.concat([codes, new Uint8Array(Float32Array.of(0.5, 2, row, -1).buffer)]);
  }),
);
const codedRow = (row: number) =>
  Array.from({ length: 8 }, (_, column) =>
    column < 4 ? 0.5 * (row + column) + row : 2 * (row + column) - 1,
  );

test("rows of codes are scale times code plus offset, in the order of the ids", () => {
  const table = openTable(coded, 8);
  const target = new Float32Array(24);
  table.read([2, 0, 2], target);
  assert.deepEqual([...target], [...codedRow(2), ...codedRow(0), ...codedRow(2)]);
});

test("rows of floats come as they are", () => {
  const values = Float32Array.from({ length: 24 }, (_, index) => Math.fround(Math.sin(index)));
  const target = new Float32Array(16);
  openTable(new Uint8Array(values.buffer), 32).read(Uint32Array.of(1, 0), target);
  assert.deepEqual([...target], [...values.subarray(8, 16), ...values.subarray(0, 8)]);
});

for (const id of [3, -1, 0.5, Number.NaN]) {
  test(`id ${id} is a LimitError`, () => {
    const read = () => openTable(coded, 8).read([id], new Float32Array(8));
    assert.throws(read, new LimitError(`engine: id ${id} is not below 3`));
  });
}

test("a table of another size is a FormatError", () => {
  assert.throws(() => openTable(coded.subarray(1), 8), FormatError);
  assert.throws(() => openTable(coded, 32), FormatError);
});

function openTable(bytes: Uint8Array, bits: number): EmbeddingTable {
  const file = join(folder, "embeddings.bin");
  writeFileSync(file, bytes);
  const table = new EmbeddingTable({ file, bits, blockSize }, shape);
  after(() => table.close());
  return table;
}
