// What the text around the cursor says about where the cursor stands, by lines, indentation and
// brackets alone. In: the text before and behind the cursor. Out: a `Place`, from which
// postprocess.ts decides how far an answer goes.
//
// A block is completed (else the rest of one line) when only closing brackets follow on the line and
// * the line ends with `{` or `=>`; in languages with such blocks also with `:` or with a word like
//   `do`, `then`, `begin`; or
// * the line is empty and indented deeper than the last line that is not.
import { scanBrackets } from "./brackets.ts";

/** How much an answer may cover. */
export type Extent = "line" | "block";

export interface CursorText {
  readonly prefix: string;
  readonly suffix: string;
  /** The editor's language identifier. */
  readonly languageId: string;
}

export interface Place {
  readonly extent: Extent;
  /** The cursor's line, left and right of the cursor. */
  readonly linePrefix: string;
  readonly lineSuffix: string;
  /** The next line that is not empty, or "". */
  readonly nextLine: string;
  /** Columns of the line that an answer belongs to: a deeper line is inside, another one is not. */
  readonly baseIndentation: number;
  /** Brackets open at the cursor, outermost first, with the columns of the line they are on. */
  readonly openers: readonly OpenBracket[];
  /** How many of them, counted from the innermost, are on the cursor's line. */
  readonly openersOnLine: number;
  /** Brackets that the rest of the line closes. */
  readonly closersOnLine: number;
  /** The quote of the string that the cursor is in, or "". */
  readonly quote: string;
}

export interface OpenBracket {
  readonly character: string;
  readonly indentation: number;
}

// Brackets are looked for this far back; what is open further away rarely ends within an answer.
const scannedCharacters = 4000;
const tabColumns = 4;
const colonBlocks = new Set(["python", "gdscript", "nim", "cython", "starlark"]);
const wordBlocks = new Set(["ruby", "lua", "luau", "shellscript", "julia", "elixir", "crystal"]);
const blockWord = /(?:^|\s)(?:do|then|else|begin|repeat)(?:\s*\|[^|]*\|)?$/;

/** The place of the cursor; with `multiline` "never" every answer is a line. */
export function readPlace(cursor: CursorText, multiline: "auto" | "never"): Place {
  const near = cursor.prefix.slice(-scannedCharacters);
  const linePrefix = near.slice(near.lastIndexOf("\n") + 1);
  const lineAbove = lastFilledLine(near.slice(0, near.length - linePrefix.length));
  const lineSuffix = firstLine(cursor.suffix);
  const onLine = scanBrackets(linePrefix);
  const line = { linePrefix, lineSuffix, lineAbove, isInBrackets: onLine.openers.length > 0 };
  const extent = multiline === "never" ? "line" : readExtent(line, cursor.languageId);
  const isBelowOpener = extent === "block" && linePrefix.trim() === "";
  return {
    extent,
    linePrefix,
    lineSuffix,
    nextLine: firstFilledLine(cursor.suffix.slice(lineSuffix.length)),
    baseIndentation: indentationOf(isBelowOpener ? lineAbove : linePrefix),
    openers: readOpeners(near),
    openersOnLine: onLine.openers.length,
    closersOnLine: scanBrackets(lineSuffix, onLine.quote).closers.length,
    quote: onLine.quote,
  };
}

/** Columns of the white space that `line` starts with. */
export function indentationOf(line: string): number {
  const space = line.slice(0, line.length - line.trimStart().length);
  return [...space].reduce((columns, each) => columns + (each === "\t" ? tabColumns : 1), 0);
}

/** Whether word characters stand on both sides of the cursor. */
export function isInsideWord(cursor: { prefix: string; suffix: string }): boolean {
  return /[\p{L}\p{N}_]$/u.test(cursor.prefix.slice(-2)) && /^[\p{L}\p{N}_]/u.test(cursor.suffix);
}

/** The text up to the first line end, `\n` or `\r\n`. */
export function firstLine(text: string): string {
  const end = text.search(/\r?\n/);
  return end < 0 ? text : text.slice(0, end);
}

function readExtent(
  line: { linePrefix: string; lineSuffix: string; lineAbove: string; isInBrackets: boolean },
  languageId: string,
): Extent {
  if (!/^[\s)\]};,]*$/.test(line.lineSuffix)) return "line";
  const text = line.linePrefix.trim();
  const isDeeper = indentationOf(line.linePrefix) > indentationOf(line.lineAbove);
  if (text === "") return isDeeper ? "block" : "line";
  if (text.endsWith("{") || text.endsWith("=>")) return "block";
  if (text.endsWith(":") && colonBlocks.has(languageId))
    return line.isInBrackets ? "line" : "block";
  return wordBlocks.has(languageId) && blockWord.test(text) ? "block" : "line";
}

function readOpeners(near: string): OpenBracket[] {
  return scanBrackets(near).openers.map(({ character, index }) => ({
    character,
    indentation: indentationOf(near.slice(near.lastIndexOf("\n", index) + 1, index)),
  }));
}

function lastFilledLine(text: string): string {
  const filled = text.trimEnd();
  return filled.slice(filled.lastIndexOf("\n") + 1);
}

function firstFilledLine(text: string): string {
  const start = text.search(/\S/);
  return start < 0 ? "" : firstLine(text.slice(text.lastIndexOf("\n", start) + 1));
}
