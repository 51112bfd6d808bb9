// The front matter of a demonstration file: YAML between two lines `---` at the very top. In: the
// file's lines. Out: the fields that Pith knows, how many lines they take, and what is wrong with them.
import { FAILSAFE_SCHEMA, load, YAMLException } from "js-yaml";
import {
  type DemonstrationProblem,
  type ProblemKind,
  problemAt,
  quoted,
} from "./demonstration-problem.ts";
import { languageNamed } from "./language-names.ts";

export interface FrontMatter {
  /** VS Code's identifiers; empty for examples that serve all languages. */
  readonly languages: readonly string[];
  readonly title: string | null;
  /** Lines, the two marks included; 0 without front matter. */
  readonly length: number;
  readonly problems: readonly DemonstrationProblem[];
}

const mark = /^---[ \t]*$/;
/** Where the closing mark is missing, the fields end where lines no longer look like one. */
const fieldLine = /^\s*(#.*|[\w-]+[ \t]*:(\s.*)?)?$/;

export function readFrontMatter(lines: readonly string[]): FrontMatter {
  if (!mark.test(lines[0] ?? "")) return { languages: [], title: null, length: 0, problems: [] };
  const end = lines.findIndex((line, index) => index > 0 && mark.test(line));
  if (end > 0) return { ...readFields(lines.slice(1, end)), length: end + 1 };
  const other = lines.findIndex((line, index) => index > 0 && !fieldLine.test(line));
  const length = other < 0 ? lines.length : other;
  const { problems, ...fields } = readFields(lines.slice(1, length));
  return { ...fields, length, problems: [problemAt(1, "open-front-matter"), ...problems] };
}

function readFields(lines: readonly string[]): Omit<FrontMatter, "length"> {
  const problems: DemonstrationProblem[] = [];
  const tell = (kind: ProblemKind, subject: string, index: number) =>
    problems.push(problemAt(index + firstLine, kind, subject));
  const fields = parseYaml(lines, (reason, index) => tell("front-matter", reason, index));
  const languages: string[] = [];
  let title: string | null = null;
  for (const [name, value] of fields) {
    const index = lineOf(name, lines);
    if (name === "title") title = textOf(value);
    else if (name === "language") languages.push(...textsOf(value));
    else tell("unknown-field", quoted(name), index);
    if (name !== "title" && name !== "language") continue;
    if (isEmpty(value)) tell("empty-field", quoted(name), index);
    else if (name === "title" ? title === null : languages.length === 0)
      tell("wrong-field", quoted(name), index);
  }
  const named = languages.map((language) => languageNamed(language));
  for (const { id, isKnown } of named)
    if (!isKnown) tell("unknown-language", quoted(id), lineOf("language", lines));
  return { languages: [...new Set(named.map(({ id }) => id))], title, problems };
}

/** The line of the file that the first line behind the mark is. */
const firstLine = 2;

function parseYaml(
  lines: readonly string[],
  onProblem: (reason: string, index: number) => void,
): [name: string, value: unknown][] {
  try {
    const fields = load(lines.join("\n"), { schema: FAILSAFE_SCHEMA }) ?? {};
    if (typeof fields === "object" && !Array.isArray(fields)) return Object.entries(fields);
    const first = lines.findIndex((line) => line.trim() !== "");
    onProblem('"name: value" is wanted', first);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const last = Math.max(0, lines.length - 1);
    onProblem(error.reason, Math.min(error.mark?.line ?? 0, last));
  }
  return [];
}

/** Of a field at the top; 0 where it is written in a way that only YAML knows. */
function lineOf(name: string, lines: readonly string[]): number {
  const starts = [name, `"${name}"`, `'${name}'`];
  const index = lines.findIndex((line) =>
    starts.some((start) => line.startsWith(start) && /^[ \t]*:/.test(line.slice(start.length))),
  );
  return Math.max(0, index);
}

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0) || textOf(value) === "";
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value.trim() : null;
}

/** One name or a list of names; empty where it is neither. */
function textsOf(value: unknown): string[] {
  const texts = (Array.isArray(value) ? value : [value]).map(textOf);
  const isRight = texts.every((text) => text !== null && text !== "");
  return isRight ? texts.flatMap((text) => text ?? []) : [];
}
