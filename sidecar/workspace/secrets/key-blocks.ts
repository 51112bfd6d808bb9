// Private keys, whole or cut off, as they are or as lines of strings and comments. In: a text. Out:
// where each stands, from its mark to its end. A mark alone, as in code that reads keys, is none.
import { type Found, foundAt } from "./found.ts";
import { isPlaceholder } from "./placeholder.ts";
import { randomnessOf } from "./randomness.ts";

/** RFC 7468 and its forerunners, OpenPGP's armour, SSH2, OpenVPN, PuTTY, minisign and signify. */
const marks =
  /-{4,5}(?: |%20)?BEGIN(?:[ +]|%20)(?:[\w+%]{1,20}[ +]){0,4}?(?:[\w%]{0,20}PRIVATE(?:[ +]|%20)KEY|(?:OpenVPN )?Static key V1)|PuTTY-User-Key-File-\d|untrusted comment: (?:minisign|signify)[\w ]{0,20} secret key/g;
const ends = /-{4,5}(?: |%20)?END(?:[ +]|%20)|Private-MAC:\s*[a-f0-9]{20,}/g;
/** Lines of a block in a row that are none of the key: headers, as PuTTY's, whose public key counts. */
const mostOthers = 16;
/** Characters; a longer line that begins like a header is a key on one line. */
const longestHeader = 120;
/** Characters between a key's last full line and its end: one more statement. */
const farthestEnd = 200;
/** Characters of a line that are looked at: a key on one line shows itself at its beginning. */
const mostOfLine = 2_048;

/** Base64 of "-----BEGIN", with its three alignments left aside: it stands at the beginning. */
const encodedMarks = /LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}/g;
/** Base64 of "openssh-key-v1", and of DER's SEQUENCE with more than 40 bytes. */
const bareKeys = /(?<![A-Za-z0-9+/])(?:b3BlbnNzaC1rZXktdjE|M[A-I][A-Za-z0-9+/])[A-Za-z0-9+/]{50}/g;
const blockBegins = new RegExp(`${marks.source}|${bareKeys.source}`, "g");
const secretMembers =
  /\\*["']?\b(?:d|p|q|dp|dq|qi|k)\\*["']?\s{0,8}[:=]\s{0,8}\\*["'][\w-]{20,}|<(?:D|P|Q|DP|DQ|InverseQ)>[A-Za-z0-9+/=\s]{20,2000}<\//g;

/** `key += ` and its like, before a quote. */
const statementHead = /^\s*(?:\w{1,20}\s+){0,2}[$@]?[\w.]{1,40}\s*(?:[+.]?=|<<|:=)\s*(?=["'`])/;

export function* findKeys(text: string): Generator<Found> {
  yield* findBlocks(text);
  for (const match of text.matchAll(encodedMarks))
    if (/PRIVATE KEY/.test(decodeBase64(match[0].slice(0, 120)).toString("latin1")))
      yield foundAt(match);
  if (/\bkty\b|RSAKeyValue/.test(text))
    for (const member of text.matchAll(secretMembers)) yield foundAt(member);
}

function* findBlocks(text: string): Generator<Found> {
  const closes = [...text.matchAll(ends)].map(foundAt);
  let done = 0; // What was read for one mark is not read again for another.
  for (const mark of text.matchAll(blockBegins)) {
    if (mark.index < done || (isBare(mark[0]) && !isPrivate(mark[0]))) continue;
    const from = isBare(mark[0]) ? mark.index : foundAt(mark).end;
    while (closes[0] !== undefined && closes[0].end <= from) closes.shift();
    const end = endOfBlock(text, from, closes[0]);
    done = end ?? new Lines(text, from).next()?.seenEnd ?? from;
    if (end !== null) yield { start: mark.index, end };
  }
}

/** Of the block that begins before `from`; null when no key follows. */
function endOfBlock(text: string, from: number, close: Found | undefined): number | null {
  const lines = new Lines(text, from);
  let keyEnd: number | null = null;
  let others = 0;
  for (let line = lines.next(); line !== null && others <= mostOthers; line = lines.next()) {
    const isKey = isKeyLine(line.text, keyEnd !== null);
    others = isKey ? 0 : others + 1;
    if (isKey) keyEnd = line.end;
    const isLast = close !== undefined && close.start < line.end;
    if (isLast || line.text.includes("-BEGIN")) break;
    if (keyEnd !== null && !isKey && !isPart(line.text)) break;
  }
  return keyEnd === null ? null : endNear(keyEnd, close);
}

/** Where a statement stands between the last full line of a key and its end, it is part of the key. */
function endNear(keyEnd: number, close: Found | undefined): number {
  return close !== undefined && close.start - keyEnd < farthestEnd
    ? Math.max(keyEnd, close.end)
    : keyEnd;
}

function isBare(mark: string): boolean {
  return mark.startsWith("b3Bl") || mark.startsWith("M");
}

/** The lines of a text from an offset on. */
class Lines {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  next(): { readonly text: string; readonly end: number; readonly seenEnd: number } | null {
    if (this.#at >= this.#text.length) return null;
    const found = this.#text.indexOf("\n", this.#at);
    const end = found < 0 ? this.#text.length : found;
    const seenEnd = Math.min(end, this.#at + mostOfLine);
    const text = this.#text.slice(this.#at, seenEnd);
    this.#at = end + 1;
    return { text, end, seenEnd };
  }
}

/** What is written around base64 in strings and comments, as escapes, is no letter of it. */
function baseText(line: string): string {
  return line.replace(statementHead, "").replace(/\\+[nrt]|&#x?\w{1,3};|%0[AD]/g, " ");
}

function isKeyLine(line: string, isInside: boolean): boolean {
  const text = baseText(line);
  if (isHeader(text)) return false;
  const runs = text.match(/[A-Za-z0-9+/_=-]+/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), "");
  // Inside a key the last line may be short; it still has nothing else on it.
  if (isInside && /[A-Za-z0-9]/.test(longest) && runs.every(isSignsBut(longest))) return true;
  if (longest.length < (isInside ? 16 : 20) || isPlaceholder(longest.replace(/A{6,}/g, "A")))
    return false;
  const { strangeness, density } = randomnessOf(longest.slice(0, 512));
  return strangeness >= (isInside ? 0.25 : 0.4) && density >= 0.15;
}

function isSignsBut(word: string): (run: string) => boolean {
  return (run) => run === word || !/[A-Za-z0-9]/.test(run);
}

/** Between two lines of a key: nothing but signs, or a header such as `Comment: …`. */
function isPart(line: string): boolean {
  const text = baseText(line);
  return /^[^A-Za-z0-9]*$/.test(text) || isHeader(text);
}

function isHeader(text: string): boolean {
  return text.length < longestHeader && /^\W{0,40}[A-Z][\w-]{2,30}: /.test(text);
}

function decodeBase64(text: string): Buffer {
  return Buffer.from(text, "base64");
}

/**
 * PKCS#1 (RFC 8017), PKCS#8 and its encrypted form (RFC 5958), SEC1 (RFC 5915) or PKCS#12 (RFC 7292):
 * a SEQUENCE that begins with a version, or with the OID of encryption by a password. Certificates and
 * public keys begin with another SEQUENCE.
 */
function isPrivate(base64: string): boolean {
  if (base64.startsWith("b3Bl")) return true;
  const bytes = decodeBase64(base64);
  if (bytes[0] !== 0x30) return false;
  const first = 2 + ((bytes[1] ?? 0) > 0x80 ? (bytes[1] ?? 0) - 0x80 : 0);
  const [tag, length, version, next] = bytes.subarray(first);
  const hasVersion = tag === 0x02 && length === 1 && [0, 1, 3].includes(version ?? -1);
  if (hasVersion) return [0x02, 0x04, 0x30].includes(next ?? -1);
  const passwordBased = Buffer.from("06092a864886f70d01050d", "hex"); // 1.2.840.113549.1.5.13
  return tag === 0x30 && bytes.subarray(first, first + 16).includes(passwordBased);
}
