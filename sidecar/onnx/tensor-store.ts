// Initialisers of one or more graphs: small ones are kept for the model file, the rest goes to one
// external file through a sink, piece by piece, so that no tensor has to be in memory whole.

/** A file that takes bytes at any position. */
export interface ByteSink {
  write(bytes: Uint8Array, position: number): Promise<void>;
}

/** Names of `TensorProto.DataType` in onnx.proto with their numbers and bytes an element. */
export const dataTypes = {
  float32: { code: 1, byteLength: 4 },
  uint8: { code: 2, byteLength: 1 },
  int32: { code: 6, byteLength: 4 },
  int64: { code: 7, byteLength: 8 },
} as const;

export type DataType = keyof typeof dataTypes;

/** An initialiser that any number of graphs can name. */
export interface StoredTensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly dimensions: readonly number[];
  readonly content: Uint8Array | ExternalContent;
}

/** Where the bytes lie: external_data of onnx.proto. */
export interface ExternalContent {
  /** Relative to the model file. */
  readonly file: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** A tensor whose bytes are still to come. */
export interface TensorRegion {
  readonly tensor: StoredTensor;
  /** Puts `bytes` at `byteOffset` of the tensor. */
  write(bytes: Uint8Array, byteOffset: number): Promise<void>;
}

/** Smaller tensors stay in the model file, where they cost no page of their own. */
const EXTERNAL_BYTES = 1024;

/** onnxruntime maps external data where offsets are multiples of the page. */
const PAGE_BYTES = 4096;

export class TensorStore {
  readonly #file: string;
  readonly #sink: ByteSink;
  #byteLength = 0;

  /** `file` is the external file's name as the graphs give it, `sink` writes that file. */
  constructor(file: string, sink: ByteSink) {
    this.#file = file;
    this.#sink = sink;
  }

  /** Length of the external file so far. */
  get byteLength(): number {
    return this.#byteLength;
  }

  async add(
    name: string,
    dataType: DataType,
    dimensions: readonly number[],
    values: Float32Array | Uint8Array | Int32Array | BigInt64Array,
  ): Promise<StoredTensor> {
    const region = this.reserve(name, dataType, dimensions);
    await region.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 0);
    return region.tensor;
  }

  reserve(name: string, dataType: DataType, dimensions: readonly number[]): TensorRegion {
    const elementCount = dimensions.reduce((product, each) => product * each, 1);
    const byteLength = elementCount * dataTypes[dataType].byteLength;
    if (byteLength < EXTERNAL_BYTES) return inlineRegion(name, dataType, dimensions, byteLength);
    const offset = Math.ceil(this.#byteLength / PAGE_BYTES) * PAGE_BYTES;
    this.#byteLength = offset + byteLength;
    const content = { file: this.#file, offset, byteLength };
    return {
      tensor: { name, dataType, dimensions, content },
      write: (bytes, byteOffset) => this.#sink.write(bytes, offset + byteOffset),
    };
  }
}

function inlineRegion(
  name: string,
  dataType: DataType,
  dimensions: readonly number[],
  byteLength: number,
): TensorRegion {
  const content = new Uint8Array(byteLength);
  return {
    tensor: { name, dataType, dimensions, content },
    write: async (bytes, byteOffset) => content.set(bytes, byteOffset),
  };
}
