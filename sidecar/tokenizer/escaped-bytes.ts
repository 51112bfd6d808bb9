// Bytes as text without loss: valid UTF-8 becomes its characters, every other byte a lone low
// surrogate U+DC80 … U+DCFF (Python's "surrogateescape", PEP 383). Regular expressions take such a
// surrogate for a character that is no letter, digit or white space. UTF-8 itself has no
// surrogates, so the way back is unambiguous.

const ESCAPE = 0xdc00;

export function escapeBytes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let start = 0;
  for (let offset = 0; offset < bytes.length; ) {
    const length = characterLength(bytes, offset);
    if (length === 0) {
      parts.push(utf8(bytes.subarray(start, offset)), escapeByte(bytes[offset] ?? 0));
      start = offset + 1;
    }
    offset += Math.max(length, 1);
  }
  parts.push(utf8(bytes.subarray(start)));
  return parts.join("");
}

/** How many bytes `text`, a part of escaped text, stands for. */
export function escapedByteLength(text: string): number {
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80 || isEscape(code)) length += 1;
    else if (code < 0x800) length += 2;
    else length += code < 0x10000 ? 3 : 4;
  }
  return length;
}

/** The bytes are ASCII only where UTF-8 is intact, so an escaped byte is one from 0x80 on. */
function escapeByte(byte: number): string {
  return String.fromCharCode(ESCAPE + byte);
}

function isEscape(code: number): boolean {
  return code >= 0xdc80 && code <= 0xdcff;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** Length of the well-formed character at `offset`, 0 if there is none (Unicode, table 3-7). */
function characterLength(bytes: Uint8Array, offset: number): number {
  const lead = bytes[offset] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const [least, most] = secondByteRange(lead);
  const second = bytes[offset + 1] ?? 0;
  if (second < least || second > most) return 0;
  for (let index = offset + 2; index < offset + length; index += 1)
    if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Narrower behind four leads: no overlong forms, no surrogates, nothing above U+10FFFF. */
function secondByteRange(lead: number): readonly [number, number] {
  if (lead === 0xe0) return [0xa0, 0xbf];
  if (lead === 0xed) return [0x80, 0x9f];
  if (lead === 0xf0) return [0x90, 0xbf];
  return lead === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf];
}
