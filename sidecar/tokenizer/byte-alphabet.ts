// GPT-2's byte alphabet: one printable character for each of the 256 bytes, so that byte-level
// vocabularies can be written as text. Printable bytes stand for themselves, the others for the
// characters from U+0100 on, in byte order (bytes_to_unicode of GPT-2's encoder.py).
import { FormatError } from "../errors.ts";

/** Byte by character code, 256 for a character that is not of the alphabet. */
const byteOfCode = new Uint16Array(0x200).fill(256);
for (const [byte, character] of byteAlphabet().entries())
  byteOfCode[character.charCodeAt(0)] = byte;

/**
 * The bytes of one token, written into `target` from `offset` on.
 * @returns how many bytes were written: one a character.
 * @throws FormatError when a character is not of the alphabet.
 */
export function writeTokenBytes(token: string, target: Uint8Array, offset: number): number {
  for (let index = 0; index < token.length; index += 1) {
    const byte = byteOfCode[token.charCodeAt(index)] ?? 256;
    if (byte === 256)
      throw new FormatError(
        `tokenizer: token ${JSON.stringify(token.slice(0, 80))} has a character outside the byte alphabet at ${index}`,
      );
    target[offset + index] = byte;
  }
  return token.length;
}

/** The character of each byte, in byte order. */
export function byteAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}
