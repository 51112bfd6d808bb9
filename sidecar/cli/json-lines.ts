// Bytes -> lines of text, one JSON object each, in bounded memory: a line that is too long is read
// past and reported in its place.
import { FormatError, LimitError } from "../errors.ts";

/** Bytes of a line. A request holds a few files at most; a line of this length is none. */
const greatestLineLength = 16 * 1024 * 1024;

/** A line with its number from 1, or what is wrong with it. Blank lines are left out. */
export type InputLine =
  | { readonly line: number; readonly text: string }
  | { readonly line: number; readonly error: FormatError | LimitError };

export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  limit = greatestLineLength,
): AsyncGenerator<InputLine> {
  const open = new OpenLine(limit);
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      open.append(chunk.subarray(start, end));
      yield* open.take();
      start = end + 1;
    }
    open.append(chunk.subarray(start));
  }
  yield* open.take();
}

/** The line that is being read. */
class OpenLine {
  readonly #limit: number;
  #parts: Uint8Array[] = [];
  #byteLength = 0;
  #number = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  append(bytes: Uint8Array): void {
    this.#byteLength += bytes.byteLength;
    if (this.#byteLength > this.#limit) this.#parts = [];
    else if (bytes.byteLength > 0) this.#parts.push(bytes);
  }

  /** The line as it is now, none if it is blank; the next one begins. */
  take(): InputLine[] {
    const line = ++this.#number;
    const byteLength = this.#byteLength;
    const parts = this.#parts;
    this.#parts = [];
    this.#byteLength = 0;
    if (byteLength > this.#limit) {
      const message = `line ${line}: ${byteLength} bytes exceed ${this.#limit}`;
      return [{ line, error: new LimitError(message) }];
    }
    return decodeLine(line, Buffer.concat(parts));
  }
}

function decodeLine(line: number, bytes: Uint8Array): InputLine[] {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.trim() === "" ? [] : [{ line, text }];
  } catch {
    return [{ line, error: new FormatError(`line ${line}: not UTF-8`) }];
  }
}
