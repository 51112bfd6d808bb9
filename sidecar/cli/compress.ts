// `pith compress PATH…`: memories of files and folders, made before an editor needs them.
import { resolve } from "node:path";
import { Command } from "commander";
import { defaults } from "../completion/defaults.ts";
import { UnsupportedError } from "../errors.ts";
import type { CompressReport, MemoryActivity } from "../project/request.ts";
import { configureProject } from "../thread-client.ts";
import { addModelFlags, type ModelFlags, withModel } from "./open-model.ts";
import { createProgress } from "./progress.ts";

interface CompressFlags extends ModelFlags {
  readonly folder: string;
  readonly json?: boolean;
}

export function compressCommand(entry: URL): Command {
  return addModelFlags(new Command("compress"))
    .description("encode files and folders into the bank of memories")
    .argument("<paths...>", "files, or folders with all that is in them")
    .option(
      "--folder <folder>",
      "the workspace whose ignore files hold and that paths are shown in",
      ".",
    )
    .option("--json", "print the result as JSON")
    .action((paths: string[], flags: CompressFlags) => compress(paths, flags, entry));
}

async function compress(paths: string[], flags: CompressFlags, entry: URL): Promise<void> {
  const { budget, bankBytes: bankLimit } = defaults.memory;
  const folders = [resolve(flags.folder)];
  const targets = paths.map((path) => ({ file: resolve(path) }));
  const report = await withModel(entry, flags, async ({ thread }) => {
    const memories = { isEnabled: true, form: "kept" as const, budget, bankLimit };
    await thread.ask(configureProject, { folders, exclude: [], ...memories });
    const progress = createProgress("making memories");
    const onActivity = (activity: MemoryActivity): void => {
      if (activity.kind === "encoding") progress.update(activity.done, activity.total);
    };
    try {
      return await thread.compress(targets, { onActivity });
    } finally {
      progress.stop();
    }
  });
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(reportLines(report));
  const [first, ...others] = report.nothing;
  if (first === undefined) return;
  const more = others.length === 0 ? "" : `, and ${others.length} more paths gave none`;
  throw new UnsupportedError(`compress: ${first.path} gave no memory: ${first.reason}${more}`);
}

function reportLines({ files, spans, tokens, positions, ...left }: CompressReport): string {
  const lines = [
    `${spans} spans of ${files} files: ${tokens} tokens, ${positions} kept`,
    ...left.skipped.map(({ path, reason }) => `left out: ${path} (${reason})`),
    ...left.problems.map(
      ({ path, line, message }) => `demonstrations: ${path}:${line}: ${message}`,
    ),
    ...left.nothing.map(({ path, reason }) => `no memory: ${path} (${reason})`),
    ...left.limits.map(limitLine),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function limitLine({ folder, kind, limit, left }: CompressReport["limits"][number]): string {
  const words = {
    files: `of one folder at most ${limit} files are read; left out: ${left} files`,
    names: `of one folder at most ${limit} names are kept; left out: ${left} files`,
    folders: `at most ${limit} folders are looked into; left out: ${left} folders and more below them`,
  };
  return `limit in ${folder}: ${words[kind]}`;
}
