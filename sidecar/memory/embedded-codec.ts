// An embedded memory as bytes: its states as they are, f32 [rows, hidden], in the machine's byte order.
import { FormatError } from "../errors.ts";
import type { Adapter } from "./adapter.ts";
import { type EmbeddedMemory, embeddedPieceTokens } from "./embedded-encoder.ts";
import { checkFormat, type MemoryBytes, readCount } from "./memory-bytes.ts";

const format = "embedded, states of 32 bits";

/** `pooled` [hidden] is the mean of its virtual tokens. */
export function encodeEmbedded(
  { tokenCount, states }: EmbeddedMemory,
  pooled: Float32Array,
): MemoryBytes {
  const { buffer, byteOffset, byteLength } = states;
  const payload = new Uint8Array(buffer, byteOffset, byteLength);
  return { header: { format, tokenCount }, payload, pooled };
}

/** @throws FormatError when it is not what `encodeEmbedded` made of a memory by this adapter. */
export function decodeEmbedded(
  { header, payload }: MemoryBytes,
  { slot, hiddenSize }: Pick<Adapter, "slot" | "hiddenSize">,
): EmbeddedMemory {
  checkFormat(header, format);
  const tokenCount = readCount(header, "tokenCount", [1, embeddedPieceTokens]);
  const rows = payload.byteLength / (4 * hiddenSize);
  const isWhole = slot === null ? rows === tokenCount : rows >= 1 && rows <= tokenCount;
  if (!isWhole || !Number.isInteger(rows))
    throw new FormatError(
      `memory: a payload of ${payload.byteLength} bytes for ${tokenCount} tokens of ${hiddenSize}`,
    );
  // A copy, because the bytes may begin anywhere in a buffer.
  const states = new Float32Array(payload.slice().buffer);
  if (!states.every(Number.isFinite)) throw new FormatError("memory: a state that is no number");
  return { tokenCount, states };
}
