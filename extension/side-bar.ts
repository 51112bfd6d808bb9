// Pith's side bar: the token-budget view, or a welcome text until there is something to show. Which
// of them, and which commands are enabled, package.json decides by the contexts that are set here.
import { commands, type Disposable, window, workspace } from "vscode";
import type { Client } from "./client.ts";
import { emptyStateOf, isForView, isRunning } from "./empty-state.ts";
import type { BudgetPanel } from "./panel.ts";

export function fillSideBar(client: Client, panel: BudgetPanel): Disposable[] {
  const contexts = new Contexts();
  let hasCompleted = false;
  const show = () => {
    const { condition } = client;
    const { isTrusted } = workspace;
    contexts.set("pith.emptyState", emptyStateOf(condition, { isTrusted, hasCompleted }));
    contexts.set("pith.isRunning", isRunning(condition));
    contexts.set("pith.isReady", condition.kind === "ready");
  };
  show();
  return [
    // A view without entries shows its welcome text.
    window.registerTreeDataProvider("pith.start", {
      getChildren: () => [],
      getTreeItem: (entry: never) => entry,
    }),
    window.registerWebviewViewProvider("pith.budget", panel),
    workspace.onDidGrantWorkspaceTrust(show),
    client.onDidChangeCondition(show),
    client.onDidComplete((report) => {
      hasCompleted ||= isForView(report);
      show();
    }),
  ];
}

/** Tells the editor what has changed only: it evaluates every clause again each time. */
class Contexts {
  private readonly values = new Map<string, unknown>();

  set(name: string, value: string | boolean): void {
    if (this.values.get(name) === value) return;
    this.values.set(name, value);
    void commands.executeCommand("setContext", name, value);
  }
}
