// Arguments -> one verb that runs, and an exit code: 0, 1 when it failed, 2 when it was badly used.
import { Command, CommanderError } from "commander";
import { errorKind } from "../errors.ts";
import { bankCommand } from "./bank.ts";
import { batchCommand } from "./batch.ts";
import { benchCommand } from "./bench.ts";
import { completeCommand } from "./complete.ts";
import { compressCommand } from "./compress.ts";
import { modelsCommand } from "./models.ts";
import { serveCommand } from "./serve.ts";
import { tokensCommand } from "./tokens.ts";

export interface Program {
  /** The bundle of the engine's thread. */
  readonly entry: URL;
  readonly version: string;
  serve(): Promise<void>;
}

/** @param args without the program's own name */
export async function runCommandLine(args: readonly string[], program: Program): Promise<number> {
  // A reader that has enough, as `head` does, is no failure, and there is nothing left to do.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    await createCommand(program).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`pith: ${describeFailure(error)}\n`);
    return 1;
  }
}

function createCommand({ entry, version, serve }: Program): Command {
  const command = new Command("pith")
    .description("Long editor context in a twelfth of the tokens: local code completion")
    .version(version)
    .addCommand(serveCommand(serve))
    .addCommand(completeCommand(entry))
    .addCommand(batchCommand(entry))
    .addCommand(tokensCommand(entry))
    .addCommand(compressCommand(entry))
    .addCommand(bankCommand())
    .addCommand(modelsCommand())
    .addCommand(benchCommand(entry));
  for (const each of withSubcommands(command))
    each.exitOverride().showHelpAfterError("(--help shows what there is)");
  return command;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Of a bug the stack; of what the user can do something about the message. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isExplained = errorKind(error) !== "internal" || "code" in error;
  return isExplained || error.name === "CatalogueError"
    ? error.message
    : (error.stack ?? error.message);
}
