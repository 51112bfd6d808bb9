// Files that lie: whatever is wrong with one, opening it is one of three errors that name it, costs
// no more memory than the file is worth, and the next file opens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { type ByteSource, bytesSource } from "../../sidecar/gguf/byte-source.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { readHyperparameters } from "../../sidecar/model/hyperparameters.ts";
import { planTensors } from "../../sidecar/model/tensor-plan.ts";
import { readVocabulary } from "../../sidecar/model/vocabulary.ts";
import { rawArray } from "../support/gguf-writer.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";

const shape = {
  architecture: "qwen2",
  hiddenSize: 32,
  headCount: 2,
  kvHeadCount: 1,
  tensorType: "Q4_0",
  layerCount: 1,
} as const;
const tiny = makeTinyGguf(shape);

const merges = "tokenizer.ggml.merges";

/** Everything that is read before the bytes of tensors. */
async function open(source: ByteSource): Promise<void> {
  const header = await parseHeader(source);
  planTensors(header, readHyperparameters(header, source.name), source.name);
  readVocabulary(header.metadata, source.name);
}

/** The error of opening `bytes`, null where they open; any other error fails the test. */
async function refusal(label: string, bytes: Uint8Array): Promise<Error | null> {
  try {
    await open(bytesSource("hostile.gguf", bytes));
    return null;
  } catch (error) {
    const isDeclared =
      error instanceof FormatError ||
      error instanceof LimitError ||
      error instanceof UnsupportedError;
    if (!isDeclared) throw new Error(`${label}: ${error}`, { cause: error });
    assert.match(error.message, /^hostile\.gguf: /, label);
    return error;
  }
}

test("the file cut at any length is a FormatError", async () => {
  const before = process.memoryUsage().rss;
  const end = await endOfTensors();
  for (let length = 0; length < end; length++) {
    const error = await refusal(`cut at ${length}`, tiny.bytes.subarray(0, length));
    assert.ok(error instanceof FormatError, `cut at ${length}: ${error}`);
  }
  // Only padding follows the last tensor.
  for (let length = end; length <= tiny.bytes.byteLength; length++)
    assert.equal(await refusal(`cut at ${length}`, tiny.bytes.subarray(0, length)), null);
  checkGrowth(before);
});

test("any number of the header at its maximum opens or is refused", async () => {
  const before = process.memoryUsage().rss;
  const opened: string[] = [];
  for (const { label, offset, byteLength } of tiny.fields) {
    const bytes = tiny.bytes.slice();
    bytes.fill(0xff, offset, offset + byteLength);
    if ((await refusal(label, bytes)) === null) opened.push(label);
  }
  // What a file may claim freely: the kind of a token, and what nobody reads. Every length, count,
  // size, type and offset was refused.
  assert.deepEqual(
    opened.filter((label) => !/^tokenizer\.ggml\.token_type\[\d+\]$/.test(label)),
    ["qwen2.context_length", "tokenizer.ggml.add_bos_token"],
  );
  checkGrowth(before);
  assert.equal(await refusal("the file itself", tiny.bytes), null);
});

test("any number of the header at 0 opens or is refused", async () => {
  for (const { label, offset, byteLength } of tiny.fields) {
    const bytes = tiny.bytes.slice();
    bytes.fill(0, offset, offset + byteLength);
    await refusal(label, bytes);
  }
});

test("a header without end is a LimitError after 64 MB", async () => {
  // One TB that starts like a GGUF and goes on with metadata entries of a megabyte each.
  const entry = Buffer.alloc(2 ** 20);
  entry.writeBigUInt64LE(8n, 0);
  entry.writeUInt32LE(8, 16); // string
  entry.writeBigUInt64LE(BigInt(2 ** 20 - 28), 20);
  const start = Buffer.alloc(24);
  start.write("GGUF");
  start.writeUInt32LE(3, 4);
  start.writeBigUInt64LE(4096n, 16);
  let bytesRead = 0;
  const source: ByteSource = {
    name: "endless.gguf",
    byteLength: 2 ** 40,
    read: async (offset, byteLength) => {
      assert.equal(offset, 0);
      bytesRead += byteLength;
      const bytes = Buffer.alloc(byteLength);
      start.copy(bytes);
      for (let at = 24, index = 0; at < byteLength; at += 2 ** 20, index++) {
        entry.write(String(index).padStart(8, "0"), 8);
        entry.copy(bytes, at);
      }
      return bytes;
    },
  };
  const before = process.memoryUsage().rss;
  await assert.rejects(open(source), (error) => {
    assert.ok(error instanceof LimitError, String(error));
    assert.match(error.message, /endless\.gguf: header at offset \d+ exceeds 67108864 bytes/);
    return true;
  });
  assert.equal(bytesRead, (8 + 16 + 32 + 64) * 2 ** 20);
  checkGrowth(before, 400e6);
});

for (const [label, kind, bytes] of [
  ["numbers", 0, 1],
  ["empty strings", 8, 8],
] as const)
  test(`arrays of ${label} beyond all need are a LimitError where they are read`, async () => {
    // The count alone is refused, before any element is read.
    const length = 2 ** 22 + 1;
    const array = rawArray(kind, length, new Uint8Array(length * bytes));
    const before = process.memoryUsage().rss;
    const error = await refusal(label, makeTinyGguf({ metadata: { [merges]: array } }).bytes);
    assert.ok(error instanceof LimitError, String(error));
    assert.match(
      error.message,
      /length of metadata "tokenizer\.ggml\.merges" 4194305 at offset \d+ exceeds 4194304/,
    );
    const unread = makeTinyGguf({ metadata: { "general.unread": array } });
    assert.equal(await refusal(label, unread.bytes), null);
    checkGrowth(before);
  });

test("an array that claims more than the file holds is a FormatError, read or not", async () => {
  for (const key of [merges, "general.unread"])
    for (const length of [2n ** 64n - 1n, 2n ** 53n, 2n ** 40n]) {
      const array = rawArray(9, length, new Uint8Array(64));
      const error = await refusal(key, makeTinyGguf({ metadata: { [key]: array } }).bytes);
      assert.match(
        String(error),
        /FormatError: .* elements at offset \d+ does not fit the \d+ bytes/,
      );
    }
});

test("so is one of which the file holds the count, though not the fewest bytes of its elements", async () => {
  const { byteLength } = tiny.bytes;
  for (const [kind, bytes] of [
    [8, 8], // strings
    [9, 12], // arrays
    [12, 8], // doubles
  ] as const) {
    const array = rawArray(kind, Math.ceil(byteLength / bytes), new Uint8Array(64));
    const unread = makeTinyGguf({ ...shape, metadata: { "general.unread": array } });
    assert.match(String(await refusal("unread", unread.bytes)), /FormatError: .* does not fit the/);
  }
});

test("arrays in arrays without end are a LimitError", async () => {
  const one = Buffer.alloc(12);
  one.writeUInt32LE(9);
  one.writeUInt8(1, 4);
  const array = rawArray(9, 1, Buffer.concat(Array.from({ length: 2 ** 16 }, () => one)));
  const error = await refusal("deep", makeTinyGguf({ metadata: { unread: array } }).bytes);
  assert.match(String(error), /LimitError: .* at offset \d+ has arrays in arrays 17 deep, over 16/);
});

/** Where the last tensor's bytes end. */
async function endOfTensors(): Promise<number> {
  const { tensors } = await parseHeader(bytesSource("tiny.gguf", tiny.bytes));
  return Math.max(...[...tensors.values()].map(({ offset, byteLength }) => offset + byteLength));
}

/** The heap is not collected between opens, so this bounds leaks and allocations by lying counts. */
function checkGrowth(before: number, limit = 250e6): void {
  const growth = process.memoryUsage().rss - before;
  assert.ok(growth < limit, `${growth / 1e6} MB more than before`);
}
