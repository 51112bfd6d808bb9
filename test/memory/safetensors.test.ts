import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError, LimitError, UnsupportedError } from "../../sidecar/errors.ts";
import { parseSafetensors } from "../../sidecar/memory/safetensors.ts";
import { joinFile, type WrittenSafetensor, writeSafetensors } from "../support/random-adapter.ts";

/** 1, -2, 0.5 in every type. */
const samples: WrittenSafetensor[] = [
  {
    ...{ name: "wide", type: "F32", shape: [3] },
    bytes: new Uint8Array(Float32Array.of(1, -2, 0.5).buffer),
  },
  {
    ...{ name: "half", type: "F16", shape: [1, 3] },
    bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800).buffer),
  },
  {
    ...{ name: "brain", type: "BF16", shape: [3, 1] },
    bytes: new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x3f00).buffer),
  },
];

test("values of every type, shapes and metadata are read", () => {
  const bytes = writeSafetensors(samples, { arm: "uni" });
  // A file may lie anywhere in its buffer.
  const shifted = new Uint8Array(bytes.byteLength + 3);
  shifted.set(bytes, 3);
  const { metadata, tensors } = parseSafetensors("a", shifted.subarray(3));
  assert.deepEqual([...metadata], [["arm", "uni"]]);
  for (const { name, shape } of samples)
    assert.deepEqual(tensors.get(name), { shape, values: Float32Array.of(1, -2, 0.5) });
});

test("a file without metadata and without tensors is one", () => {
  const { metadata, tensors } = parseSafetensors("a", joinFile("{}"));
  assert.deepEqual([metadata.size, tensors.size], [0, 0]);
});

const place = (offsets: unknown, shape: unknown = [1], dtype: unknown = "F32") =>
  JSON.stringify({ t: { dtype, shape, data_offsets: offsets } });
const four = new Uint8Array(4);
const giant = Buffer.alloc(16);
giant.writeBigUInt64LE(2n ** 63n);

const hostile: [label: string, bytes: Uint8Array, error: Error][] = [
  ["nothing", new Uint8Array(), new FormatError("a: file of 0 bytes ends in the header's length")],
  [
    "a giant header",
    giant,
    new LimitError("a: header of 9223372036854775808 bytes exceeds 1048576"),
  ],
  [
    "a cut header",
    joinFile("{}").subarray(0, 9),
    new FormatError("a: file of 9 bytes ends in the header, which takes 2 bytes at 8"),
  ],
  ["no JSON", joinFile("{"), new FormatError("a: header is not JSON")],
  ["a list", joinFile("[]"), new FormatError("a: header is not a JSON object")],
  [
    "no UTF-8",
    Buffer.concat([joinFile("  ").subarray(0, 8), Buffer.of(0xc3, 0x28)]),
    new FormatError("a: header is not UTF-8"),
  ],
  [
    "metadata that is no string",
    joinFile('{"__metadata__": {"a": 1}}'),
    new FormatError('a: __metadata__ "a" is not a string'),
  ],
  [
    "metadata that is a list",
    joinFile('{"__metadata__": []}'),
    new FormatError("a: __metadata__ is not a JSON object"),
  ],
  [
    "an entry of null",
    joinFile('{"t": null}'),
    new FormatError('a: tensor "t" is not a JSON object'),
  ],
  ["no dtype", joinFile('{"t": {}}'), new FormatError('a: tensor "t" has no dtype')],
  [
    "another dtype",
    joinFile(place([0, 4], [1], "I32"), four),
    new UnsupportedError('a: tensor "t" has values of "I32", only F32, F16, BF16 are read'),
  ],
  [
    "a dtype of the prototype",
    joinFile(place([0, 4], [1], "toString"), four),
    new UnsupportedError('a: tensor "t" has values of "toString", only F32, F16, BF16 are read'),
  ],
  [
    "a negative shape",
    joinFile(place([0, 4], [-1]), four),
    new FormatError('a: tensor "t" has a shape that is no list of counts'),
  ],
  [
    "a giant shape",
    joinFile(place([0, 4], [2 ** 40, 2 ** 40]), four),
    new FormatError('a: tensor "t" has 4 bytes, its shape takes 4.835703278458517e+24'),
  ],
  [
    "one offset",
    joinFile(place([0]), four),
    new FormatError('a: tensor "t" has data_offsets that are no pair of counts'),
  ],
  [
    "offsets that run back",
    joinFile(place([4, 0]), four),
    new FormatError('a: tensor "t" has -4 bytes, its shape takes 4'),
  ],
  [
    "a gap before a tensor",
    joinFile(place([4, 8]), four, four),
    new FormatError('a: tensor "t" begins at 4, not behind the last at 0'),
  ],
  [
    "tensors that overlap",
    joinFile(
      JSON.stringify({
        t: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
        u: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
      }),
      four,
    ),
    new FormatError('a: tensor "u" begins at 0, not behind the last at 4'),
  ],
  [
    "cut data",
    joinFile(place([0, 4]), four.subarray(1)),
    new FormatError("a: tensors take 4 bytes, the file has 3"),
  ],
  [
    "more data than tensors",
    joinFile(place([0, 4]), four, four),
    new FormatError("a: tensors take 4 bytes, the file has 8"),
  ],
];

for (const [label, bytes, error] of hostile)
  test(`refused: ${label}`, () => assert.throws(() => parseSafetensors("a", bytes), error));

test("any damage is one of the three errors, or leaves a file that is whole", () => {
  const good = writeSafetensors(samples, { arm: "uni" });
  const edit = fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 4 }), fc.nat(good.byteLength), (edits, length) => {
      const bytes = good.slice(0, length);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      try {
        const { tensors } = parseSafetensors("a", bytes);
        const total = [...tensors.values()].reduce((sum, { values }) => sum + values.length, 0);
        assert.ok(total <= good.byteLength);
      } catch (error) {
        const kinds = [FormatError, LimitError, UnsupportedError];
        assert.ok(
          kinds.some((kind) => error instanceof kind),
          `${error}`,
        );
      }
    }),
    { numRuns: 2000 },
  );
});
