// Drawn text that a name calls a secret: assignments, members, arguments, environment, headers, XML,
// in any language. In: a text. Out: where each name with its value stands. Found by what is around the
// value rather than by grammars, so that files of every kind are searched.
import type { Found } from "./found.ts";
import { type Sensitivity, sensitivityOf } from "./names.ts";
import { isPlaceholder } from "./placeholder.ts";
import { kindsIn, randomnessOf } from "./randomness.ts";

/** Stems of the words of `names.ts`, which decides on the whole identifier. */
const stems =
  /passw|passp|passc|pass(?![a-z])|pwd|psw|secret|token|cred|key|auth|bearer|jwt|pat(?![a-z])|kennw|senha|contrase|mdp|motdep|mnemonic|totp/gi;
/** Longer identifiers are none. */
const longestName = 64;

const type = String.raw`(?:[:]|\b[Aa]s\b)[ \t]*(?:const[ \t]+|static[ \t]+)?&?(?:'\w+[ \t]+)?(?:mut[ \t]+)?[A-Za-z_][\w.:]{0,40}(?:<[\w<>., &':]{0,40}>)?[?!*&[\]]{0,4}(?=\s{0,20}=)`;
const separator = String.raw`(?:\|\||\?\?|\bor\b|<-|->|=>|:-|:=|:::?|={1,3}>?|[+!~]=|[:,>(?]|\|\s)`;
const wrapper = String.raw`(?!ENC\()(?:(?:new|await|return)[ \t]+)?&?[A-Za-z_][\w.:]{0,60}!?(?:<\w{0,30}>)?[([]\s{0,20}`;
const scheme = `(?:Bearer|Basic|Token|token|Digest|ApiKey|apikey|SSWS|GenieKey|key)[ =]["']?`;
/** Between a name and its value. */
const gap = new RegExp(
  [
    String.raw`\\*["'\x60]?[\])}]{0,3}\\*["'\x60]?[?!]?(?:\[\w{0,8}\])?\)?`,
    String.raw`(?:[ \t]{0,8}${type})?`,
    // An attribute or a member of the same thing that is called the value.
    String.raw`(?:[ \t]{0,20}[,/:]?\s{0,40}-?[ \t]{0,4}\\*["']?\b(?:value|default|content)\\*["']?(?=\s{0,4}[:=]))?`,
    String.raw`\s{0,40}${separator}{0,2}(?:[|>][+-]?[ \t]{0,4}(?=\r?\n))?\s{0,40}[([{]{0,2}\s{0,40}`,
    String.raw`(?:${wrapper}){0,2}(?:[bBrRuUfFL@$]{1,2}(?=["'\x60]))?`,
    String.raw`(?:\\*["'\x60]?${scheme})?`,
  ].join(""),
  "y",
);
const quote = /\\*(?:"""|'''|["'`])/y;
const bareValue = /(?!--)[\w+/.~!?@#%^&*$-]{10,1024}={0,2}(?=[\s"'`,;<)}\]&|\\]|$)/y;
const comma = /\s{0,40},\s{0,40}/y;
/** Values of a list after one name that are looked at. */
const mostOfList = 8;

const shortest = 10;
const longest = 1_024;
/** Of a value with fewer than three kinds of character; of a plain key. */
const shortestPlain = 16;
const shortestOfKey = 32;
/**
 * Measured on drawn text: of 16 hex digits, the least strange kind, 1.4 in 100 are below the first, of
 * 32 of them 0.05; of 12 characters of three kinds 0.8 below the second. Identifiers with abbreviations
 * reach 0.35, and what names a secret itself may well be an identifier.
 */
const strangenessFrom = { plain: 0.35, short: 0.4, naming: 0.5 };
const densityFrom = 0.15;

/** For everyone to see, or only a trace of a secret: public keys, digests, addresses, hashes. */
const isOpen =
  /^(?:ssh-|ecdsa-|sk-ssh|AAAA[BCE]3Nza|MIIB[CIj]|MIICIj|MIGfMA|MFkwEw|MCowBQ|pk[._-]|pub[._-]|sha\d+[-:=]|md5[-:]|data:|0x[0-9a-f]{40}$|\$\w+\$|\{[A-Z0-9]{3,}\}|\w+:\/\/)/i;

export function* findNamedValues(text: string): Generator<Found> {
  let done = 0;
  for (const stem of text.matchAll(stems)) {
    if (stem.index < done) continue;
    const name = identifierAt(text, stem.index);
    done = name.end;
    const sensitivity = sensitivityOf(text.slice(name.start, name.end));
    if (sensitivity === "none") continue;
    for (const value of valuesAfter(text, name.end))
      if (isSecretValue(value.text, sensitivity)) yield { start: name.start, end: value.end };
  }
}

function identifierAt(text: string, at: number): Found {
  let [start, end] = [at, at];
  while (start > at - longestName && isOfName(text, start - 1)) start -= 1;
  while (end < at + longestName && isOfName(text, end)) end += 1;
  return { start, end };
}

function isOfName(text: string, at: number): boolean {
  return /[\w-]/.test(text.charAt(at));
}

interface Value {
  readonly text: string;
  readonly end: number;
}

function* valuesAfter(text: string, from: number): Generator<Value> {
  const between = matchAt(gap, text, from) ?? "";
  let at = from + between.length;
  const bare = between === "" ? null : bareAt(text, at, between);
  if (bare !== null) yield bare;
  for (let count = 0; count < mostOfList; count += 1) {
    const value = quotedAt(text, at);
    if (value === null) return;
    yield value;
    const next = matchAt(comma, text, value.end);
    if (next === null) return;
    at = value.end + next.length;
  }
}

/** A value without quotes stands on the line of its name, or is YAML's block. */
function bareAt(text: string, at: number, between: string): Value | null {
  if (between.includes("\n") && !/[|>][+-]?\s*$/.test(between)) return null;
  if (between === ":" && /^[\w-]+\/[\w-]+/.test(text.slice(at, at + longestName))) return null; // A URN.
  const value = matchAt(bareValue, text, at);
  if (value === null || !(/\d/.test(value) || isPlainlyDrawn(value))) return null;
  // Short ones are found only where they are assigned, and where they are no identifiers.
  const isShort = value.length < shortestPlain;
  if (isShort && (/^\s*$|:$/.test(between) || /^[A-Za-z_][\w.]*$/.test(value))) return null;
  return { text: value, end: at + value.length };
}

/** Without digits most are identifiers. */
function isPlainlyDrawn(value: string): boolean {
  return value.length >= shortestPlain && randomnessOf(value).strangeness >= strangenessFrom.naming;
}

function quotedAt(text: string, at: number): Value | null {
  const open = matchAt(quote, text, at);
  if (open === null) return null;
  const start = at + open.length;
  const close = text.indexOf(open.replace(/\\+/, ""), start);
  const value = text.slice(start, close < 0 ? start : close);
  if (value.includes("\n")) return null;
  return { text: value.replace(/\\+$/, ""), end: close + open.length };
}

function matchAt(expression: RegExp, text: string, at: number): string | null {
  expression.lastIndex = at;
  return expression.exec(text)?.[0] ?? null;
}

function isSecretValue(written: string, sensitivity: Sensitivity): boolean {
  const value = unescaped(written);
  if (value.length < shortest || value.length > longest || !/^[!-~]+$/.test(value)) return false;
  if (isOpen.test(value) || isPlaceholder(value) || !isDrawn(decoded(value) ?? value)) return false;
  const kinds = kindsIn(value.replace(/[-:]/g, ""));
  if (sensitivity === "key") return value.length >= shortestOfKey && kinds >= 3;
  return value.length >= shortestPlain || kinds >= 3;
}

function isDrawn(value: string): boolean {
  // A path or a member's name is judged by the longest of its parts.
  const part = value
    .split(/[./]/)
    .reduce((best, each) => (each.length > best.length ? each : best));
  if (part.length < shortest && /^[/~]/.test(value)) return false;
  const judged = part.length < shortest ? value : part;
  const { strangeness, density } = randomnessOf(judged);
  return strangeness >= strangenessOf(judged, judged === part) && density >= densityFrom;
}

function strangenessOf(value: string, isWord: boolean): number {
  const { plain, short, naming } = strangenessFrom;
  if (!isWord || /passw|pwd|secret|token|cred|key/i.test(value)) return naming;
  return value.length < shortestPlain ? short : plain;
}

/** `\u003d` and its like, which JSON has for signs that HTML knows. */
function unescaped(value: string): string {
  return value.replace(/\\u00([2-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Base64 of words, as in manifests and headers; null for what is no text. */
function decoded(value: string): string | null {
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return null;
  const text = Buffer.from(value, "base64").toString("latin1");
  return /^[ -~\n]+$/.test(text) && !text.startsWith("{") ? text : null;
}
