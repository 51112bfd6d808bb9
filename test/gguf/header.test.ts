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
import { rawArray, type TypedValue, type WrittenGguf, writeGguf } from "../support/gguf-writer.ts";
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
  const [read, kept] = [await parseHeader(source), await parseHeader(bytesSource("", bytes))];
  assert.deepEqual(read.tensors, kept.tensors);
  assert.deepEqual([...read.metadata.keys()], [...kept.metadata.keys()]);
  for (const key of kept.metadata.keys())
    assert.deepEqual(read.metadata.get(key), kept.metadata.get(key), key);
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
  const { metadata } = await read(2n ** 53n);
  assert.throws(() => metadata.get("test.number"), LimitError);
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
      "a crooked offset",
      (tiny) => set(tiny, "offset of output_norm.weight", 33),
      /not a multiple of the alignment 32/,
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
    const tiny = makeTinyGguf();
    await parseHeader(bytesSource("right.gguf", tiny.bytes));
    const bytes = damage(tiny);
    await assert.rejects(parseHeader(bytesSource("wrong.gguf", bytes)), (error) => {
      assert.ok(error instanceof errorClass, String(error));
      assert.match(error.message, message);
      return true;
    });
  });

const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);
/** A string of so many bytes that are no UTF-8. */
const badString = (byteLength: number) => {
  const bytes = Buffer.alloc(8 + byteLength, 0xff);
  bytes.writeBigUInt64LE(BigInt(byteLength));
  return bytes;
};

/** Values that Pith cannot or will not read, and what is said where one is asked for all the same. */
const unreadable: readonly (readonly [string, TypedValue, RegExp, ErrorClass])[] = [
  ["a 64-bit number", { uint64: 2n ** 64n - 1n }, /18446744073709551615 at offset \d+/, LimitError],
  [
    "a negative 64-bit number",
    { type: 11, raw: bytesOf(0, 0, 0, 0, 0, 0, 0, 0x80) },
    /-9223372036854775808 at offset/,
    LimitError,
  ],
  ["a boolean of 2", { type: 7, raw: bytesOf(2) }, /is 2, a boolean is 0 or 1/, FormatError],
  ["no UTF-8", { type: 8, raw: badString(3) }, /at offset \d+ is not UTF-8/, FormatError],
  ["a long string", { type: 8, raw: badString(2 ** 20 + 1) }, /1048577 .* 1048576/, LimitError],
  ["strings that are no UTF-8", rawArray(8, 1, badString(5)), /is not UTF-8/, FormatError],
  [
    "64-bit numbers",
    rawArray(10, 2, Buffer.alloc(16, 0xff)),
    /18446744073709551615 at/,
    LimitError,
  ],
  ["booleans of 3", rawArray(7, 4, Buffer.alloc(4, 3)), /is 3, a boolean/, FormatError],
  [
    "arrays of arrays",
    rawArray(9, 2, Buffer.concat([arrayBytes(4, 1, 4), arrayBytes(9, 1, 0), arrayBytes(8, 0, 0)])),
    /is an array of arrays; arrays hold plain values/,
    UnsupportedError,
  ],
];

for (const [label, value, message, errorClass] of unreadable)
  test(`${label}: refused where it is read, and harmless where it is not`, async () => {
    const metadata = { "test.value": value, "test.behind": { uint32: 7 } };
    const header = await headerWith(metadata);
    assert.equal(header.metadata.get("test.behind"), 7);
    assert.ok(header.tensors.size > 0);
    for (const _ of [1, 2])
      assert.throws(
        () => header.metadata.get("test.value"),
        (error) => {
          assert.ok(error instanceof errorClass, String(error));
          assert.match(error.message, message);
          return true;
        },
      );
  });

test("values that are not finite, and keys that are no text, do no harm", async () => {
  const { bytes } = makeTinyGguf({
    metadata: { "test.nan": { float32: Number.NaN }, "marked-key": { uint32: 1 } },
  });
  const damaged = put(bytes, Buffer.from(bytes).indexOf("marked-key") + 3, [0xff]);
  const { metadata } = await parseHeader(bytesSource("odd.gguf", damaged));
  assert.ok(Number.isNaN(metadata.get("test.nan")));
});

test("a key twice is refused where it is read, and harmless where it is not", async () => {
  const metadata = { "general.kind": { string: "x" }, "general.type": { string: "y" } };
  const bytes = overwrite(makeTinyGguf({ metadata }).bytes, "general.kind", "general.type");
  const header = await parseHeader(bytesSource("wrong.gguf", bytes));
  assert.equal(header.metadata.get("general.architecture"), "llama");
  assert.throws(
    () => header.metadata.get("general.type"),
    /^FormatError: wrong\.gguf: metadata key "general\.type" twice, with values at offsets \d+ and \d+/,
  );
});

test("a value of an unknown type has no end that could be known", () =>
  assert.rejects(
    headerWith({ "test.value": { type: 13, raw: bytesOf(0) } }),
    /^FormatError: tiny\.gguf: type 13 of metadata "test\.value" at offset \d+, known are 0 to 12/,
  ));

test("a file without tensors is no model", () => {
  const { bytes } = writeGguf(new Map([["general.architecture", { string: "llama" }]]), []);
  return assert.rejects(
    parseHeader(bytesSource("vocabulary.gguf", bytes)),
    /^FormatError: vocabulary\.gguf: holds no tensors/,
  );
});

test("a file that was cut says how many bytes it lacks", () => {
  const { bytes, dataOffset } = makeTinyGguf();
  return assert.rejects(
    parseHeader(bytesSource("cut.gguf", bytes.subarray(0, dataOffset + 100))),
    new RegExp(
      `^FormatError: cut\\.gguf: file of ${dataOffset + 100} bytes lacks ${bytes.length - dataOffset - 100} bytes: tensor`,
    ),
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
  for (const key of ours.metadata.keys()) {
    const value = ours.metadata.get(key);
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

/** A nested array of zeros. */
function arrayBytes(elementType: number, length: number, byteLength: number): Uint8Array {
  const value = rawArray(elementType, length, new Uint8Array(byteLength));
  return "raw" in value ? value.raw : assert.fail();
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
