// The error classes that cross part borders. Anything else that is thrown is a bug.
// Messages read `subject: what, with the value and the bound`, lower case, no final dot.

export type ErrorKind = "format" | "unsupported" | "limit" | "cancelled" | "internal";

/** Bytes are not what their format says; the message names the file or field and the offset. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** Well formed, but not implemented here; the message lists what is supported. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

/** Over a stated limit; the message gives the value and the limit. */
export class LimitError extends Error {
  override readonly name = "LimitError";
}

/** The caller's `AbortSignal` fired. Never shown to the user. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

/** @throws CancelledError when `signal` has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError("cancelled by the caller");
}

/** The kind under which an error is reported in the JSON-lines contract and over LSP. */
export function errorKind(error: unknown): ErrorKind {
  if (error instanceof FormatError) return "format";
  if (error instanceof UnsupportedError) return "unsupported";
  if (error instanceof LimitError) return "limit";
  if (error instanceof CancelledError) return "cancelled";
  return "internal";
}
