// Command id -> what it does.

import type { Disposable, Extension, LogOutputChannel } from "vscode";
import { commands, env, l10n, version, window } from "vscode";
import type { Client } from "./client.ts";
import type { History } from "./history.ts";
import { reportFailure } from "./messages.ts";
import type { Pages } from "./pages.ts";
import type { BudgetPanel } from "./panel.ts";
import type { Shades } from "./shades.ts";
import { toggle } from "./switches.ts";

/** What the commands work on. */
export interface Pith {
  client: Client;
  log: LogOutputChannel;
  history: History;
  panel: BudgetPanel;
  pages: Pages;
  shades: Shades;
  extension: Extension<unknown>;
}

/** `args` come from the menu that it was chosen in. */
type Command = (pith: Pith, ...args: unknown[]) => unknown;

// Loaded at first use, because they bring the language client's library, or the protocol, with them.
const models = () => import("./models.ts");
const compress = () => import("./compress.ts");
const demonstrations = () => import("./demonstrations.ts");
const selected = () => import("./selected.ts");

const table: Record<string, Command> = {
  "pith.chooseModel": async ({ client }) => (await models()).chooseModel(client),
  "pith.downloadModel": async ({ client }) => (await models()).downloadModel(client),
  "pith.deleteModel": async ({ client }) => (await models()).deleteModel(client),
  "pith.useModelFile": async () => (await models()).useModelFile(),
  "pith.compressSelection": async (pith) => (await compress()).compressSelection(pith),
  "pith.compressFile": async (pith, ...args) => (await compress()).compressFile(pith, ...args),
  "pith.compressFolder": async (pith, ...args) => (await compress()).compressFolder(pith, ...args),
  "pith.addDemonstration": async () => (await demonstrations()).addDemonstration(),
  "pith.removeDemonstration": async ({ client }) =>
    (await demonstrations()).removeDemonstration(client),
  "pith.showSelection": async (pith) => (await selected()).showSelection(pith),
  "pith.showKept": async (pith) => (await selected()).showKept(pith),
  "pith.copyContext": async ({ client }) =>
    (await import("./copy-context.ts")).copyCompressedContext(client),
  "pith.purgeBank": async ({ client }) => (await import("./bank.ts")).purge(client),
  "pith.toggle": () => toggle(),
  "pith.restartSidecar": ({ client }) => client.restart(),
  "pith.showBudget": () => commands.executeCommand("workbench.view.extension.pith"),
  "pith.showTokens": async ({ client, pages }) =>
    (await import("./tokens.ts")).showTokens(client, pages),
  "pith.showLog": ({ log }) => log.show(),
  "pith.copyDiagnostics": (pith) => copyDiagnostics(pith),
};

/** A failed command says so in a notification and leads to the log. */
export function registerCommands(pith: Pith): Disposable[] {
  return Object.entries(table).map(([id, run]) =>
    commands.registerCommand(id, async (...args: unknown[]) => {
      try {
        await run(pith, ...args);
      } catch (error) {
        pith.log.error(`${id}: ${error}`);
        await reportFailure(pith.log, error instanceof Error ? error.message : `${error}`);
      }
    }),
  );
}

/** Facts for a bug report, none of which is text of the user's. */
async function copyDiagnostics(pith: Pith): Promise<void> {
  await env.clipboard.writeText(await diagnosticText(pith));
  window.setStatusBarMessage(l10n.t("Pith: diagnostics copied"), 3000);
}

async function diagnosticText({ client, extension, history, panel }: Pith): Promise<string> {
  const ours = {
    pith: `${extension.packageJSON.version}`,
    editor: `${env.appName} ${version}`,
    platform: `${process.platform} ${process.arch}, Node ${process.versions.node}`,
    state: JSON.stringify(client.condition),
    process: `${client.processId ?? "none"}`,
    "messages to the token budget": `${panel.posted}`,
  };
  const { diagnostics } = await import("../sidecar/protocol.ts");
  // Without a sidecar the rest is still worth copying, its absence most of all.
  const theirs = await client.request(diagnostics).catch((error) => ({ error: `${error}` }));
  const facts = Object.entries({ ...ours, ...theirs }).map(([name, fact]) => `${name}: ${fact}`);
  return `${[...facts, "last completions:", ...history.lines()].join("\n")}\n`;
}
