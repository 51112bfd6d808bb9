// The text of a case file -> a case. What such a file is made of stands in test/cases/README.md.
import { languageOf } from "../../sidecar/workspace/syntax/languages.ts";
import type { RealModelId } from "./weights.ts";

export interface Case {
  readonly path: string;
  readonly languageId: string;
  readonly prefix: string;
  readonly suffix: string;
  /** What writes the text at the cursor: a model of the catalogue, or this text as a model's. */
  readonly source: { readonly model: RealModelId } | { readonly generated: string };
  /** The text ended at its greatest length. */
  readonly isCut: boolean;
  /** What has to hold, one after the other. */
  readonly steps: readonly Step[];
}

/** What has to hold once `typed` was typed over what was shown. */
export interface Step {
  readonly typed: string;
  /** One of them, where there are any; "" is nothing. */
  readonly shown: readonly string[];
  /** None of them matches what is shown. */
  readonly notShown: readonly RegExp[];
  /** One of them, where there are any: the document once what is shown was accepted. */
  readonly after: readonly string[];
  /** Accepting leaves no more syntax errors than there were. */
  readonly isWhole: boolean;
}

const cursor = "‸";
const realModels: readonly RealModelId[] = ["smollm2-135m", "qwen2.5-coder-0.5b"];
const headNames = ["path", "language", "model", "cut", "errors", "line-ends"];
const sectionNames = ["document", "generated", "typed", "shown", "not shown", "after"];

interface Line {
  readonly text: string;
  readonly number: number;
}

interface Section extends Line {
  readonly name: string;
}

interface Head {
  readonly get: (name: string) => string | undefined;
  /** @throws Error for a value that is not one of `values` */
  readonly choose: (name: string, ...values: string[]) => string | undefined;
}

/** @throws Error that names the file and the line where it is no case */
export function parseCase(file: string, text: string): Case {
  const lines = text.split("\n").map((each, index) => ({ text: each, number: index + 1 }));
  if (lines.at(-1)?.text === "") lines.pop();
  const starts = lines.filter(isTitle);
  const head = readHead(file, lines.slice(0, (starts[0]?.number ?? lines.length + 1) - 1));
  const lineEnd = head.choose("line-ends", "lf", "crlf") === "crlf" ? "\r\n" : "\n";
  const sections = starts.map(({ text: title, number }, index): Section => {
    const name = title.slice("--- ".length);
    if (!sectionNames.includes(name))
      fail(file, number, `"${name}" is none of the sections ${sectionNames.join(", ")}`);
    const own = lines.slice(number, (starts[index + 1]?.number ?? lines.length + 1) - 1);
    return { name, number, text: own.map((line) => line.text).join(lineEnd) };
  });
  const path = head.get("path") ?? fail(file, 1, 'the head has no "path"');
  const isWhole = head.choose("errors", "no more") !== undefined;
  return {
    path,
    languageId: head.get("language") ?? languageOf(path).id,
    ...readDocument(file, sections),
    source: readSource(file, head, sections),
    isCut: head.choose("cut", "yes") !== undefined,
    steps: readSteps(file, sections, isWhole),
  };
}

function isTitle({ text }: Line): boolean {
  return text.startsWith("--- ");
}

function readHead(file: string, lines: readonly Line[]): Head {
  const values = new Map<string, { value: string; number: number }>();
  for (const { text, number } of lines.filter(({ text }) => text !== "" && !text.startsWith("#"))) {
    const [, name = "", value = ""] = /^([\w-]+): (.+)$/.exec(text) ?? [];
    if (!headNames.includes(name))
      fail(file, number, `"${text}" is no "name: value" of the names ${headNames.join(", ")}`);
    values.set(name, { value, number });
  }
  return {
    get: (name) => values.get(name)?.value,
    choose: (name, ...allowed) => {
      const found = values.get(name);
      if (found === undefined) return undefined;
      const { value, number } = found;
      if (allowed.includes(value)) return value;
      return fail(file, number, `"${name}" is "${value}", not ${allowed.join(" or ")}`);
    },
  };
}

function readDocument(file: string, sections: readonly Section[]) {
  const { text, number } =
    only(file, sections, "document") ?? fail(file, 1, 'there is no section "document"');
  const parts = text.split(cursor);
  if (parts.length !== 2)
    fail(file, number, `the document has ${parts.length - 1} of ${cursor}, not one`);
  const [prefix = "", suffix = ""] = parts;
  return { prefix, suffix };
}

function readSource(file: string, head: Head, sections: readonly Section[]): Case["source"] {
  const generated = only(file, sections, "generated");
  const model = head.choose("model", ...realModels) as RealModelId | undefined;
  if (generated !== undefined && model === undefined) return { generated: generated.text };
  if (generated === undefined && model !== undefined) return { model };
  return fail(file, 1, 'either the head has a "model" or there is a section "generated"');
}

function readSteps(file: string, sections: readonly Section[], isWhole: boolean): Step[] {
  const starts = sections.flatMap(({ name }, index) => (name === "typed" ? [index] : []));
  const steps = [0, ...starts].map((start, index) => {
    const own = sections.slice(start, starts[index]);
    const texts = (wanted: string) =>
      own.filter(({ name }) => name === wanted).map(({ text }) => text);
    const patterns = texts("not shown").flatMap((text) => text.split(/\r?\n/));
    return {
      typed: texts("typed")[0] ?? "",
      shown: texts("shown"),
      notShown: patterns.map((pattern) => new RegExp(pattern, "u")),
      after: texts("after"),
      isWhole,
    };
  });
  for (const [index, { shown, notShown, after }] of steps.entries())
    if (!isWhole && shown.length + notShown.length + after.length === 0)
      fail(
        file,
        sections[starts[index - 1] ?? 0]?.number ?? 1,
        "nothing is said of what has to hold",
      );
  return steps;
}

function only(file: string, sections: readonly Section[], wanted: string): Section | undefined {
  const [first, second] = sections.filter(({ name }) => name === wanted);
  if (second !== undefined) fail(file, second.number, `there is a second section "${wanted}"`);
  return first;
}

function fail(file: string, line: number, what: string): never {
  throw new Error(`${file}:${line}: ${what}`);
}
