// A kept memory as bytes. Keys have 8 bits with a scale and an offset for each channel of a head, since
// some channels are large in all entries (the 0.5B has biases); values have 8 bits with those of each
// entry. Payload, in the machine's byte order, all layers of one part before the next part:
//
//   key scales, key offsets        f32 [layers, kvHeads, headDim]
//   value scales, value offsets    f32 [layers, kvHeads, entries]
//   tokens                         u16 [layers, kvHeads, entries]
//   key codes, value codes         u8  [layers, kvHeads, entries, headDim]
import type { CacheShape, ModelShape } from "../engine/engine-model.ts";
import { FormatError } from "../errors.ts";
import type { KeptLayer, KeptMemory } from "./kept.ts";
import { pieceTokens } from "./kept-encoder.ts";
import { checkFormat, type MemoryBytes, readCount } from "./memory-bytes.ts";

/** Says that header and payload are as this file lays them out; another layout has another name. */
const format = "kept, 8 bits, keys at 0";

export function encodeKept(memory: KeptMemory): MemoryBytes {
  const { shape, tokenCount, entryCount, position, pooled, layers } = memory;
  const payload = new Uint8Array(payloadLength(shape, entryCount));
  const parts = openParts(payload, shape, entryCount);
  for (const [index, { tokens, keys, values }] of layers.entries()) {
    const layer = layerOf(parts, index, shape.layerCount);
    layer.tokens.set(tokens);
    quantize(keys, layer.keys, keyGroups(shape, entryCount));
    quantize(values, layer.values, valueGroups(shape));
  }
  return { header: { format, tokenCount, entryCount, position }, payload, pooled };
}

/** @throws FormatError when it is not what `encodeKept` made of a memory of this model. */
export function decodeKept(stored: MemoryBytes, shape: ModelShape): KeptMemory {
  const { payload, pooled } = stored;
  const { tokenCount, entryCount, position } = readHeader(stored.header);
  const expected = payloadLength(shape, entryCount);
  if (payload.byteLength !== expected)
    throw new FormatError(`memory: a payload of ${payload.byteLength} bytes, not ${expected}`);
  if (pooled.length !== shape.hiddenSize)
    throw new FormatError(`memory: ${pooled.length} pooled values, not ${shape.hiddenSize}`);
  // A copy, because the bytes may begin anywhere in a buffer.
  const parts = openParts(payload.slice(), shape, entryCount);
  checkParts(parts, { tokenCount, entryCount });
  const layers = Array.from({ length: shape.layerCount }, (_, index): KeptLayer => {
    const { tokens, keys, values } = layerOf(parts, index, shape.layerCount);
    return {
      tokens,
      keys: dequantize(keys, keyGroups(shape, entryCount)),
      values: dequantize(values, valueGroups(shape)),
    };
  });
  return { shape, tokenCount, entryCount, position, pooled, layers };
}

interface Counts {
  readonly tokenCount: number;
  readonly entryCount: number;
}

function readHeader(header: MemoryBytes["header"]): Counts & { readonly position: number } {
  checkFormat(header, format);
  const tokenCount = readCount(header, "tokenCount", [1, pieceTokens]);
  const entryCount = readCount(header, "entryCount", [1, tokenCount]);
  const position = readCount(header, "position", [0, pieceTokens]);
  return { tokenCount, entryCount, position };
}

/** Rows in 8 bits: value = offset + scale * code, each scale with the codes of one group. */
interface Codes {
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
  readonly codes: Uint8Array;
}

interface Parts {
  readonly tokens: Uint16Array;
  readonly keys: Codes;
  readonly values: Codes;
}

function payloadLength(shape: CacheShape, entryCount: number): number {
  const { headDim } = shape;
  const parameters = 4 * 2 * (headDim + entryCount);
  return shape.layerCount * shape.kvHeadCount * (parameters + entryCount * (2 + 2 * headDim));
}

/** The parts of a payload that begins a buffer. */
function openParts({ buffer }: Uint8Array, shape: CacheShape, entryCount: number): Parts {
  const heads = shape.layerCount * shape.kvHeadCount;
  let offset = 0;
  const floats = (length: number) => {
    const part = new Float32Array(buffer, offset, length);
    offset += part.byteLength;
    return part;
  };
  const bytes = (length: number) => {
    const part = new Uint8Array(buffer, offset, length);
    offset += length;
    return part;
  };
  const keys = { scales: floats(heads * shape.headDim), offsets: floats(heads * shape.headDim) };
  const values = { scales: floats(heads * entryCount), offsets: floats(heads * entryCount) };
  const tokens = new Uint16Array(buffer, offset, heads * entryCount);
  offset += tokens.byteLength;
  const codeCount = heads * entryCount * shape.headDim;
  return {
    tokens,
    keys: { ...keys, codes: bytes(codeCount) },
    values: { ...values, codes: bytes(codeCount) },
  };
}

/** Views of one layer. */
function layerOf({ tokens, keys, values }: Parts, index: number, layerCount: number): Parts {
  const part = <Part extends Float32Array | Uint16Array | Uint8Array>(whole: Part): Part => {
    const size = whole.length / layerCount;
    return whole.subarray(index * size, (index + 1) * size) as Part;
  };
  const codesOf = ({ scales, offsets, codes }: Codes): Codes => ({
    scales: part(scales),
    offsets: part(offsets),
    codes: part(codes),
  });
  return { tokens: part(tokens), keys: codesOf(keys), values: codesOf(values) };
}

function checkParts({ tokens, keys, values }: Parts, { tokenCount, entryCount }: Counts): void {
  for (let head = 0; head < tokens.length; head += entryCount) {
    const ofHead = tokens.subarray(head, head + entryCount);
    if (new Set(ofHead).size < entryCount || ofHead.some((token) => token >= tokenCount))
      throw new FormatError(`memory: entries of tokens ${ofHead}, of ${tokenCount} tokens`);
  }
  for (const { scales, offsets } of [keys, values])
    if (![scales, offsets].every((each) => each.every(Number.isFinite)))
      throw new FormatError("memory: a scale or an offset that is no number");
}

/** The group of the value at an index of [kvHeads, entries, headDim]. */
type GroupOf = (index: number) => number;

function keyGroups({ headDim }: CacheShape, entryCount: number): GroupOf {
  const headSize = entryCount * headDim;
  return (index) => Math.floor(index / headSize) * headDim + (index % headDim);
}

function valueGroups({ headDim }: CacheShape): GroupOf {
  return (index) => Math.floor(index / headDim);
}

function quantize(rows: Float32Array, { scales, offsets, codes }: Codes, groupOf: GroupOf): void {
  const highest = new Float32Array(scales.length).fill(Number.NEGATIVE_INFINITY);
  offsets.fill(Number.POSITIVE_INFINITY);
  for (let index = 0; index < rows.length; index++) {
    const group = groupOf(index);
    highest[group] = Math.max(highest[group]!, rows[index]!);
    offsets[group] = Math.min(offsets[group]!, rows[index]!);
  }
  for (const [group, value] of highest.entries()) scales[group] = (value - offsets[group]!) / 255;
  for (let index = 0; index < rows.length; index++) {
    const group = groupOf(index);
    // Equal values have a scale of 0.
    codes[index] = Math.round((rows[index]! - offsets[group]!) / (scales[group]! || 1));
  }
}

function dequantize({ scales, offsets, codes }: Codes, groupOf: GroupOf): Float32Array {
  const rows = new Float32Array(codes.length);
  for (let index = 0; index < codes.length; index++) {
    const group = groupOf(index);
    rows[index] = offsets[group]! + scales[group]! * codes[index]!;
  }
  return rows;
}
