// Hosts the token-budget view: its page, its content policy, and what it is told. While the view is
// hidden the sidecar sends nothing for it and it is sent nothing. While somebody types it is told
// little: drawing it takes the editor's own thread, and a processor from the model.
import { randomBytes } from "node:crypto";
import {
  commands,
  type Disposable,
  env,
  l10n,
  Uri,
  type Webview,
  type WebviewView,
  type WebviewViewProvider,
  window,
  workspace,
} from "vscode";
import type { FromView, ToView } from "../webview/messages.ts";
import { BudgetHistory } from "./budget-history.ts";
import { budgetHtml } from "./budget-html.ts";
import { budgetView } from "./budget-text.ts";
import type { Client } from "./client.ts";
import { Coalesced } from "./coalesce.ts";
import { readSettings } from "./config.ts";
import { type Counted, RemoteBudget } from "./remote-budget.ts";
import { writeSetting } from "./write-setting.ts";

/** Ten times a second is as fast as numbers can be read. */
const updateMs = 100;
/** Whoever looks at the view while typing on sees it move. */
const longestMs = 1000;

export class BudgetPanel implements WebviewViewProvider, Disposable {
  private readonly client: Client;
  private readonly assets: Uri;
  private readonly history = new BudgetHistory();
  private readonly update: Coalesced;
  private readonly subscriptions: Disposable[];
  private readonly remote: RemoteBudget;
  private view: WebviewView | null = null;
  private counted: Counted | null = null;
  /** Where the slider stands while its setting is being written; null: where the setting says. */
  private wished: number | null = null;
  private postCount = 0;

  /** While `isBusy`, drawing the view is put off. */
  constructor(client: Client, extension: Uri, isBusy: () => boolean) {
    this.client = client;
    this.assets = Uri.joinPath(extension, "out");
    this.update = new Coalesced(updateMs, () => this.show(), { isBusy, longestMs });
    this.remote = new RemoteBudget(client);
    this.subscriptions = [
      this.remote,
      this.remote.onDidCount((counted) => {
        this.counted = counted;
        this.update.wish();
      }),
      client.onDidBudget((report) => {
        this.history.add(report);
        this.update.wish();
      }),
      // A sidecar that has just started does not know of the view.
      client.onDidChangeCondition(() => this.watch()),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("pith.memories")) this.update.wish();
      }),
    ];
  }

  /** Messages to the page so far, for the diagnostics. */
  get posted(): number {
    return this.postCount;
  }

  resolveWebviewView(view: WebviewView): void {
    this.view = view;
    view.webview.options = { enableScripts: true, localResourceRoots: [this.assets] };
    view.webview.onDidReceiveMessage((message: FromView) => {
      if (message.kind === "budget") void this.setBudget(message.positions);
      else this.show();
    });
    view.onDidChangeVisibility(() => this.watch());
    view.onDidDispose(() => {
      this.view = null;
      this.watch();
    });
    view.webview.html = this.page(view.webview);
    this.watch();
  }

  dispose(): void {
    this.update.dispose();
    for (const each of this.subscriptions) each.dispose();
  }

  private watch(): void {
    const isVisible = this.view?.visible === true;
    this.remote.watch(isVisible);
    // A sidecar that ends meanwhile is told when the next one starts.
    this.client.watchBudget(isVisible).catch(() => {});
  }

  private async setBudget(positions: number): Promise<void> {
    this.wished = positions;
    try {
      await writeSetting("memories.budget", positions);
    } catch (error) {
      // The editor's settings file may hold a mistake, or may not be written.
      const open = l10n.t("Open Settings");
      const message = l10n.t("Pith: the budget could not be set: {0}", `${error}`);
      void window.showErrorMessage(message, open).then((answer) => {
        if (answer === open) void commands.executeCommand("workbench.action.openSettingsJson");
      });
    } finally {
      if (this.wished === positions) this.wished = null;
      this.update.wish();
    }
  }

  private show(): void {
    if (this.view?.visible !== true) return;
    const { last, reports: history } = this.history;
    const { counted } = this;
    const { memories: set } = readSettings(workspace.getConfiguration("pith"), workspace.isTrusted);
    const memories = { ...set, budget: this.wished ?? set.budget };
    const language = { t: l10n.t, locale: env.language };
    const view = budgetView({ last, history, counted, memories }, language);
    const message: ToView = { kind: "show", view };
    this.postCount++;
    void this.view.webview.postMessage(message);
  }

  private page(webview: Webview): string {
    const address = (name: string) => `${webview.asWebviewUri(Uri.joinPath(this.assets, name))}`;
    return budgetHtml({
      language: env.language,
      title: `Pith: ${l10n.t("Token Budget")}`,
      program: address("webview.js"),
      style: address("webview.css"),
      styleSource: webview.cspSource,
      nonce: randomBytes(16).toString("base64"),
    });
  }
}
