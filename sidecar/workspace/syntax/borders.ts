// Where a text may be cut, line by line: `borders[i]` says how good a cut before line i is, the
// lower the better. Statements and members come first, the outer ones before the inner, then the
// items of long lists, then blank lines, the less indented first. Line ends are left to the cutter.

import type { SyntaxNode } from "./syntax.ts";
import { leadingTypes } from "./tables.ts";

/** [lines] The rank of a cut before each line; `lineEnd` where there is nothing but a line end. */
export type Borders = Float64Array;

/** Rank of a line that begins nothing. */
export const lineEnd = 1e6;
const itemRank = 1_000; // Deeper nesting than this is no code.
const blankRank = 2_000;

interface Capture {
  readonly name: string;
  readonly node: SyntaxNode;
}

/** For text without a grammar. */
export function plainBorders(text: string): Borders {
  const borders = new Float64Array(countLines(text)).fill(lineEnd);
  setPlainBorders(borders, text, [[0, borders.length]]);
  return borders;
}

/** Makes the lines of `ranges` (end exclusive) those of plain text. */
export function setPlainBorders(
  borders: Borders,
  text: string,
  ranges: readonly (readonly [start: number, end: number])[],
): void {
  if (ranges.length === 0) return;
  const lines = text.split("\n");
  for (const [start, end] of ranges)
    for (let line = start; line < Math.min(end, borders.length); line += 1) {
      const isAfterBlank = line > 0 && isBlank(lines[line - 1]) && !isBlank(lines[line]);
      borders[line] = isAfterBlank ? blankRank + indentation(lines[line] ?? "") : lineEnd;
    }
}

/** `captures` are statements and list items in the order of the text, the outer before the inner. */
export function readBorders(captures: readonly Capture[], text: string): Borders {
  const lines = text.split("\n");
  const borders = plainBorders(text);
  const open: number[] = []; // ends of the captures around the one at hand
  let ledLine = -1; // the line behind a comment or decorator, which holds what it belongs to
  for (const { name, node } of captures) {
    const depth = enter(node, open);
    if (!beginsLine(node, lines)) continue;
    const { row } = node.startPosition;
    const rank = depth + (name === "statement" ? 0 : itemRank);
    // Of several that begin on a line the outermost came first.
    if ((borders[row] ?? 0) >= blankRank) borders[row] = row === ledLine ? lineEnd : rank;
    if (leadingTypes.has(node.type)) ledLine = lineBehind(node);
  }
  return borders;
}

/** The number of captures around `node`. */
function enter({ startIndex, endIndex }: SyntaxNode, open: number[]): number {
  while (open.length > 0 && (open.at(-1) ?? 0) <= startIndex) open.pop();
  return open.push(endIndex) - 1;
}

function beginsLine({ startPosition: { row, column } }: SyntaxNode, lines: string[]): boolean {
  return isBlank((lines[row] ?? "").slice(0, column));
}

function lineBehind(node: SyntaxNode): number {
  const { row, column } = node.endPosition;
  return column === 0 ? row : row + 1; // Rust's line comments hold their line end.
}

function countLines(text: string): number {
  return text.split("\n").length;
}

function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === "";
}

function indentation(line: string): number {
  return line.length - line.trimStart().length;
}
