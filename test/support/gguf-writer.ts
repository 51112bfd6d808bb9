// Writes GGUF version 3 as bytes, and remembers where each number of the header lies, so that the
// tests on hostile input can set any of them to any value.

import { blockLayouts, byteLengthOf, type TensorType } from "../../sidecar/gguf/tensor-type.ts";

/** A number in the header. */
export interface HeaderField {
  readonly label: string;
  readonly offset: number;
  readonly byteLength: 1 | 4 | 8;
}

export interface WrittenGguf {
  readonly bytes: Uint8Array;
  readonly fields: readonly HeaderField[];
  /** Where the tensor data starts. */
  readonly dataOffset: number;
}

/** A metadata value with its GGUF type, as gguf-py names them. */
export type TypedValue =
  | { readonly uint32: number }
  | { readonly uint64: bigint }
  | { readonly float32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly int32s: readonly number[] }
  /** Bytes under any type's number, as they are. */
  | { readonly type: number; readonly raw: Uint8Array };

export interface WrittenTensor {
  readonly name: string;
  readonly type: TensorType;
  /** ggml order: columns first. */
  readonly dimensions: readonly number[];
  readonly bytes: Uint8Array;
}

const ALIGNMENT = 32; // GGUF_DEFAULT_ALIGNMENT
export const valueTypes = {
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
};

export function writeGguf(
  metadata: ReadonlyMap<string, TypedValue>,
  tensors: readonly WrittenTensor[],
): WrittenGguf {
  const writer = createWriter();
  writer.raw(Buffer.from("GGUF"));
  writer.number(4, 3, "version");
  writer.number(8, tensors.length, "tensor count");
  writer.number(8, metadata.size, "metadata count");
  for (const [key, value] of metadata) writeEntry(writer, key, value);
  let dataLength = 0;
  for (const tensor of tensors) {
    checkByteLength(tensor);
    writeTensorEntry(writer, tensor, dataLength);
    dataLength += aligned(tensor.bytes.byteLength);
  }
  const dataOffset = aligned(writer.byteLength());
  const bytes = new Uint8Array(dataOffset + dataLength);
  bytes.set(writer.bytes());
  let offset = dataOffset;
  for (const tensor of tensors) {
    bytes.set(tensor.bytes, offset);
    offset += aligned(tensor.bytes.byteLength);
  }
  return { bytes, fields: writer.fields, dataOffset };
}

function writeEntry(writer: Writer, key: string, value: TypedValue): void {
  writer.string(key, `key ${key}`);
  const type = (code: number) => writer.number(4, code, `type of ${key}`);
  if ("uint32" in value) {
    type(valueTypes.uint32);
    writer.number(4, value.uint32, key);
  } else if ("uint64" in value) {
    type(valueTypes.uint64);
    writer.number(8, value.uint64, key);
  } else if ("float32" in value) {
    type(valueTypes.float32);
    writer.raw(new Uint8Array(Float32Array.of(value.float32).buffer), key);
  } else if ("bool" in value) {
    type(valueTypes.bool);
    writer.number(1, value.bool ? 1 : 0, key);
  } else if ("string" in value) {
    type(valueTypes.string);
    writer.string(value.string, key);
  } else if ("strings" in value) {
    type(valueTypes.array);
    writer.number(4, valueTypes.string, `element type of ${key}`);
    writer.number(8, value.strings.length, `length of ${key}`);
    for (const [index, text] of value.strings.entries()) writer.string(text, `${key}[${index}]`);
  } else if ("raw" in value) {
    type(value.type);
    writer.raw(value.raw);
  } else {
    type(valueTypes.array);
    writer.number(4, valueTypes.int32, `element type of ${key}`);
    writer.number(8, value.int32s.length, `length of ${key}`);
    for (const [index, each] of value.int32s.entries()) writer.number(4, each, `${key}[${index}]`);
  }
}

function writeTensorEntry(writer: Writer, tensor: WrittenTensor, offset: number): void {
  writer.string(tensor.name, `tensor name ${tensor.name}`);
  writer.number(4, tensor.dimensions.length, `dimension count of ${tensor.name}`);
  for (const dimension of tensor.dimensions)
    writer.number(8, dimension, `dimension of ${tensor.name}`);
  writer.number(4, blockLayouts[tensor.type].code, `type of ${tensor.name}`);
  writer.number(8, offset, `offset of ${tensor.name}`);
}

function checkByteLength({ name, type, dimensions, bytes }: WrittenTensor): void {
  const expected = byteLengthOf(
    type,
    dimensions.reduce((product, each) => product * each, 1),
  );
  if (bytes.byteLength !== expected)
    throw new Error(`tiny gguf: ${name} has ${bytes.byteLength} bytes, expected ${expected}`);
}

/** An array as raw bytes: the type of its elements, how many it claims, and their bytes. */
export function rawArray(
  elementType: number,
  length: number | bigint,
  elements: Uint8Array,
): TypedValue {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(elementType);
  head.writeBigUInt64LE(BigInt(length), 4);
  return { type: valueTypes.array, raw: Buffer.concat([head, elements]) };
}

type Writer = ReturnType<typeof createWriter>;

function createWriter() {
  const parts: Uint8Array[] = [];
  const fields: HeaderField[] = [];
  let length = 0;
  const raw = (bytes: Uint8Array, label?: string) => {
    if (label !== undefined)
      fields.push({ label, offset: length, byteLength: bytes.byteLength as 1 | 4 | 8 });
    parts.push(bytes);
    length += bytes.byteLength;
  };
  const number = (byteLength: 1 | 4 | 8, value: number | bigint, label: string) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
    raw(bytes.subarray(0, byteLength), label);
  };
  const string = (text: string, label: string) => {
    const bytes = Buffer.from(text, "utf8");
    number(8, bytes.byteLength, `byte length of ${label}`);
    raw(bytes);
  };
  return {
    fields,
    raw,
    number,
    string,
    byteLength: () => length,
    bytes: () => Buffer.concat(parts, length),
  };
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
