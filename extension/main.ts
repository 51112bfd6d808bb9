// The table of contents of the client: what lives as long as the window, and who hears of what.
import { Disposable, type ExtensionContext, window, workspace } from "vscode";
import { Client } from "./client.ts";
import { registerCommands } from "./commands.ts";
import { InlineCompletions } from "./completion.ts";
import { readSettings } from "./config.ts";
import { watchCondition } from "./notices.ts";
import { StatusItems } from "./status.ts";
import { reportLine, type Status } from "./status-text.ts";

let client: Client | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Pith", { log: true });
  const settings = () => readSettings(workspace.getConfiguration("pith"), workspace.isTrusted);
  const trace = (message: string) => {
    if (settings().trace !== "off") log.info(message);
  };
  const completions = new InlineCompletions(trace);
  const program = context.asAbsolutePath("out/pith.mjs");
  const middleware = { provideInlineCompletionItems: completions.provide };
  const owner = new Client({ program, log, middleware, readSettings: settings });
  const applySettings = () => {
    completions.forget();
    owner.sendSettings().catch((error) => log.error(`settings: ${error}`));
  };
  const pith = { client: owner, log, extension: context.extension };
  context.subscriptions.push(
    log,
    owner,
    showStatus(owner),
    watchCondition(pith),
    ...registerCommands(pith),
    owner.onDidComplete((report) => {
      completions.observe(report);
      trace(reportLine(report));
    }),
    owner.onDidChangeCondition(() => completions.forget()),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("pith")) applySettings();
    }),
    workspace.onDidGrantWorkspaceTrust(applySettings),
  );
  client = owner;
  void owner.start();
}

/** The window waits for this, so no sidecar outlives it. */
export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}

function showStatus(owner: Client): Disposable {
  const items = new StatusItems();
  let status: Status = { condition: owner.condition, last: null };
  const show = (change: Partial<Status>) => {
    status = { ...status, ...change };
    items.show(status);
  };
  const subscriptions = [
    owner.onDidChangeCondition((condition) => show({ condition, last: null })),
    owner.onDidComplete((last) => {
      // The newer request will report as well; until then the older news stays true.
      if (last.reason !== "superseded" && last.reason !== "cancelled") show({ last });
    }),
    items,
  ];
  show({});
  return Disposable.from(...subscriptions);
}
