// The header of a GGUF file: magic, version, metadata, tensor table. In: a ByteSource. Out: plain
// records whose every length, count and offset fits the file; values of the metadata are read when
// they are asked for, the bytes of tensors are not read.
//
// Our own parser, for hostile files: @huggingface/gguf reads past the end of a short file as zeros
// and spends 22 s of processor time and 1.5 GB on a crafted one of 48 MB (version 0.4.6). The tests
// compare the two on honest files.
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import {
  type Cursor,
  createCursor,
  PrefixEnds,
  printable,
  readCount,
  readUint32,
  takeBytes,
} from "./cursor.ts";
import { type Metadata, readMetadata } from "./metadata.ts";
import { readTensorTable, type TensorEntry } from "./tensor-table.ts";

export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const limits = {
  /** The 0.5B's header takes 6 MB and a vocabulary of 262,144 tokens about 15 MB. */
  headerBytes: 64 * 2 ** 20,
  /** Real files hold under 100 entries. */
  metadataCount: 65536,
  /** The largest published models hold about 3,000. */
  tensorCount: 65536,
  /** The default is 32; more than a few pages is not an alignment. */
  alignment: 65536,
};

const FIRST_READ = 8 * 2 ** 20;

/**
 * Reads only the header, in prefixes of doubling size, so that a header costs at most twice its
 * length in time and once in memory.
 * @throws FormatError when a field is wrong or the file ends in it; LimitError when a value is over
 *   a limit above; UnsupportedError for other versions, byte orders and tensor types.
 */
export async function parseHeader(source: ByteSource): Promise<GgufHeader> {
  for (let length = FIRST_READ; ; length *= 2) {
    const prefix = await source.read(0, Math.min(length, source.byteLength));
    const cursor = createCursor(source, prefix);
    try {
      return readHeader(cursor);
    } catch (error) {
      // The only error that is not the file's: a longer prefix may hold the rest of the header.
      if (!(error instanceof PrefixEnds)) throw error;
      if (length >= limits.headerBytes)
        throw new LimitError(
          `${source.name}: header at offset ${cursor.offset} exceeds ${limits.headerBytes} bytes`,
        );
    }
  }
}

function readHeader(cursor: Cursor): GgufHeader {
  readMagicAndVersion(cursor);
  const tensorCount = readCount(cursor, "tensor count", limits.tensorCount);
  const metadataCount = readCount(cursor, "metadata count", limits.metadataCount);
  const metadata = readMetadata(cursor, metadataCount);
  if (tensorCount === 0)
    throw new FormatError(
      `${cursor.name}: holds no tensors: it is no model, or a vocabulary alone`,
    );
  const tensors = readTensorTable(cursor, tensorCount, alignmentOf(cursor, metadata));
  return { metadata, tensors };
}

function readMagicAndVersion(cursor: Cursor): void {
  const magic = cursor.bytes.toString("latin1", 0, takeBytes(cursor, 4, "magic") + 4);
  if (magic !== "GGUF")
    throw new FormatError(`${cursor.name}: not a GGUF file, it starts with "${printable(magic)}"`);
  const version = readUint32(cursor, "version");
  // A big-endian file has its version in the upper bytes.
  if (version !== 2 && version !== 3)
    throw new UnsupportedError(
      `${cursor.name}: GGUF version ${version} at offset 4, supported are 2 and 3, little-endian`,
    );
}

function alignmentOf(cursor: Cursor, metadata: Metadata): number {
  const alignment = metadata.get("general.alignment") ?? 32; // GGUF_DEFAULT_ALIGNMENT
  const isPowerOfTwo = typeof alignment === "number" && Number.isInteger(Math.log2(alignment));
  if (!isPowerOfTwo || alignment < 1)
    throw new FormatError(`${cursor.name}: general.alignment ${alignment} is not a power of two`);
  if (alignment > limits.alignment)
    throw new LimitError(
      `${cursor.name}: general.alignment ${alignment} exceeds ${limits.alignment}`,
    );
  return alignment;
}
