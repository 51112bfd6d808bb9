// Decides what of a generated text is shown. In: the text so far and the place of the cursor.
// Out: where it ends, as soon as that is known (so that decoding stops there), and the text to
// insert or the reason why there is none. Pure; knows no tokens but their characters.
//
// The text ends at the first of
// * a bracket or a quote that the text behind the cursor already closes (`Place.open`), and a tag
//   that the rest of the line closes;
// * for a line: its end; for a block: the line that is no deeper than the one it belongs to,
//   a closing one included, unless the block goes on below the cursor;
// * a line that repeats one of the next lines of the suffix;
// * a phrase that repeats itself (repetition.ts), and U+FFFD, which stands for no character.
// Where a parser is at hand, what is left is cut to what adds no syntax error (faults.ts).
import { opensBlock } from "./block-head.ts";
import { type Bracket, scanBrackets } from "./brackets.ts";
import { type FaultCounter, wholeLength } from "./faults.ts";
import { ends } from "./open-pairs.ts";
import { firstLine, indentationOf, type Place } from "./place.ts";
import { findRunaway } from "./repetition.ts";

/** The reasons of the protocol's closed list that a text can have for not being shown. */
export type TextReason =
  | "end-of-text"
  | "repeats-suffix"
  | "repeats-itself"
  | "breaks-syntax"
  | "only-space";

/** Where a text ends: `length` of its characters. */
export interface TextEnd {
  readonly length: number;
  /** Why nothing is shown where nothing is left. */
  readonly reason: TextReason;
}

export interface ShownText {
  readonly text: string;
  /** Characters of the rest of the line that the text takes the place of. */
  readonly replaced: number;
  /** Characters of the generated text that reach what is shown: the rest was cut. */
  readonly length: number;
  /** null exactly when `text` is not empty. */
  readonly reason: TextReason | null;
}

/** So much of a line may go on past the rest that it takes the place of: `) {`, `)?;`, `): int {`. */
const longestPastRest = 12;
const leaves = /^\s*(?:return|throw|raise|break|continue)\b/;
const closesBlock = /^\s*(?:[)\]}]|(?:end|fi|done|esac)\b)/;
const goesOn =
  /^\s*(?:(?:\}\s*)?(?:else|elif|elsif|catch|except|finally|rescue|ensure)\b|[)\]}].*[{([]\s*$|\{\s*$)/;

/** Where `text` ends at `place`, or null while only more of it can tell. */
export function findEnd(text: string, place: Place): TextEnd | null {
  const rubbish = findRubbish(text, place);
  // Decoding stopped where either was known first.
  const isFirst = rubbish !== null && findShapeEnd(text.slice(0, rubbish.known), place) === null;
  return isFirst ? rubbish : findShapeEnd(text, place);
}

/**
 * What is shown of the whole generated `text`. `isCut`: it ended at its greatest length; `faults`:
 * of the document, where a parser knows its language.
 */
export function shapeText(
  text: string,
  place: Place,
  isCut: boolean,
  faults: FaultCounter | null = null,
): ShownText {
  const kept = shapeByRules(text, place, isCut);
  if (faults === null) return kept;
  return replaceRest(text, place, { kept, faults }) ?? cutToWhole(kept, place, faults);
}

function shapeByRules(text: string, place: Place, isCut: boolean): ShownText {
  if (text === "") return notShown("end-of-text");
  const whole: TextEnd = {
    length: isCut ? lastWholeLine(text, place) : text.length,
    reason: "only-space",
  };
  const end = withoutOverlap(text, place, findEnd(`${text}\n`, place) ?? whole);
  const runaway = isCut ? findRunaway(text, place.linePrefix, isCut) : null;
  const length = Math.min(end.length, whole.length, runaway?.length ?? Infinity);
  const kept = text.slice(0, length);
  // A blank before the rest of the line may be meant, unless the rest begins with one.
  const shown = /^\S/.test(place.lineSuffix) ? kept : kept.trimEnd();
  if (shown.trim() === "") return notShown(length < end.length ? "repeats-itself" : end.reason);
  const { length: shownLength } = shown;
  return {
    text: withoutDoubledSpace(shown, place),
    replaced: 0,
    length: shownLength,
    reason: null,
  };
}

function notShown(reason: TextReason): ShownText {
  return { text: "", replaced: 0, length: 0, reason };
}

function cutToWhole(shown: ShownText, place: Place, faults: FaultCounter): ShownText {
  if (shown.reason !== null) return shown;
  const head = opensBlockBelow(shown.text, place) ? firstLine(shown.text).length : 0;
  const isBare = (cut: string): boolean =>
    place.mayOpenBlock && (cut.length <= head || endsWithHead(cut, place));
  const length = wholeLength(shown.text, faults, isBare);
  if (length === null || length === shown.text.length) return shown;
  const text = shown.text.slice(0, length);
  if (text.trim() === "") return notShown("breaks-syntax");
  return { ...shown, text, length: shown.length - (shown.text.length - length) };
}

/** Whether the last line opens a block, of which nothing follows. */
function endsWithHead(text: string, place: Place): boolean {
  return opensBlock(text.slice(text.lastIndexOf("\n") + 1), place.languageId);
}

/**
 * The whole line of the text in place of the rest of the line, where the text has all of that and
 * goes on, and where that leaves fewer faults than the text in front of the rest.
 */
function replaceRest(
  text: string,
  place: Place,
  { kept, faults }: { kept: ShownText; faults: FaultCounter },
): ShownText | null {
  const line = firstLine(text).trimEnd();
  const rest = place.lineSuffix.trimEnd();
  if (!place.mayReplaceRest) return null;
  const past = line.length - kept.length - rest.length;
  if (!line.startsWith(rest, kept.length) || past <= 0 || past > longestPastRest) return null;
  const replaced = place.lineSuffix.length;
  const shown = withoutDoubledSpace(line, place);
  const [without, before] = [faults.count(kept.text, 0), faults.count("", 0)];
  const within = faults.count(shown, replaced);
  if (without === null || before === null || within === null) return null;
  if (within > before || within >= without) return null;
  return { text: shown, replaced, length: line.length, reason: null };
}

/** A text that can only go on with more of the same, or that is no text. */
function findRubbish(text: string, place: Place): (TextEnd & { readonly known: number }) | null {
  const runaway = findRunaway(text, place.linePrefix);
  const broken = text.indexOf("\uFFFD");
  if (broken >= 0 && broken < (runaway?.known ?? Infinity))
    return { length: broken, known: broken + 1, reason: "end-of-text" };
  return runaway && { ...runaway, reason: "repeats-itself" };
}

function findShapeEnd(text: string, place: Place): TextEnd | null {
  const ends = [
    endAtCloser(text, place),
    endAtClosingTag(text, place),
    endAtRepeatedLine(text, place),
    place.extent === "block" || opensBlockBelow(text, place)
      ? endAtBlock(text, place)
      : endAtLine(text),
  ];
  return ends.reduce((first, end) => (isEarlier(end, first) ? end : first), null);
}

/** Whether the first line of a text on an empty line begins a block. */
function opensBlockBelow(text: string, place: Place): boolean {
  return place.mayOpenBlock && opensBlock(firstLine(text), place.languageId);
}

function isEarlier(end: TextEnd | null, first: TextEnd | null): boolean {
  return end !== null && (first === null || end.length < first.length);
}

/** The first closer of something that the text behind the cursor closes. */
function endAtCloser(text: string, place: Place): TextEnd | null {
  const { closers } = scanBrackets(text, place.openOnLine);
  const repeated = closers.find((closer, order) => {
    const opener = place.open.at(-1 - order);
    if (opener === undefined) return isOnNextLine(text, place, closer);
    return opener.isClosed && ends(closer.character, opener.character);
  });
  if (repeated === undefined || !isRestKnown(text, repeated.index, place)) return null;
  return { length: repeated.index, reason: "repeats-suffix" };
}

/** Whether it is known if the text goes on past the rest of the line that begins at `index`. */
function isRestKnown(text: string, index: number, place: Place): boolean {
  const goesOn = firstLine(text.slice(index));
  return (
    !place.mayReplaceRest ||
    index + goesOn.length < text.length ||
    goesOn.length > place.lineSuffix.length + longestPastRest
  );
}

/** Whether the next line of the suffix starts with `closer`, in the columns of the closer's line. */
function isOnNextLine(text: string, place: Place, { character, index }: Bracket): boolean {
  if (!place.nextLine.trimStart().startsWith(character)) return false;
  const before = `${place.linePrefix}${text.slice(0, index)}x`;
  const ownLine = before.slice(before.lastIndexOf("\n") + 1);
  return indentationOf(ownLine) === indentationOf(place.nextLine);
}

/** The closing tag that the rest of the line begins with, unless the text opened it. */
function endAtClosingTag(text: string, place: Place): TextEnd | null {
  const [, name] = /^\s*<\/([\w.:-]*)>/.exec(place.lineSuffix) ?? [];
  if (name === undefined) return null;
  let depth = 0;
  for (const { 0: tag, index } of text.matchAll(/<(\/?)([\w.:-]*)(?:\s[^<>]*)?(\/?)>/g)) {
    const isClosing = tag.startsWith("</");
    if (/^<\/?([\w.:-]*)/.exec(tag)?.[1] !== name || tag.endsWith("/>")) continue;
    if (isClosing && depth === 0) return { length: index, reason: "repeats-suffix" };
    depth += isClosing ? -1 : 1;
  }
  return null;
}

function endAtRepeatedLine(text: string, place: Place): TextEnd | null {
  let start = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    const whole = start === 0 ? `${place.linePrefix}${line}` : line;
    const isRepeated = repeatsNext(whole, place.nextLine) || repeatsLater(whole, place.blockLines);
    if (isRepeated) return { length: start, reason: "repeats-suffix" };
    start += line.length + 1;
  }
  return null;
}

/** The same to the last column, or but for the indentation when there is a word in it. */
function repeatsNext(line: string, nextLine: string): boolean {
  if (nextLine === "" || line.trim() !== nextLine.trim()) return false;
  return line.trimEnd() === nextLine.trimEnd() || /\w{3}/.test(nextLine);
}

/** Further down one word is too little: `break;`, `<div>` and `} else {` come again. */
function repeatsLater(line: string, blockLines: readonly string[]): boolean {
  const trimmed = line.trim();
  if (!/\w{3}/.test(trimmed) || !/\w\W+\w/.test(trimmed)) return false;
  return blockLines.some((each) => each.trim() === trimmed);
}

function endAtLine(text: string): TextEnd | null {
  const line = firstLine(text);
  return line.length < text.length ? notRepeated(line.length) : null;
}

function endAtBlock(text: string, place: Place): TextEnd | null {
  const [first = "", ...lines] = text.split("\n");
  if (lines.length > 0 && isOneLineBody(first, place)) return notRepeated(first.length);
  let start = first.length + 1;
  for (const [index, line] of lines.entries()) {
    const isWhole = index < lines.length - 1;
    const isOuter = line.trim() !== "" && indentationOf(line) <= place.baseIndentation;
    if (isOuter && place.goesOnBelow) return notRepeated(start);
    if (leavesRest(line, place)) return notRepeated(start);
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

/** What is below in the block would never be reached. */
function leavesRest(line: string, place: Place): boolean {
  if (!place.goesOnBelow || /^\s*(?:case|default)\b/.test(place.nextLine)) return false;
  return leaves.test(line) && indentationOf(line) <= indentationOf(place.nextLine);
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
  const next = [place.nextLine, ...place.blockLines];
  if (!isWhole && next.some((each) => each.trim().startsWith(line.trim()))) return null;
  if (indentationOf(line) < place.baseIndentation) return notRepeated(start);
  // A word that is not whole may yet become one that goes on with the block.
  if (!isWhole && /^\s*\w+$/.test(line)) return null;
  if (!closesBlock.test(line)) return notRepeated(start);
  return isWhole ? notRepeated(start + line.length) : null;
}

function notRepeated(length: number): TextEnd {
  return { length, reason: "only-space" };
}

/** At the greatest length the last line of a block is a part of one: it is left out. */
function lastWholeLine(text: string, place: Place): number {
  const lineEnd = text.lastIndexOf("\n");
  const isBlock = place.extent === "block" || opensBlockBelow(text, place);
  return isBlock && text.slice(0, lineEnd + 1).trim() !== "" ? lineEnd : text.length;
}

/** Without what the text ends with and the rest of the line starts with. */
function withoutOverlap(text: string, place: Place, end: TextEnd): TextEnd {
  const rest = place.lineSuffix.trim();
  const kept = text.slice(0, end.length).trimEnd();
  for (let length = rest.length; length > 0; length -= 1) {
    // Of a rest with words all counts, or as much of it as the text went on with behind its end.
    const isWhole = length === rest.length || rest[length] === text[end.length];
    if (
      (isWhole || !/\w/.test(rest.slice(0, length))) &&
      overlaps(kept, rest.slice(0, length), place)
    ) {
      return { length: kept.length - length, reason: "repeats-suffix" };
    }
  }
  return end;
}

/** Whether `text` may lose `overlap` at its end; brackets in front are `endAtBracket`'s. */
function overlaps(text: string, overlap: string, { openOnLine }: Place): boolean {
  if (!text.endsWith(overlap) || /^[)\]}]/.test(overlap)) return false;
  const shorter = text.slice(0, text.length - overlap.length);
  const openIn = (each: string): number => scanBrackets(each, openOnLine).open.length;
  return openIn(shorter) <= openIn(text);
}

/**
 * Small models write the blank in front of the cursor once more: one of the two goes. Behind an odd
 * number of blanks alone it may be the indentation's last.
 */
function withoutDoubledSpace(text: string, place: Place): string {
  return /(?:\S |^(?: {2})+)$/.test(place.linePrefix) && /^ \S/.test(text) ? text.slice(1) : text;
}
