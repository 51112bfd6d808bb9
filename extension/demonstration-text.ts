// Demonstration files `*.pith.md` as text: an example put in at the end, or taken out. The format is
// the sidecar's: front matter, examples between lines `***`, a task and its answer between a line `=>`.
import type { LineRange } from "../sidecar/protocol.ts";

/** Lines that mean something outside of fenced code; a fence opens as CommonMark has it. */
const mark = /^(\*\*\*|=>)\s*$|^ {0,3}(`{3,}[^`]*|~{3,}.*)$/;

/** Whether a line can be a task, meaning nothing else. */
export function isTask(task: string): boolean {
  const line = task.trim(); // As it is put in.
  return !mark.test(line) && line !== "---";
}

/** An example of free text where the task is empty; a text with lines that mean something is fenced. */
export function exampleText(task: string, text: string, language: string): string {
  const body = text
    .replaceAll("\r\n", "\n")
    .replace(/^(\s*\n)+/, "")
    .trimEnd();
  const answer = body.split("\n").some((line) => mark.test(line)) ? fenced(body, language) : body;
  return task.trim() === "" ? answer : `${task.trim()}\n=>\n${answer}`;
}

/** What has to stand behind a file's text to add an example; a new file begins with its language. */
export function addition(text: string, example: string, language: string): string {
  if (isBlank(text)) return `---\nlanguage: ${language}\n---\n${example}\n`;
  const isFirst = bodyLines(text).every(isBlank);
  return `${text.endsWith("\n") ? "" : "\n"}${isFirst ? "" : "***\n"}${example}\n`;
}

/** The text without the example in those lines and one line beside it; null when none is left. */
export function withoutExample(text: string, { startLine, endLine }: LineRange): string | null {
  const lines = text.split("\n");
  const before = lines.slice(0, startLine);
  const after = lines.slice(endLine);
  const behind = after.findIndex((line) => !isBlank(line));
  if (isSeparator(after[behind])) after.splice(0, behind + 1);
  else {
    const ahead = before.findLastIndex((line) => !isBlank(line));
    if (isSeparator(before[ahead])) before.splice(ahead);
  }
  const rest = [...before, ...after].join("\n");
  const isEmpty = bodyLines(rest).every((line) => isBlank(line) || isSeparator(line));
  return isEmpty ? null : `${rest.trimEnd()}\n`;
}

/** Without the front matter. */
function bodyLines(text: string): string[] {
  const lines = text.split("\n");
  if (lines[0]?.trimEnd() !== "---") return lines;
  return lines.slice(lines.findIndex((line, index) => index > 0 && line.trimEnd() === "---") + 1);
}

/** With a fence longer than any within. */
function fenced(text: string, language: string): string {
  const lengths = [...text.matchAll(/`{3,}/g)].map(([{ length }]) => length);
  const fence = "`".repeat(Math.max(2, ...lengths) + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function isSeparator(line: string | undefined): boolean {
  return line?.trimEnd() === "***";
}
