// Bytes of a safetensors file -> its tensors by name. In: the whole file. Out: float32 values.
//
//   header length   u64, little endian
//   header          JSON: {"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {..}}
//   data            tensors without gaps, little endian, row-major
//
// Everything that the header says is checked against the file before a value is read.
import { isUtf8 } from "node:buffer";
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import { quoted } from "../gguf/cursor.ts";
import { halfValues } from "../gguf/half.ts";

export interface SafetensorsFile {
  /** `__metadata__`, empty where there is none. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** Hundreds of tensors take some tens of KB. */
const maxHeaderBytes = 2 ** 20;
const lengthBytes = 8;

/** Bytes of a value, and its reader; the view is little endian. */
const types: Readonly<
  Record<string, [size: number, read: (view: DataView, at: number) => number]>
> = {
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => halfValues[view.getUint16(at, true)] ?? Number.NaN],
  BF16: [2, readBrainFloat],
};

/**
 * @param name for messages
 * @throws FormatError when the header does not fit the file; LimitError for one that is too long;
 * UnsupportedError for a type of values that is not read here.
 */
export function parseSafetensors(name: string, bytes: Uint8Array): SafetensorsFile {
  const { header, data } = splitFile(name, bytes);
  const { __metadata__: metadata = {}, ...entries } = header;
  const places = Object.entries(entries).map(([tensor, entry]) =>
    readPlace(`${name}: tensor ${quoted(tensor)}`, tensor, entry),
  );
  checkCover(name, places, data.byteLength);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    metadata: readMetadata(name, metadata),
    tensors: new Map(places.map((place) => [place.name, readTensor(place, view)])),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

interface Place {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** Within the data. */
  readonly begin: number;
  readonly end: number;
}

function splitFile(name: string, bytes: Uint8Array): { header: JsonObject; data: Uint8Array } {
  const fileEnds = `${name}: file of ${bytes.byteLength} bytes ends in`;
  if (bytes.byteLength < lengthBytes) throw new FormatError(`${fileEnds} the header's length`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > maxHeaderBytes)
    throw new LimitError(`${name}: header of ${length} bytes exceeds ${maxHeaderBytes}`);
  const end = lengthBytes + Number(length);
  if (end > bytes.byteLength)
    throw new FormatError(`${fileEnds} the header, which takes ${length} bytes at ${lengthBytes}`);
  const header = parseHeader(name, bytes.subarray(lengthBytes, end));
  return { header, data: bytes.subarray(end) };
}

function parseHeader(name: string, bytes: Uint8Array): JsonObject {
  if (!isUtf8(bytes)) throw new FormatError(`${name}: header is not UTF-8`);
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new FormatError(`${name}: header is not JSON`, { cause });
  }
  if (!isObject(header)) throw new FormatError(`${name}: header is not a JSON object`);
  return header;
}

function readMetadata(name: string, metadata: unknown): Map<string, string> {
  if (!isObject(metadata)) throw new FormatError(`${name}: __metadata__ is not a JSON object`);
  return new Map(
    Object.entries(metadata).map(([key, value]) => {
      if (typeof value !== "string")
        throw new FormatError(`${name}: __metadata__ ${quoted(key)} is not a string`);
      return [key, value];
    }),
  );
}

function readPlace(label: string, name: string, entry: unknown): Place {
  if (!isObject(entry)) throw new FormatError(`${label} is not a JSON object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string") throw new FormatError(`${label} has no dtype`);
  const type = Object.hasOwn(types, dtype) ? types[dtype] : undefined;
  if (type === undefined)
    throw new UnsupportedError(
      `${label} has values of ${quoted(dtype)}, only ${Object.keys(types).join(", ")} are read`,
    );
  if (!isCounts(shape)) throw new FormatError(`${label} has a shape that is no list of counts`);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw new FormatError(`${label} has data_offsets that are no pair of counts`);
  const [begin = 0, end = 0] = offsets;
  const expected = shape.reduce((product, each) => product * each, type[0]);
  if (end - begin !== expected)
    throw new FormatError(`${label} has ${end - begin} bytes, its shape takes ${expected}`);
  return { name, label, type: dtype, shape, begin, end };
}

/** Tensors lie one behind the other and are all there is. */
function checkCover(name: string, places: readonly Place[], byteLength: number): void {
  let end = 0;
  for (const place of places.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (place.begin !== end)
      throw new FormatError(
        `${place.label} begins at ${place.begin}, not behind the last at ${end}`,
      );
    end = place.end;
  }
  if (end !== byteLength)
    throw new FormatError(`${name}: tensors take ${end} bytes, the file has ${byteLength}`);
}

function readTensor({ type, shape, begin, end }: Place, view: DataView): Tensor {
  const [size, read] = types[type] ?? [1, () => Number.NaN];
  const values = new Float32Array((end - begin) / size);
  for (let index = 0; index < values.length; index++)
    values[index] = read(view, begin + index * size);
  return { shape, values };
}

const wide = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function readBrainFloat(view: DataView, at: number): number {
  wide.setUint32(0, view.getUint16(at, true) * 2 ** 16);
  return wide.getFloat32(0);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
