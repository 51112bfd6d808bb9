// Demonstration files `*.pith.md`. In: a file's text. Out: its examples with their lines, and what is
// wrong with it. Optional front matter; examples separated by a line `***`; an example is free text,
// or a task and its answer separated by a line `=>`. Lines within fenced code belong to the code,
// whatever they say. What is wrong with one example costs no other.
import { type DemonstrationProblem, problemAt } from "./demonstration-problem.ts";
import { readFrontMatter } from "./front-matter.ts";

export interface Demonstration {
  /** Null for free text. */
  readonly task: string | null;
  /** The answer to the task, or the free text. */
  readonly text: string;
  /** Of the file, from 1, the end inclusive, as people count. */
  readonly startLine: number;
  readonly endLine: number;
}

export interface DemonstrationFile {
  /** VS Code's identifiers; empty for demonstrations that serve all languages. */
  readonly languages: readonly string[];
  /** Null where there is none. */
  readonly title: string | null;
  readonly demonstrations: readonly Demonstration[];
  /** In the order of lines. */
  readonly problems: readonly DemonstrationProblem[];
}

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  readonly isFenced: boolean;
}

/** Lines between two separators, and the line of the one above; 0 at the top. */
interface Part {
  readonly lines: readonly Line[];
  readonly above: number;
}

export function parseDemonstrations(text: string): DemonstrationFile {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
  const { languages, title, length, problems: frontProblems } = readFrontMatter(lines);
  const problems = [...frontProblems];
  const body = readFences(lines.slice(length), length + 1, problems);
  const parts = splitAt(body, "***");
  const demonstrations = parts.flatMap((part) => readDemonstration(part, problems) ?? []);
  for (const { above } of emptyBetween(parts)) problems.push(problemAt(above, "empty-example"));
  if (demonstrations.length === 0 && problems.length === 0)
    problems.push(problemAt(lines.length, "no-example"));
  problems.sort((one, other) => one.line - other.line);
  return { languages, title: title === "" ? null : title, demonstrations, problems };
}

/** How a demonstration reads in a prompt. */
export function renderDemonstration({ task, text }: Demonstration): string {
  return task === null ? text : `${task}\n${text}`;
}

/**
 * CommonMark 0.31, section 4.5: at most three blanks in front; what follows backquotes holds none, so
 * that code between three backquotes on one line opens nothing.
 */
const opening = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/;
const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/;

/** Of the same character and at least as long closes; a fence that nothing closes goes to the end. */
function readFences(
  texts: readonly string[],
  firstNumber: number,
  problems: DemonstrationProblem[],
): Line[] {
  let fence: { readonly mark: string; readonly number: number } | null = null;
  const lines: Line[] = [];
  for (const [index, text] of texts.entries()) {
    const number = firstNumber + index;
    lines.push({ text, number, isFenced: fence !== null });
    if (fence === null) {
      const [, backquotes, tildes] = opening.exec(text) ?? [];
      const mark = backquotes ?? tildes;
      if (mark !== undefined) fence = { mark, number };
    } else if (closing.exec(text)?.[1]?.startsWith(fence.mark)) fence = null;
  }
  if (fence !== null) problems.push(problemAt(fence.number, "open-fence"));
  return lines;
}

/** Parts between lines that are `mark`, outside of fences; empty ones too. */
function splitAt(lines: readonly Line[], mark: string): Part[] {
  const marks = lines.flatMap((line, index) => (isMark(line, mark) ? [index] : []));
  const starts = [-1, ...marks];
  return starts.map((start, index) => ({
    lines: lines.slice(start + 1, starts[index + 1]),
    above: lines[start]?.number ?? 0,
  }));
}

/** A separator too many at the top or at the end does no harm. */
function emptyBetween(parts: readonly Part[]): Part[] {
  const isEmpty = ({ lines }: Part): boolean => trimBlank(lines).length === 0;
  const last = parts.findLastIndex((part) => !isEmpty(part));
  return parts.slice(parts.findIndex((part) => !isEmpty(part)) + 1, last + 1).filter(isEmpty);
}

function isMark({ text, isFenced }: Line, mark: string): boolean {
  return !isFenced && text.trimEnd() === mark;
}

/** Null for blank lines, and for an example that cannot be read. */
function readDemonstration(part: Part, problems: DemonstrationProblem[]): Demonstration | null {
  const shown = trimBlank(part.lines);
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return null;
  const tell = (kind: DemonstrationProblem["kind"], line: number) => {
    problems.push(problemAt(line, kind));
    return null;
  };
  const place = { startLine: first.number, endLine: last.number };
  const [before, after, again] = splitAt(shown, "=>");
  if (before === undefined || after === undefined)
    return { task: null, text: joined(shown), ...place };
  if (again !== undefined) return tell("second-arrow", again.above);
  const [task, text] = [joined(trimBlank(before.lines)), joined(trimBlank(after.lines))];
  if (task === "") return tell("no-task", after.above);
  if (text === "") return tell("no-answer", after.above);
  return { task, text, ...place };
}

function trimBlank(lines: readonly Line[]): readonly Line[] {
  const isShown = ({ text }: Line): boolean => text.trim() !== "";
  const start = lines.findIndex(isShown);
  return start < 0 ? [] : lines.slice(start, lines.findLastIndex(isShown) + 1);
}

function joined(lines: readonly Line[]): string {
  return lines.map(({ text }) => text).join("\n");
}
