// Shows the status: an item in the status bar and one in the language status menu.

import type { Command, Disposable } from "vscode";
import {
  LanguageStatusSeverity,
  l10n,
  languages,
  StatusBarAlignment,
  ThemeColor,
  window,
} from "vscode";
import { Coalesced } from "./coalesce.ts";
import type { Condition, Status, StatusView } from "./status-text.ts";
import { viewOf } from "./status-text.ts";

const severities: Record<StatusView["severity"], LanguageStatusSeverity> = {
  information: LanguageStatusSeverity.Information,
  warning: LanguageStatusSeverity.Warning,
  error: LanguageStatusSeverity.Error,
};

/** Faster than it can be read, numbers only flicker. */
const updateMs = 250;

/** The status as it is now; a change of one part shows at once, those that follow soon together. */
export class LiveStatus implements Disposable {
  private status: Status;
  private readonly update = new Coalesced(updateMs, () => this.paint());
  private readonly bar = window.createStatusBarItem("pith.status", StatusBarAlignment.Right, 100);
  private readonly item = languages.createLanguageStatusItem("pith.status", "*");

  constructor(condition: Condition) {
    this.status = { condition, last: null, off: null, activity: { kind: "resting" } };
    this.bar.name = "Pith";
    this.item.name = "Pith";
  }

  show(change: Partial<Status>): void {
    this.status = { ...this.status, ...change };
    this.update.wish();
  }

  dispose(): void {
    this.update.dispose();
    this.bar.dispose();
    this.item.dispose();
  }

  private paint(): void {
    const view = viewOf(this.status, l10n.t);
    const command = commandOf(view);
    this.bar.text = view.text;
    this.bar.tooltip = `Pith: ${view.detail}`;
    this.bar.accessibilityInformation = { label: `Pith: ${view.detail}` };
    this.bar.command = command;
    this.bar.backgroundColor = backgroundOf(view);
    this.bar.show();
    Object.assign(this.item, { text: "Pith", detail: view.detail, busy: view.isBusy, command });
    this.item.severity = severities[view.severity];
  }
}

function commandOf({ command }: StatusView): Command {
  switch (command) {
    case "pith.downloadModel":
      return { command, title: l10n.t("Download Model") };
    case "pith.restartSidecar":
      return { command, title: l10n.t("Restart") };
    case "pith.chooseModel":
      return { command, title: l10n.t("Choose Model") };
    case null: {
      const title = l10n.t("Commands");
      return { command: "workbench.action.quickOpen", title, arguments: [">Pith: "] };
    }
    default:
      throw new Error(`status: unknown command ${command satisfies never}`);
  }
}

function backgroundOf({ severity }: StatusView): ThemeColor | undefined {
  if (severity === "information") return undefined;
  return new ThemeColor(`statusBarItem.${severity}Background`);
}
