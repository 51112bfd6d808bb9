// Demonstration files `*.pith.md`. In: a file's text. Out: its examples with
// their lines. Optional front matter between `---` lines; examples separated by a line `***`; an
// example is free text, or a task and its answer separated by a line `=>`. Lines within fenced code
// belong to the code, whatever they say.
import { FormatError } from "../errors.ts";

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
  /** VS Code's name of a language; null for demonstrations that serve all. */
  readonly language: string | null;
  readonly title: string | null;
  readonly demonstrations: readonly Demonstration[];
}

interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  readonly isFenced: boolean;
}

const fields: readonly string[] = ["language", "title"];

/** @throws FormatError naming `path` and the line. */
export function parseDemonstrations(text: string, path: string): DemonstrationFile {
  const lines = splitLines(text);
  const frontLength = frontMatterLength(lines, path);
  const front = readFrontMatter(lines.slice(1, Math.max(1, frontLength - 1)), path);
  const body = lines.slice(frontLength);
  checkFences(body, path);
  const demonstrations = splitAt(body, "***")
    .map((part) => readDemonstration(part, path))
    .filter((each) => each !== null);
  if (demonstrations.length === 0) fail(path, lines.length, "there is no example");
  return {
    language: front.get("language") ?? null,
    title: front.get("title") ?? null,
    demonstrations,
  };
}

/** How a demonstration reads in a prompt. */
export function renderDemonstration({ task, text }: Demonstration): string {
  return task === null ? text : `${task}\n${text}`;
}

function splitLines(text: string): Line[] {
  let fence: string | null = null;
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => {
      const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
      const isFenced = fence !== null;
      if (fence === null) fence = mark ?? null;
      else if (mark?.startsWith(fence) && line.trim() === mark) fence = null;
      return { text: line, number: index + 1, isFenced };
    });
}

/** Lines of the front matter, its two marks included; 0 without one. */
function frontMatterLength(lines: readonly Line[], path: string): number {
  if (lines[0]?.text.trimEnd() !== "---") return 0;
  const end = lines.findIndex((line, index) => index > 0 && line.text.trimEnd() === "---");
  if (end < 0) fail(path, 1, "the front matter has no closing line ---");
  return end + 1;
}

function readFrontMatter(lines: readonly Line[], path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { text, number } of lines) {
    if (text.trim() === "") continue;
    const [, name = "", value = ""] = /^(\w+):\s*(.*?)\s*$/.exec(text) ?? [];
    if (name === "") fail(path, number, `${quoted(text)} is not "name: value"`);
    if (!fields.includes(name))
      fail(path, number, `the field ${quoted(name)} is not one of ${fields.join(", ")}`);
    if (value === "") fail(path, number, `the field ${quoted(name)} is empty`);
    if (found.has(name)) fail(path, number, `the field ${quoted(name)} is there twice`);
    found.set(name, value);
  }
  return found;
}

function checkFences(lines: readonly Line[], path: string): void {
  const last = lines.at(-1);
  if (last === undefined || !last.isFenced || /^\s*(`{3,}|~{3,})\s*$/.test(last.text)) return;
  const open = lines.findLast((line) => !line.isFenced);
  fail(path, open?.number ?? 1, "the code fence is never closed");
}

/** Parts between lines that are `mark`, outside of fences; empty ones too. */
function splitAt(lines: readonly Line[], mark: string): Line[][] {
  const parts: Line[][] = [[]];
  for (const line of lines)
    if (!line.isFenced && line.text.trimEnd() === mark) parts.push([]);
    else parts.at(-1)?.push(line);
  return parts;
}

/** Null for blank lines: a separator too many does no harm. */
function readDemonstration(lines: readonly Line[], path: string): Demonstration | null {
  const shown = trimBlank(lines);
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return null;
  const place = { startLine: first.number, endLine: last.number };
  const [before = [], after, again] = splitAt(shown, "=>");
  if (again !== undefined) {
    const second = shown.filter((line) => line.text.trimEnd() === "=>" && !line.isFenced)[1];
    fail(path, second?.number ?? first.number, "the example has a second line =>");
  }
  if (after === undefined) return { task: null, text: joined(before), ...place };
  const [task, text] = [joined(trimBlank(before)), joined(trimBlank(after))];
  if (task === "") fail(path, first.number, "the example has no task before =>");
  if (text === "") fail(path, last.number, "the example has no answer behind =>");
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

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function fail(path: string, line: number, problem: string): never {
  throw new FormatError(`demonstrations: ${path}:${line}: ${problem}`);
}
