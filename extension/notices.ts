// The few conditions that are worth a notification of their own; each is told once.
import { type Disposable, l10n, window, workspace } from "vscode";
import type { Pith } from "./commands.ts";
import { offerDownload } from "./models.ts";
import type { Condition } from "./status-text.ts";

/** Watches the sidecar and tells the user what only the user can mend. */
export function watchCondition(pith: Pith): Disposable {
  const told = new Set<string>();
  return pith.client.onDidChangeCondition((condition) => {
    if (condition.kind === "ready") told.clear();
    const subject = subjectOf(condition);
    if (subject === null || told.has(subject)) return;
    told.add(subject);
    tell(pith, condition).then(undefined, (error) => pith.log.error(`notification: ${error}`));
  });
}

/** What tells one notice from another; null when there is nothing to tell. */
function subjectOf(condition: Condition): string | null {
  switch (condition.kind) {
    case "model-missing":
      // In Restricted Mode nothing is completed, so no model is asked for.
      return workspace.isTrusted ? `missing ${condition.model}` : null;
    case "failed":
    case "stopped":
      return `${condition.kind} ${condition.message}`;
    default:
      return null;
  }
}

async function tell(pith: Pith, condition: Condition): Promise<void> {
  if (condition.kind === "model-missing") return offerDownload(pith.client, condition.model);
  if (condition.kind === "failed" || condition.kind === "stopped")
    await tellFailure(pith, condition.message);
}

async function tellFailure({ client, log }: Pith, cause: string): Promise<void> {
  const restart = l10n.t("Restart");
  const showLog = l10n.t("Show Log");
  const message = l10n.t("Pith cannot complete code: {0}", cause);
  const answer = await window.showErrorMessage(message, restart, showLog);
  if (answer === restart) await client.restart();
  if (answer === showLog) log.show();
}
