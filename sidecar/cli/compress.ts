// `pith compress PATH…`: memories of files and folders, made before an editor needs them.
import { resolve } from "node:path";
import { Command } from "commander";
import { defaults } from "../completion/defaults.ts";
import type { MemoryActivity } from "../project/request.ts";
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
  else {
    const { files, spans, tokens, positions, skipped, problems } = report;
    process.stdout.write(`${spans} spans of ${files} files: ${tokens} tokens, ${positions} kept\n`);
    for (const { path, reason } of skipped) process.stdout.write(`left out: ${path} (${reason})\n`);
    for (const { path, line, message } of problems)
      process.stdout.write(`demonstrations: ${path}:${line}: ${message}\n`);
  }
}
