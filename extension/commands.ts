// Command id -> what it does.

import type { Disposable, Extension, LogOutputChannel, QuickPickItem } from "vscode";
import { ConfigurationTarget, commands, env, l10n, version, window, workspace } from "vscode";
import type { Client } from "./client.ts";
import { isLanguageOn, readSettings } from "./config.ts";
import type { History } from "./history.ts";
import type { Pages } from "./pages.ts";
import type { BudgetPanel } from "./panel.ts";

/** What the commands work on. */
export interface Pith {
  client: Client;
  log: LogOutputChannel;
  history: History;
  panel: BudgetPanel;
  pages: Pages;
  extension: Extension<unknown>;
}

type Command = (pith: Pith) => unknown;

/** Loaded at first use, because it brings the language client's library with it. */
const models = () => import("./models.ts");

const table: Record<string, Command> = {
  "pith.chooseModel": async ({ client }) => (await models()).chooseModel(client),
  "pith.downloadModel": async ({ client }) => (await models()).downloadModel(client),
  "pith.deleteModel": async ({ client }) => (await models()).deleteModel(client),
  "pith.useModelFile": async () => (await models()).useModelFile(),
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
    commands.registerCommand(id, async () => {
      try {
        await run(pith);
      } catch (error) {
        pith.log.error(`${id}: ${error}`);
        await reportFailure(pith.log, error instanceof Error ? error.message : `${error}`);
      }
    }),
  );
}

export async function reportFailure(log: LogOutputChannel, message: string): Promise<void> {
  const showLog = l10n.t("Show Log");
  const answer = await window.showErrorMessage(`Pith: ${message}`, showLog);
  if (answer === showLog) log.show();
}

async function toggle(): Promise<void> {
  const choice = await window.showQuickPick(switches(), {
    title: l10n.t("Pith: Enable or Disable Completions"),
  });
  await choice?.flip();
}

/** One entry for each place where completions can be switched, saying what picking it would do. */
function switches(): (QuickPickItem & { flip(): Thenable<void> })[] {
  const configuration = workspace.getConfiguration("pith");
  const { enable, languages } = readSettings(configuration, true);
  const languageId = window.activeTextEditor?.document.languageId;
  const set = (key: string, value: unknown, target: ConfigurationTarget) => () =>
    configuration.update(key, value, target);
  const language = (id: string) => {
    const isOn = isLanguageOn(languages, id);
    const flip = set("languages", { ...languages, [id]: !isOn }, ConfigurationTarget.Global);
    const label = isOn ? l10n.t("Disable for {0}", id) : l10n.t("Enable for {0}", id);
    return { label, flip };
  };
  const inWorkspace = {
    label: enable ? l10n.t("Disable for this workspace") : l10n.t("Enable for this workspace"),
    flip: set("enable", !enable, ConfigurationTarget.Workspace),
  };
  const everywhere = {
    label: enable ? l10n.t("Disable everywhere") : l10n.t("Enable everywhere"),
    flip: set("enable", !enable, ConfigurationTarget.Global),
  };
  return [
    ...(languageId === undefined ? [] : [language(languageId)]),
    ...(workspace.workspaceFolders === undefined ? [] : [inWorkspace]),
    everywhere,
  ];
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
