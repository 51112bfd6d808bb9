// What the text around the cursor says about where the cursor stands, by lines, indentation and
// brackets alone. In: the text before and behind the cursor. Out: a `Place`, from which
// postprocess.ts decides how far an answer goes.
//
// A block is completed (else the rest of one line) when only closing brackets follow on the line and
// * the line ends with `{` or `=>`; in languages with such blocks also with `:` or with a word like
//   `do`, `then`, `begin`; or
// * the line is empty and indented deeper than the last line that is not.
// Between a brace that ends the line and its closer is a block, whatever follows. On an empty line an
// answer is a line or the block that this line opens.
import { beginsBlock, endsStatements, isHeadOfStatement } from "./block-head.ts";
import { type Bracket, type BracketScan, isString, type Opener, scanBrackets } from "./brackets.ts";
import { defaults } from "./defaults.ts";
import { closedOpeners, hiddenOpener } from "./open-pairs.ts";

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
  /** The next lines that are not empty, as far as they are as deep as the cursor's line or deeper. */
  readonly blockLines: readonly string[];
  /** Columns of the line that an answer belongs to: a deeper line is inside, another one is not. */
  readonly baseIndentation: number;
  /** Whether the block that an answer is in goes on below: then the answer does not close it. */
  readonly goesOnBelow: boolean;
  /** Brackets and strings open at the cursor, outermost first. */
  readonly open: readonly PlacedOpener[];
  /** Those of them that are on the cursor's line. */
  readonly openOnLine: readonly Opener[];
  /**
   * Whether the line is empty and as deep as the next one: an answer may then be a line with the
   * block that it opens. On a line that is less deep its indentation is still to come.
   */
  readonly mayOpenBlock: boolean;
  readonly languageId: string;
  /**
   * Whether the rest of the line are closers alone, as editors put them there, of a statement that
   * they do not end: an answer may go on past them.
   */
  readonly mayReplaceRest: boolean;
}

/** What is open at the cursor, and whether the text behind the cursor closes it. */
export interface PlacedOpener {
  readonly character: string;
  /** Columns of the line it is on. */
  readonly indentation: number;
  readonly isClosed: boolean;
}

// Brackets are looked for this far back; what is open further away rarely ends within an answer.
const scannedCharacters = 4000;
const tabColumns = 4;
/** So many lines behind the cursor are compared with what is generated. */
const comparedLines = 5;
// Of scripts that are written without blanks between words no two characters make one word.
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;

/** The place of the cursor; with `multiline` "never" every answer is a line. */
export function readPlace(cursor: CursorText, multiline: "auto" | "never"): Place {
  const near = cursor.prefix.slice(-scannedCharacters);
  const linePrefix = near.slice(near.lastIndexOf("\n") + 1);
  const above = near.slice(0, near.length - linePrefix.length);
  const lineAbove = lastFilledLine(above);
  const lineSuffix = firstLine(cursor.suffix);
  const below = cursor.suffix.slice(lineSuffix.length, lineSuffix.length + scannedCharacters);
  const scan = scanBrackets(linePrefix);
  const isBraceOpen =
    scan.openers.at(-1)?.index === linePrefix.trimEnd().length - 1 &&
    /[^$#]\{\s*$/.test(linePrefix);
  const isInBrackets = scan.openers.length > 0;
  const line = { linePrefix, lineSuffix, lineAbove, isInBrackets, isBraceOpen };
  const extent = multiline === "never" ? "line" : readExtent(line, cursor.languageId);
  const isBelowOpener = extent === "block" && linePrefix.trim() === "";
  const baseIndentation = indentationOf(isBelowOpener ? lineAbove : linePrefix);
  const nextLine = firstFilledLine(below);
  const openOnLine = [...scan.open, ...hiddenOpener(scan.open, linePrefix, lineSuffix)];
  return {
    ...{ extent, linePrefix, lineSuffix, nextLine, baseIndentation, openOnLine },
    blockLines: readBlockLines(below, indentationOf(linePrefix)),
    goesOnBelow: nextLine !== "" && indentationOf(nextLine) > baseIndentation,
    open: readOpen({ above, linePrefix, lineSuffix, below }, openOnLine),
    mayOpenBlock:
      multiline === "auto" &&
      `${linePrefix}${lineSuffix}`.trim() === "" &&
      indentationOf(linePrefix) >= indentationOf(nextLine),
    languageId: cursor.languageId,
    mayReplaceRest:
      /^[)\]}>"'`]+\s*$/.test(lineSuffix) &&
      (isHeadOfStatement(linePrefix) || endsStatements(cursor.languageId)),
  };
}

/** Columns of the white space that `line` starts with. */
export function indentationOf(line: string): number {
  const space = line.slice(0, line.length - line.trimStart().length);
  return [...space].reduce((columns, each) => columns + (each === "\t" ? tabColumns : 1), 0);
}

/** Tokens. */
export function longestAnswer({ extent, mayOpenBlock }: Place): number {
  return defaults.answer[extent === "line" && mayOpenBlock ? "opened" : extent];
}

/** Whether a word, or one character of two code units, is cut by the cursor. */
export function isInsideWord({ prefix, suffix }: { prefix: string; suffix: string }): boolean {
  if (/[\uD800-\uDBFF]$/.test(prefix) && /^[\uDC00-\uDFFF]/.test(suffix)) return true;
  const [before] = /[\p{L}\p{M}\p{N}_]$/u.exec(prefix.slice(-2)) ?? [];
  const [behind] = /^[\p{L}\p{M}\p{N}_]/u.exec(suffix.slice(0, 2)) ?? [];
  if (before === undefined || behind === undefined) return false;
  return !unspaced.test(before) && !unspaced.test(behind);
}

/** The text up to the first line end, `\n` or `\r\n`. */
export function firstLine(text: string): string {
  const end = text.search(/\r?\n/);
  return end < 0 ? text : text.slice(0, end);
}

function readExtent(
  line: {
    readonly linePrefix: string;
    readonly lineSuffix: string;
    readonly lineAbove: string;
    readonly isInBrackets: boolean;
    /** The line ends with a brace of code. */
    readonly isBraceOpen: boolean;
  },
  languageId: string,
): Extent {
  const text = line.linePrefix.trim();
  if (line.isBraceOpen && line.lineSuffix.startsWith("}")) return "block";
  if (!/^[\s)\]};,]*$/.test(line.lineSuffix)) return "line";
  const isDeeper = indentationOf(line.linePrefix) > indentationOf(line.lineAbove);
  if (text === "") return isDeeper ? "block" : "line";
  if (text.endsWith("{") || text.endsWith("=>")) return "block";
  return beginsBlock(text, languageId, line.isInBrackets) ? "block" : "line";
}

function readOpen(
  text: { above: string; linePrefix: string; lineSuffix: string; below: string },
  openOnLine: readonly Opener[],
): PlacedOpener[] {
  const { above, linePrefix, lineSuffix, below } = text;
  const openers = [
    ...scanBrackets(above).openers.map((opener) => placed(opener, above)),
    ...openOnLine.map(({ character }) => ({ character, indentation: indentationOf(linePrefix) })),
  ];
  const behind = closersBehind(lineSuffix, openOnLine);
  const isClosed = closedOpeners(openers, {
    onLine: openOnLine.length,
    behind: behind.map(({ character }) => character),
    below: scanBrackets(below).closers.map((closer) => placed(closer, below)),
  });
  return openers.map((opener, index) => ({ ...opener, isClosed: isClosed.has(index) }));
}

/** What the rest of the line closes; a string whose quote it lacks ends in front of it. */
function closersBehind(lineSuffix: string, openOnLine: readonly Opener[]): readonly Bracket[] {
  const scan: BracketScan = scanBrackets(lineSuffix, openOnLine);
  const string = openOnLine.findIndex((each, index) => isString(each) && scan.open[index] === each);
  return string < 0 ? scan.closers : scanBrackets(lineSuffix, openOnLine.slice(0, string)).closers;
}

function placed({ character, index }: Bracket, text: string) {
  const lineStart = text.lastIndexOf("\n", index) + 1;
  const before = text.slice(lineStart, index);
  const isFirst = before.trim() === "";
  return { character, indentation: indentationOf(`${before}x`), isFirst };
}

/** At most `comparedLines` lines that are not empty, up to the first that is less deep. */
function readBlockLines(below: string, indentation: number): string[] {
  const filled = below.split(/\r?\n/).filter((line) => line.trim() !== "");
  const outer = filled.findIndex((line) => indentationOf(line) < indentation);
  return filled.slice(0, outer < 0 ? comparedLines : Math.min(outer, comparedLines));
}

function lastFilledLine(text: string): string {
  const filled = text.trimEnd();
  return filled.slice(filled.lastIndexOf("\n") + 1);
}

function firstFilledLine(text: string): string {
  const start = text.search(/\S/);
  return start < 0 ? "" : firstLine(text.slice(text.lastIndexOf("\n", start) + 1));
}
