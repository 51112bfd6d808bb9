// `pith serve`: the language server, for any editor.
import { Command } from "commander";

/** @param serve starts the server and returns; the client ends the process. */
export function serveCommand(serve: () => Promise<void>): Command {
  return new Command("serve")
    .description("serve an editor on standard input and output: LSP 3.18, inline completion")
    .option("--json", "messages are JSON-RPC, with this flag or without")
    .option("--stdio", "the only way of serving; language clients name it")
    .option("--clientProcessId <id>", "a process with which the server ends, too")
    .addHelpText(
      "after",
      "\nSettings come as initializationOptions and with the notification pith/settings.\n",
    )
    .action(serve);
}
