// Cuts a text into pieces of at most `limit` tokens at the best borders there are, never inside a
// line: the whole if it fits, else its outermost statements side by side, as many as fit together,
// and what is too long by itself again by the next inner border.
import { type Borders, lineEnd } from "./syntax/borders.ts";

export interface Piece {
  /** Lines of the text, the end exclusive. */
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
}

export interface CutOptions {
  readonly countTokens: (text: string) => number;
  /** Tokens of a piece. */
  readonly limit: number;
  /** Tokens that stand in front of the first piece and belong to it, as a header; default 0. */
  readonly leadTokens?: number;
}

interface Lines {
  readonly starts: readonly number[]; // [lines + 1] offsets, the last is the text's length
  readonly text: string;
  readonly borders: Borders;
}

type Range = readonly [startLine: number, endLine: number];

/**
 * A neighbour below this share of the limit is joined on where both fit: each memory has a cost. On
 * real code in twelve languages that saves a ninth of the pieces.
 */
const smallShare = 0.25;

/**
 * Lines counted one by one make up to this much more than together, where a vocabulary joins line
 * ends with the indentation behind them. In between it is worth counting together.
 */
const joiningFactor = 1.25;

/**
 * The pieces in order; together they are the text. A single line over the limit is a piece of its
 * own, which its encoder cuts at a token border.
 */
export function cutText(text: string, borders: Borders, options: CutOptions): Piece[] {
  if (text === "") return [];
  const lines: Lines = { text, starts: lineStarts(text), borders };
  const exact = memoised(
    (range) => options.countTokens(textOf(lines, range)) + leadOf(range, options),
  );
  const quick = quickCount(lines, exact, options);
  const whole: Range = [0, lines.starts.length - 1];
  const { limit } = options;
  return joinSmall(cutRange(whole, lines, quick, limit), quick, limit)
    .flatMap((range) => cutRange(range, lines, exact, limit))
    .map((range) => {
      const [startLine, endLine] = range;
      return { startLine, endLine, text: textOf(lines, range) };
    });
}

type Count = (range: Range) => number;

function leadOf([start]: Range, { leadTokens = 0 }: CutOptions): number {
  return start === 0 ? leadTokens : 0;
}

/** The sum over the lines, each counted once, unless that leaves open whether they fit. */
function quickCount(lines: Lines, exact: Count, options: CutOptions): Count {
  const { countTokens, limit } = options;
  const sums = [0]; // [lines + 1] tokens before each line
  for (let line = 0; line + 1 < lines.starts.length; line += 1)
    sums.push((sums[line] ?? 0) + countTokens(textOf(lines, [line, line + 1])));
  return (range) => {
    const sum = (sums[range[1]] ?? 0) - (sums[range[0]] ?? 0) + leadOf(range, options);
    return sum <= limit || sum > joiningFactor * limit ? sum : exact(range);
  };
}

function cutRange(range: Range, lines: Lines, count: Count, limit: number): Range[] {
  const [start, end] = range;
  if (end - start === 1 || count(range) <= limit) return [range];
  const pieces: Range[] = [];
  let pending: Range | null = null; // parts that fit together so far
  for (const part of partsOf(range, lines.borders)) {
    const joined: Range | null = pending && [pending[0], part[1]];
    if (joined !== null && count(joined) <= limit) pending = joined;
    else {
      if (pending !== null) pieces.push(...cutRange(pending, lines, count, limit));
      pending = part;
    }
  }
  if (pending !== null) pieces.push(...cutRange(pending, lines, count, limit));
  return pieces;
}

/** Cuts at the lowest rank inside `range`; there always is one, since every line has a rank. */
function partsOf([start, end]: Range, borders: Borders): Range[] {
  let best = lineEnd;
  for (let line = start + 1; line < end; line += 1) best = Math.min(best, borders[line] ?? best);
  const cuts = [start];
  for (let line = start + 1; line < end; line += 1)
    if ((borders[line] ?? lineEnd) === best) cuts.push(line);
  return cuts.map((cut, index): Range => [cut, cuts[index + 1] ?? end]);
}

function joinSmall(ranges: readonly Range[], count: Count, limit: number): Range[] {
  const small = smallShare * limit;
  const joined: Range[] = [];
  for (const range of ranges) {
    const last = joined.at(-1);
    const both: Range | undefined = last && [last[0], range[1]];
    const isSmall = last !== undefined && (count(last) < small || count(range) < small);
    if (both !== undefined && isSmall && count(both) <= limit) joined[joined.length - 1] = both;
    else joined.push(range);
  }
  return joined;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  if (starts.at(-1) !== text.length) starts.push(text.length);
  return starts;
}

function textOf({ text, starts }: Lines, [start, end]: Range): string {
  return text.slice(starts[start], starts[end]);
}

function memoised(count: Count): Count {
  const known = new Map<string, number>();
  return (range) => {
    const key = range.join();
    const found = known.get(key) ?? count(range);
    known.set(key, found);
    return found;
  };
}
