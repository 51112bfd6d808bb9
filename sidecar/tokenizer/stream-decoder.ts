// Ids -> text, one id at a time. A character whose bytes are spread over several tokens appears
// with the last of them; U+FFFD appears only once no further byte can save the character.
import { TextDecoder } from "node:util";

export interface StreamDecoder {
  /** What has become certain with this id, often nothing. */
  push(id: number): string;
  /** What is left of a text that ends inside a character; the decoder starts anew. */
  end(): string;
}

export function createStreamDecoder(bytesOf: (id: number) => Uint8Array): StreamDecoder {
  const decoder = createTextDecoder();
  return {
    push: (id) => decoder.decode(bytesOf(id), { stream: true }),
    end: () => decoder.decode(),
  };
}

/** U+FEFF at the start of a text is a character like any other. */
export function createTextDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}
