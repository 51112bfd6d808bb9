// `pith complete FILE:LINE:COL`: what the editor would show at a place in a file.
import { basename, extname, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { AlignmentSetting } from "../alignment/align.ts";
import { defaults } from "../completion/defaults.ts";
import { LimitError, UnsupportedError } from "../errors.ts";
import type { Cursor } from "../project/near-text.ts";
import type { MemoryActivity } from "../project/request.ts";
import { completeInline, configureProject, type EngineThread } from "../thread-client.ts";
import { isWithin, pathWithin } from "../workspace/is-within.ts";
import { readTextArgument } from "./file-argument.ts";
import { addModelFlags, type ModelFlags, withModel } from "./open-model.ts";
import { createProgress } from "./progress.ts";

/** As editors show it: from 1, columns in UTF-16 code units. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface CompleteFlags extends ModelFlags {
  readonly json?: boolean;
  readonly multiline: boolean;
  readonly context?: string;
  readonly alignment: AlignmentSetting;
}

export function completeCommand(entry: URL): Command {
  return addModelFlags(new Command("complete"))
    .description("print the completion at a place in a file")
    .argument("<file:line:column>", "from 1; columns in UTF-16 code units", parsePlace)
    .addOption(
      new Option("--alignment <how>", "what is done for text that ends inside a token")
        .choices(["exact", "token", "off"])
        .default("exact"),
    )
    .option("--context <folder>", "put memories of the folder's files in front, made first")
    .option("--no-multiline", "complete a line even where a block begins")
    .option("--json", "print the text, the reason for an empty one, counts and times as JSON")
    .action((place: Place, flags: CompleteFlags) => completeAt(place, flags, entry));
}

/** @throws InvalidArgumentError, which commander reports as bad use. */
export function parsePlace(text: string): Place {
  const [, file, line, column] = /^(.+):(\d+):(\d+)$/s.exec(text) ?? [];
  const place = { file: file ?? "", line: Number(line), column: Number(column) };
  if (!(place.line >= 1 && place.column >= 1))
    throw new InvalidArgumentError("FILE:LINE:COLUMN is wanted, counted from 1.");
  return place;
}

/** @throws LimitError for a place outside the text. */
export function cutAtPlace(
  text: string,
  { file, line, column }: Place,
): { prefix: string; suffix: string } {
  const starts = [
    0,
    ...Array.from(text.matchAll(/\r\n|\n|\r/g), (end) => end.index + end[0].length),
  ];
  const start = starts[line - 1];
  if (start === undefined)
    throw new LimitError(`${file}: line ${line} exceeds ${starts.length} lines`);
  const length = text.slice(start, starts[line]).replace(/[\r\n]+$/, "").length;
  if (column > length + 1)
    throw new LimitError(`${file}: column ${column} exceeds ${length + 1} in line ${line}`);
  const offset = start + column - 1;
  return { prefix: text.slice(0, offset), suffix: text.slice(offset) };
}

async function completeAt(place: Place, flags: CompleteFlags, entry: URL): Promise<void> {
  const cut = cutAtPlace(await readTextArgument(place.file), place);
  const file = resolve(place.file);
  const languageId = languages[extname(file).toLowerCase()] ?? "";
  const answer = await withModel(entry, flags, async ({ thread }) => {
    const cursor = { file, languageId, ...cut };
    if (flags.context !== undefined) await makeMemories(thread, flags.context, cursor);
    return await thread.ask(completeInline, {
      ...cursor,
      path: headerPath(file),
      multiline: flags.multiline ? "auto" : "never",
      alignment: flags.alignment,
    });
  });
  if (flags.json) process.stdout.write(`${JSON.stringify(answer, bytesAsBase64)}\n`);
  else if (answer.reason === null) {
    process.stdout.write(`${answer.text}\n`);
    if (answer.replaced > 0)
      process.stderr.write(
        `in place of ${JSON.stringify(cut.suffix.slice(0, answer.replaced))} behind the cursor\n`,
      );
  } else process.stderr.write(`nothing to show: ${answer.reason}\n`);
}

/** As in the answers of `pith batch`. */
function bytesAsBase64(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

/** What an editor does in a pause. @throws UnsupportedError for a file that is not in the folder */
async function makeMemories(thread: EngineThread, folder: string, cursor: Cursor): Promise<void> {
  const root = resolve(folder);
  if (!isWithin(cursor.file, root))
    throw new UnsupportedError(`${cursor.file}: is not in the folder ${folder} of --context`);
  const { budget, bankBytes: bankLimit } = defaults.memory;
  const memories = { isEnabled: true, form: "kept" as const, budget, bankLimit };
  await thread.ask(configureProject, { folders: [root], exclude: [], ...memories });
  const progress = createProgress("making memories");
  const onActivity = (activity: MemoryActivity): void => {
    if (activity.kind === "encoding") progress.update(activity.done, activity.total);
  };
  try {
    await thread.work({ edits: [], touched: [], cursor }, { onActivity });
  } finally {
    progress.stop();
  }
}

/** Relative to where we are, as an editor does it with its workspace. */
function headerPath(file: string): string {
  const here = process.cwd();
  return isWithin(file, here) ? pathWithin(here, file) : basename(file);
}

/** The identifiers that decide how a block begins or a statement ends; else braces and lines do. */
const languages: Record<string, string> = {
  ".bzl": "starlark",
  ".c": "c",
  ".cc": "cpp",
  ".cpp": "cpp",
  ".cr": "crystal",
  ".cs": "csharp",
  ".dart": "dart",
  ".ex": "elixir",
  ".exs": "elixir",
  ".gd": "gdscript",
  ".h": "cpp",
  ".hpp": "cpp",
  ".java": "java",
  ".jl": "julia",
  ".lua": "lua",
  ".luau": "luau",
  ".nim": "nim",
  ".php": "php",
  ".py": "python",
  ".pyi": "python",
  ".pyx": "cython",
  ".rb": "ruby",
  ".rs": "rust",
  ".sh": "shellscript",
};
