// What makes two memories the same: all that went into computing them. No ratio is part of it, since
// every smaller memory is made of the stored one.
import { createHash } from "node:crypto";

export interface MemoryParts {
  /** Of the weights: the SHA-256 of the model's file, and how they are prepared. */
  readonly model: string;
  /** Form and its version: adapter, sink, marker, piece rule. */
  readonly form: string;
  /** The line with the path in front of the text, as it was encoded. */
  readonly pathHeader: string;
  readonly text: string;
}

export interface MemoryId {
  /** SHA-256 in hexadecimal digits. */
  readonly key: string;
  /** Pooled vectors can be compared within one model and form: the first 8 bytes of their SHA-256. */
  readonly space: string;
}

export function memoryId({ model, form, pathHeader, text }: MemoryParts): MemoryId {
  return { key: hashOf([model, form, pathHeader, text]), space: spaceOf({ model, form }) };
}

/** The space that memories of a model and form share. */
export function spaceOf({ model, form }: Pick<MemoryParts, "model" | "form">): string {
  return hashOf([model, form]).slice(0, 16);
}

/** Lengths go in, too: no part may borrow from its neighbour. */
function hashOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
}
