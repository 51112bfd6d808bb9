// The header of honest files, also against @huggingface/gguf, and of files that are wrong in one way.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { GGMLQuantizationType, gguf } from "@huggingface/gguf";
import { FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { bytesSource, openFileSource } from "../../sidecar/gguf/byte-source.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { tensorTypes } from "../../sidecar/gguf/tensor-type.ts";
import type { TypedValue, WrittenGguf } from "../support/gguf-writer.ts";
import { makeTinyGguf, type TinyOptions } from "../support/tiny-gguf.ts";

for (const [label, options] of [
  ["llama, F32", {}],
  [
    "qwen2, Q4_K, own head",
    { architecture: "qwen2", tensorType: "Q4_K", hiddenSize: 256, hasTiedEmbeddings: false },
  ],
  ["every tensor type", { hiddenSize: 256, layerCount: 2, tensorType: typeByName }],
] as const)
  test(`${label}: the header equals that of @huggingface/gguf`, () => checkAgainstLibrary(options));

test("a file on disk reads as its bytes do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pith-gguf-"));
  const path = join(folder, "tiny.gguf");
  const { bytes } = makeTinyGguf();
  await writeFile(path, bytes);
  const source = await openFileSource(path);
  assert.equal(source.name, "tiny.gguf");
  assert.deepEqual(await parseHeader(source), await parseHeader(bytesSource("tiny.gguf", bytes)));
  assert.deepEqual(await source.read(100, 7), Uint8Array.from(bytes.subarray(100, 107)));
  await source.close();
  await rm(folder, { recursive: true });
});

test("tokens keep their bytes, marks of byte order too", async () => {
  const tokens = ["\ufeff", "é", "Ġ", "\u{1F600}", ""];
  const { metadata } = await parseHeader(
    bytesSource(
      "tiny.gguf",
      makeTinyGguf({ metadata: { "test.strings": { strings: tokens } } }).bytes,
    ),
  );
  assert.deepEqual(metadata.get("test.strings"), tokens);
});

test("64-bit numbers are exact up to 2^53 and a LimitError beyond", async () => {
  const read = (value: bigint) => headerWith({ "test.number": { uint64: value } });
  assert.equal((await read(2n ** 53n - 1n)).metadata.get("test.number"), 2 ** 53 - 1);
  await assert.rejects(read(2n ** 53n), LimitError);
});

const wrong: readonly (readonly [string, (tiny: WrittenGguf) => Uint8Array, RegExp, ErrorClass])[] =
  [
    [
      "another magic",
      ({ bytes }) => put(bytes, 0, [0x50, 0x4b, 3, 4]),
      /not a GGUF file/,
      FormatError,
    ],
    ["version 1", ({ bytes }) => put(bytes, 4, [1]), /version 1 at offset 4/, UnsupportedError],
    ["big-endian", ({ bytes }) => put(bytes, 4, [0, 0, 0, 3]), /little-endian/, UnsupportedError],
    ["an empty file", () => new Uint8Array(0), /ends in magic/, FormatError],
    [
      "a key twice",
      ({ bytes }) => overwrite(bytes, "general.kind", "general.type"),
      /"general\.type" twice/,
      FormatError,
    ],
    [
      "a tensor twice",
      ({ bytes }) => overwrite(bytes, "blk.0.attn_q.weight", "blk.0.attn_k.weight"),
      /tensor "blk\.0\.attn_k\.weight" twice/,
      FormatError,
    ],
    [
      "an unknown tensor type",
      (tiny) => set(tiny, "type of output_norm.weight", 23),
      /ggml type 23, supported are F32, /,
      UnsupportedError,
    ],
    [
      "an array of arrays",
      (tiny) => set(tiny, "element type of tokenizer.ggml.merges", 9),
      /array of arrays/,
      UnsupportedError,
    ],
    [
      "a crooked offset",
      (tiny) => set(tiny, "offset of output_norm.weight", 33),
      /not a multiple of the alignment 32/,
      FormatError,
    ],
    [
      "a boolean of 2",
      (tiny) => set(tiny, "tokenizer.ggml.add_bos_token", 2),
      /is 2, a boolean is 0 or 1/,
      FormatError,
    ],
    [
      "five dimensions",
      (tiny) => set(tiny, "dimension count of output_norm.weight", 5),
      /5 dimensions, allowed are 1 to 4/,
      LimitError,
    ],
  ];

type ErrorClass = typeof FormatError | typeof LimitError | typeof UnsupportedError;

for (const [label, damage, message, errorClass] of wrong)
  test(`${label} is refused`, async () => {
    const metadata = { "general.kind": { string: "x" }, "general.type": { string: "y" } };
    const tiny = makeTinyGguf({ metadata });
    await parseHeader(bytesSource("right.gguf", tiny.bytes));
    const bytes = damage(tiny);
    await assert.rejects(parseHeader(bytesSource("wrong.gguf", bytes)), (error) => {
      assert.ok(error instanceof errorClass, String(error));
      assert.match(error.message, message);
      return true;
    });
  });

test("a string that is not UTF-8 is a FormatError", async () => {
  const { bytes } = makeTinyGguf({ metadata: { "test.text": { string: "marked-text" } } });
  const at = Buffer.from(bytes).indexOf("marked-text");
  await assert.rejects(
    parseHeader(bytesSource("wrong.gguf", put(bytes, at + 3, [0xff]))),
    /"test\.text" at offset \d+ is not UTF-8/,
  );
});

test("an alignment that divides the offsets is used", async () => {
  const { metadata } = await headerWith({ "general.alignment": { uint32: 8 } });
  assert.equal(metadata.get("general.alignment"), 8);
});

for (const [alignment, errorClass] of [
  [0, FormatError],
  [24, FormatError],
  [2 ** 20, LimitError],
] as const)
  test(`an alignment of ${alignment} is refused`, () =>
    assert.rejects(headerWith({ "general.alignment": { uint32: alignment } }), errorClass));

async function checkAgainstLibrary(options: TinyOptions): Promise<void> {
  const { bytes } = makeTinyGguf(options);
  const ours = await parseHeader(bytesSource("tiny.gguf", bytes));
  const folder = await mkdtemp(join(tmpdir(), "pith-gguf-"));
  const path = join(folder, "tiny.gguf");
  await writeFile(path, bytes);
  const theirs = await gguf(path, { allowLocalFile: true });
  await rm(folder, { recursive: true });
  for (const [key, value] of ours.metadata) {
    const other = theirs.metadata[key as keyof typeof theirs.metadata];
    assert.deepEqual(value, typeof other === "bigint" ? Number(other) : other, key);
  }
  assert.equal(theirs.tensorInfos.length, ours.tensors.size);
  for (const { name, dtype, shape, offset } of theirs.tensorInfos) {
    const entry = ours.tensors.get(name);
    assert.equal(entry?.type, GGMLQuantizationType[dtype]);
    assert.deepEqual(entry?.dimensions, shape.map(Number));
    assert.equal(entry?.offset, Number(theirs.tensorDataOffset + offset));
  }
}

/** Types in turn, by the place of the matrix in the file. */
function typeByName(name: string): (typeof tensorTypes)[number] {
  const sum = [...name].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return tensorTypes[sum % tensorTypes.length] ?? "F32";
}

function headerWith(metadata: Record<string, TypedValue>) {
  return parseHeader(bytesSource("tiny.gguf", makeTinyGguf({ metadata }).bytes));
}

function put(bytes: Uint8Array, offset: number, values: ArrayLike<number>): Uint8Array {
  bytes.set(values, offset);
  return bytes;
}

/** Replaces the first `text` of the file by one of the same length. */
function overwrite(bytes: Uint8Array, text: string, replacement: string): Uint8Array {
  return put(bytes, Buffer.from(bytes).indexOf(text), Buffer.from(replacement));
}

/** Sets the field of that label, little-endian. */
function set({ bytes, fields }: WrittenGguf, label: string, value: number): Uint8Array {
  const field = fields.find((each) => each.label === label);
  assert.ok(field !== undefined, `no field ${label}`);
  const written = Buffer.alloc(field.byteLength);
  written.writeUInt8(value);
  return put(bytes, field.offset, written);
}
