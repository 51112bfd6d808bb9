// The table of contents of the client: what lives as long as the window, and who hears of what.
import { type Disposable, type ExtensionContext, window, workspace } from "vscode";
import type { Settings } from "../sidecar/protocol.ts";
import { Client } from "./client.ts";
import { type Pith, registerCommands } from "./commands.ts";
import { InlineCompletions } from "./completion.ts";
import { readEncodings, readSettings, switchedOff } from "./config.ts";
import { tellProblems } from "./demonstrations.ts";
import { History } from "./history.ts";
import { watchCondition, watchMemories } from "./notices.ts";
import { Pages } from "./pages.ts";
import { BudgetPanel } from "./panel.ts";
import { Shades } from "./shades.ts";
import { fillSideBar } from "./side-bar.ts";
import { LiveStatus } from "./status.ts";
import { reportLine } from "./status-text.ts";

let client: Client | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Pith", { log: true });
  const history = new History();
  const trace = (message: string) => {
    history.add(message);
    if (settings().trace !== "off") log.info(message);
  };
  const completions = new InlineCompletions(trace);
  client = new Client({
    program: context.asAbsolutePath("out/pith.mjs"),
    log,
    middleware: {
      provideInlineCompletionItems: completions.provide,
      handleDiagnostics: tellProblems(),
    },
    readSettings: settings,
  });
  const status = new LiveStatus(client.condition);
  const panel = new BudgetPanel(client, context.extensionUri, () => completions.isBusy);
  const pages = new Pages();
  const shades = new Shades();
  const pith = { client, log, history, panel, pages, shades, extension: context.extension };
  context.subscriptions.push(log, client, status, panel, pages, shades);
  context.subscriptions.push(...fillSideBar(client, panel));
  context.subscriptions.push(watchCondition(pith), watchMemories(pith));
  context.subscriptions.push(...registerCommands(pith));
  context.subscriptions.push(...wireSettings(pith, completions, status));
  context.subscriptions.push(
    client.onDidComplete((report) => {
      completions.observe(report);
      trace(reportLine(report));
      // The newer request will report as well; until then the older news stays true.
      if (report.reason !== "superseded" && report.reason !== "cancelled")
        status.show({ last: report });
    }),
    client.onDidChangeActivity((activity) => status.show({ activity })),
    client.onDidChangeCondition((condition) => {
      completions.forget();
      status.show({ condition, last: null });
      if (condition.kind === "ready") void completions.askAgain();
    }),
  );
  void client.start();
}

/** The window waits for this, so no sidecar outlives it. */
export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}

/** What changes with the settings, with trust and with the file that is in front. */
function wireSettings(
  { client: owner, log }: Pith,
  completions: InlineCompletions,
  status: LiveStatus,
): Disposable[] {
  const showOff = () => {
    const languageId = window.activeTextEditor?.document.languageId;
    status.show({ off: switchedOff(settings(), languageId), last: null });
  };
  const apply = () => {
    showOff();
    completions.forget();
    owner.sendSettings().catch((error) => log.error(`settings: ${error}`));
  };
  showOff();
  return [
    window.onDidChangeActiveTextEditor(showOff),
    workspace.onDidGrantWorkspaceTrust(apply),
    workspace.onDidChangeConfiguration((change) => {
      const isRead = ["pith", "files.encoding"].some((each) => change.affectsConfiguration(each));
      if (isRead) apply();
    }),
  ];
}

function settings(): Settings {
  const encodings = readEncodings((languageId) =>
    workspace.getConfiguration("files", languageId === undefined ? null : { languageId }),
  );
  return readSettings(workspace.getConfiguration("pith"), workspace.isTrusted, encodings);
}
