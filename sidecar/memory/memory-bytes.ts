// A memory of either form as bytes, for whoever keeps it on a disk.
import { FormatError } from "../errors.ts";

/** The header is JSON. What the memory is like, `pooled`, is kept beside it, not in the payload. */
export interface MemoryBytes {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
  /** [hidden] */
  readonly pooled: Float32Array;
}

/** @throws FormatError unless the header says that the bytes are laid out as `format` means. */
export function checkFormat({ format }: MemoryBytes["header"], expected: string): void {
  if (format !== expected) throw new FormatError(`memory: format ${format}, expected ${expected}`);
}

/** @throws FormatError unless it is a count from `least` to `most`. */
export function readCount(
  header: MemoryBytes["header"],
  name: string,
  [least, most]: readonly [least: number, most: number],
): number {
  const value = header[name];
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw new FormatError(`memory: ${name} of ${value}, not of ${least} to ${most}`);
  return value;
}
