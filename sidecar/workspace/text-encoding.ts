// Bytes -> text, as editors do it: a byte order mark decides, then what the user says, then UTF-16 by
// its zeros, then UTF-8, and what is none of these is guessed by a detector. null: no text.
import { analyse } from "chardet";

/** `encoding`: as the editor's `files.encoding` names it, like `windows1252`; default UTF-8 or a guess. */
export function decodeText(bytes: Uint8Array, encoding = "utf8"): string | null {
  const marked = markOf(bytes);
  if (marked !== null) return checked(decodeWhole(bytes, marked));
  const wide = utf16Of(bytes);
  if (wide !== null) return wide;
  // It is in no text of the others, and so not worth a guess.
  if (bytes.includes(0)) return null;
  const named = labelOf(encoding);
  if (named === null || isUnicode(named)) return decodeUtf8(bytes) ?? guess(bytes);
  return decodeNarrow(bytes, named) ?? decodeUtf8(bytes) ?? guess(bytes);
}

function markOf([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : null;
}

/**
 * The label by which the Encoding Standard knows an encoding of VS Code's list; null for one that it
 * lacks, as those of DOS.
 */
function labelOf(encoding: string): string | null {
  const name = encoding.toLowerCase();
  const label = otherLabels[name] ?? name.replace(/^windows(?=\d)/, "windows-");
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

const otherLabels: Readonly<Record<string, string>> = {
  utf8bom: "utf-8",
  koi8r: "koi8-r",
  koi8u: "koi8-u",
  macroman: "macintosh",
  cp950: "big5",
  big5hkscs: "big5",
  shiftjis: "shift_jis",
  eucjp: "euc-jp",
  euckr: "euc-kr",
};

function isUnicode(label: string): boolean {
  return label === "utf-8" || label.startsWith("utf-16");
}

/** All of the bytes but half a character at the end, as that of a file that is being written. */
function decodeWhole(bytes: Uint8Array, label: string): string | null {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return null;
  }
}

/** UTF-16 without a mark: most characters of code are ASCII, which has a zero in one place of two. */
function utf16Of(bytes: Uint8Array): string | null {
  const zeros = { even: 0, odd: 0 };
  for (let at = 0; at < bytes.length; at += 1)
    if (bytes[at] === 0) zeros[at % 2 === 0 ? "even" : "odd"] += 1;
  const most = Math.max(zeros.even, zeros.odd);
  if (bytes.length % 2 > 0 || most === 0 || most < bytes.length / 4) return null;
  const text = decodeWhole(bytes, zeros.odd > zeros.even ? "utf-16le" : "utf-16be");
  return text === null || unwritten.test(text) ? null : text;
}

/** What numbers in binary files come out as: control characters, and what nobody has assigned. */
const unwritten = /[\p{Cn}\p{Co}]|(?![\t\n\v\f\r])\p{Cc}/u;

function decodeUtf8(bytes: Uint8Array): string | null {
  const text = decodeWhole(bytes, "utf-8");
  if (text === null) return null;
  const isCutShort = new TextDecoder().decode(bytes).length > text.length;
  // Half a character says nothing by itself: in Latin-1 it is a letter.
  return isCutShort && !/[^\0-\x7f]/.test(text) ? null : text;
}

/** Of the encodings that say nothing of themselves; null where there is what no editor writes. */
function decodeNarrow(bytes: Uint8Array, label: string): string | null {
  return bytes.some(isControl) ? null : decodeWhole(bytes, label);
}

/** But for tabs, line and page ends, escape, and the mark at the end of files of DOS. */
function isControl(byte: number): boolean {
  const isUsual = (byte >= 0x09 && byte <= 0x0d) || byte === 0x1a || byte === 0x1b;
  return byte === 0x7f || (byte < 0x20 && !isUsual);
}

function guess(bytes: Uint8Array): string | null {
  if (bytes.some(isControl)) return null;
  const utf8 = new TextDecoder().decode(bytes);
  const broken = utf8.split("\ufffd").length - 1;
  const whole = (utf8.match(/[^\0-\x7f\ufffd]/g) ?? []).length;
  if (whole >= 9 * broken) return utf8; // As editors show it: with marks for what is broken.
  for (const label of likelyLabels(Buffer.from(bytes).toString("latin1"))) {
    const text = decodeWhole(bytes, label);
    if (text !== null && isWritten(text)) return text;
  }
  return null;
}

const wideLabels = new Set(["GB18030", "Big5", "Shift_JIS", "EUC-JP", "EUC-KR"]);
const narrowLabels = /^(ISO-8859|windows|KOI8)-/;
/** Of the detector, in percent; what it cannot rule out has 10. */
const leastConfidence = 20;
/** Bytes beyond ASCII from which on it can tell apart encodings of one byte, by triples of them. */
const leastNarrow = 8;
/** And which it wants for its tables of common characters: fewer are shown to it repeatedly. */
const leastWide = 80;
const longestSample = 1 << 16;

/** The likeliest first; the last is what Western files without a name are in. */
function likelyLabels(raw: string): string[] {
  const foreign = raw.split("\n").filter((line) => /[^\0-\x7f]/.test(line));
  const lines = `${foreign.join("\n").slice(0, longestSample)}\n`;
  const count = (lines.match(/[^\0-\x7f]/g) ?? []).length;
  const sample = lines.repeat(Math.max(1, Math.ceil(leastWide / count)));
  const labels = analyse(Buffer.from(sample, "latin1"))
    .filter(({ confidence }) => confidence >= leastConfidence)
    .map(({ name }) => name)
    .filter((name) => wideLabels.has(name) || (count >= leastNarrow && narrowLabels.test(name)));
  return [...labels, "windows-1252"];
}

/** Beyond ASCII there are letters, or signs that stand in prose and in code. */
function isWritten(text: string): boolean {
  const others = text.match(/[^\0-\x7f]/gu) ?? [];
  const odd = others.filter(
    (each) =>
      !/[\p{L}\p{M}\p{N}\u3000-\u303f\uff00-\uffef]|[«»“”„‘’‚‹›–—…•€£§©®°±µ·×÷¿¡™ ]/u.test(each),
  );
  return odd.length <= others.length / 4;
}

/** A zero is in no text. */
function checked(text: string | null): string | null {
  return text === null || text.includes("\0") ? null : text;
}
