// Decides what of a generated text is shown. In: the text so far and the place of the cursor.
// Out: where it ends, as soon as that is known (so that decoding stops there), and the text to
// insert or the reason why there is none. Pure; knows no tokens but their characters.
//
// The text ends at the first of
// * a quote that the rest of the line already has, while the cursor is in a string;
// * a bracket that the suffix already closes (`isClosedBySuffix`);
// * for a line: its end; for a block: the line that is no deeper than the one it belongs to,
//   a closing one included;
// * a line that repeats the next line of the suffix.
import { type Bracket, closes, scanBrackets } from "./brackets.ts";
import { firstLine, indentationOf, type OpenBracket, type Place } from "./place.ts";

/** The reasons of the protocol's closed list that a text can have for not being shown. */
export type TextReason = "end-of-text" | "repeats-suffix" | "only-space";

/** Where a text ends: `length` of its characters, cut there because the suffix goes on alike. */
export interface TextEnd {
  readonly length: number;
  readonly repeatsSuffix: boolean;
}

export interface ShownText {
  readonly text: string;
  /** Characters of the generated text that reach what is shown: the rest was cut. */
  readonly length: number;
  /** null exactly when `text` is not empty. */
  readonly reason: TextReason | null;
}

const closesBlock = /^\s*(?:[)\]}]|(?:end|fi|done|esac)\b)/;
const goesOn =
  /^\s*(?:(?:\}\s*)?(?:else|elif|elsif|catch|except|finally|rescue|ensure)\b|[)\]}].*[{([]\s*$)/;

/** Where `text` ends at `place`, or null while only more of it can tell. */
export function findEnd(text: string, place: Place): TextEnd | null {
  const ends = [
    endAtQuote(text, place),
    endAtBracket(text, place),
    endAtRepeatedLine(text, place),
    place.extent === "line" ? endAtLine(text) : endAtBlock(text, place),
  ];
  return ends.reduce((first, end) => (isEarlier(end, first) ? end : first), null);
}

/** What is shown of the whole generated `text`; `isCut`: it ended at its greatest length. */
export function shapeText(text: string, place: Place, isCut: boolean): ShownText {
  if (text === "") return { text: "", length: 0, reason: "end-of-text" };
  const whole = { length: isCut ? lastWholeLine(text, place) : text.length, repeatsSuffix: false };
  const end = withoutOverlap(text, place, findEnd(`${text}\n`, place) ?? whole);
  const kept = text.slice(0, Math.min(end.length, whole.length));
  // A blank before the rest of the line may be meant, unless the rest begins with one.
  const shown = /^\S/.test(place.lineSuffix) ? kept : kept.trimEnd();
  if (shown.trim() === "") {
    return { text: "", length: 0, reason: end.repeatsSuffix ? "repeats-suffix" : "only-space" };
  }
  return { text: withoutDoubledSpace(shown, place), length: shown.length, reason: null };
}

function isEarlier(end: TextEnd | null, first: TextEnd | null): boolean {
  return end !== null && (first === null || end.length < first.length);
}

function endAtQuote(text: string, place: Place): TextEnd | null {
  if (place.quote === "" || !place.lineSuffix.startsWith(place.quote)) return null;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === "\\") index += 1;
    else if (text[index] === place.quote) return { length: index, repeatsSuffix: true };
  }
  return null;
}

function endAtBracket(text: string, place: Place): TextEnd | null {
  const { closers } = scanBrackets(text, place.quote);
  const repeated = closers.find((closer, order) =>
    place.closersOnLine > 0
      ? order >= place.openersOnLine - place.closersOnLine
      : isOnNextLine(text, place, { closer, opener: place.openers.at(-1 - order) }),
  );
  return repeated === undefined ? null : { length: repeated.index, repeatsSuffix: true };
}

/**
 * Whether the next line of the suffix starts with `closer`, in the columns of the line with its
 * opener. Without an opener near enough to be known, the closer's own line stands for that one.
 */
function isOnNextLine(
  text: string,
  place: Place,
  { closer, opener }: { closer: Bracket; opener: OpenBracket | undefined },
): boolean {
  if (!place.nextLine.trimStart().startsWith(closer.character)) return false;
  if (opener !== undefined && !closes(closer.character, opener.character)) return false;
  const before = `${place.linePrefix}${text.slice(0, closer.index)}x`;
  const ownLine = before.slice(before.lastIndexOf("\n") + 1);
  return (opener?.indentation ?? indentationOf(ownLine)) === indentationOf(place.nextLine);
}

function endAtRepeatedLine(text: string, place: Place): TextEnd | null {
  if (place.nextLine === "") return null;
  let start = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    const whole = start === 0 ? `${place.linePrefix}${line}` : line;
    if (repeats(whole, place.nextLine)) return { length: start, repeatsSuffix: true };
    start += line.length + 1;
  }
  return null;
}

/** The same to the last column, or but for the indentation when there is a word in it. */
function repeats(line: string, nextLine: string): boolean {
  if (line.trim() !== nextLine.trim()) return false;
  return line.trimEnd() === nextLine.trimEnd() || /\w{3}/.test(nextLine);
}

function endAtLine(text: string): TextEnd | null {
  const line = firstLine(text);
  return line.length < text.length ? { length: line.length, repeatsSuffix: false } : null;
}

function endAtBlock(text: string, place: Place): TextEnd | null {
  const [first = "", ...lines] = text.split("\n");
  if (lines.length > 0 && isOneLineBody(first, place)) return notRepeated(first.length);
  let start = first.length + 1;
  for (const [index, line] of lines.entries()) {
    const isWhole = index < lines.length - 1;
    const isOuter = line.trim() !== "" && indentationOf(line) <= place.baseIndentation;
    if (isOuter && !goesOnAfter(line, place))
      return endAtOuterLine(line, place, { start, isWhole });
    start += line.length + 1;
  }
  return null;
}

/** Whether the opener's own line holds the whole body: `if x: return`, `=> x + 1`, `{ return x; }`. */
function isOneLineBody(line: string, place: Place): boolean {
  const isOpenerLine = place.linePrefix.trim() !== "" && line.trim() !== "";
  return isOpenerLine && scanBrackets(`${place.linePrefix}${line}`).openers.length === 0;
}

function goesOnAfter(line: string, place: Place): boolean {
  return indentationOf(line) === place.baseIndentation && goesOn.test(line);
}

/** A closing line as deep as the block's first belongs to it, any other does not. */
function endAtOuterLine(
  line: string,
  place: Place,
  { start, isWhole }: { start: number; isWhole: boolean },
): TextEnd | null {
  // Whether it repeats the suffix is known at its end; in either case the text ends in front of it.
  if (!isWhole && place.nextLine.trim().startsWith(line.trim())) return null;
  if (indentationOf(line) < place.baseIndentation) return notRepeated(start);
  // A word that is not whole may yet become one that goes on with the block.
  if (!isWhole && /^\s*\w+$/.test(line)) return null;
  if (!closesBlock.test(line)) return notRepeated(start);
  return isWhole ? notRepeated(start + line.length) : null;
}

function notRepeated(length: number): TextEnd {
  return { length, repeatsSuffix: false };
}

/** At the greatest length the last line of a block is a part of one: it is left out. */
function lastWholeLine(text: string, place: Place): number {
  const lineEnd = text.lastIndexOf("\n");
  return place.extent === "block" && text.slice(0, lineEnd + 1).trim() !== ""
    ? lineEnd
    : text.length;
}

/** Without what the text ends with and the rest of the line starts with. */
function withoutOverlap(text: string, place: Place, end: TextEnd): TextEnd {
  const rest = place.lineSuffix.trim();
  const kept = text.slice(0, end.length).trimEnd();
  for (let length = rest.length; length > 0; length -= 1) {
    // Of a rest with words all counts, or as much of it as the text went on with behind its end.
    const isWhole = length === rest.length || rest[length] === text[end.length];
    if ((isWhole || !/\w/.test(rest.slice(0, length))) && overlaps(kept, rest.slice(0, length))) {
      return { length: kept.length - length, repeatsSuffix: true };
    }
  }
  return end;
}

/** Whether `text` may lose `overlap` at its end; brackets in front are `endAtBracket`'s. */
function overlaps(text: string, overlap: string): boolean {
  if (!text.endsWith(overlap) || /^[)\]}]/.test(overlap)) return false;
  const shorter = text.slice(0, text.length - overlap.length);
  return scanBrackets(shorter).openers.length <= scanBrackets(text).openers.length;
}

/**
 * Small models write the blank in front of the cursor once more: one of the two goes. Behind an odd
 * number of blanks alone it may be the indentation's last.
 */
function withoutDoubledSpace(text: string, place: Place): string {
  return /(?:\S |^(?: {2})+)$/.test(place.linePrefix) && /^ \S/.test(text) ? text.slice(1) : text;
}
