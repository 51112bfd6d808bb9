// The few conditions that are worth a notification of their own; each is told once.
import { type Disposable, l10n, window, workspace } from "vscode";
import type { Pith } from "./commands.ts";
import { reportFailure } from "./messages.ts";
import { writeSetting } from "./write-setting.ts";

/** Watches the sidecar and tells the user what only the user can mend. */
export function watchCondition(pith: Pith): Disposable {
  const offered = new Set<string>();
  let failure: string | null = null;
  return pith.client.onDidChangeCondition((condition) => {
    if (condition.kind === "ready") failure = null;
    if (condition.kind === "model-missing") {
      // In Restricted Mode nothing is completed, so no model is asked for.
      if (offered.has(condition.model) || !workspace.isTrusted) return;
      offered.add(condition.model);
      tell(pith, offer(pith, condition.model));
    }
    if (condition.kind === "failed" || condition.kind === "stopped") {
      if (failure === condition.message) return;
      failure = condition.message;
      tell(pith, tellFailure(pith, failure));
    }
  });
}

/** Watches the work on memories and tells why there can be none, with a way out. */
export function watchMemories(pith: Pith): Disposable {
  let told: string | null = null;
  return pith.client.onDidChangeActivity((activity) => {
    if (activity.kind === "reading" || activity.kind === "encoding") told = null;
    if (activity.kind !== "unavailable" || activity.message === told) return;
    told = activity.message;
    tell(pith, offerKept(told));
  });
}

/** A notice lives as long as the user leaves it on screen; what follows from it may fail. */
function tell({ log }: Pith, notice: Promise<void>): void {
  notice.catch((error) => reportFailure(log, error instanceof Error ? error.message : `${error}`));
}

/** The model manager is loaded at first use, because it brings the language client's library. */
async function offer({ client }: Pith, model: string): Promise<void> {
  const { offerDownload } = await import("./models.ts");
  await offerDownload(client, model);
}

async function tellFailure({ client, log }: Pith, cause: string): Promise<void> {
  const restart = l10n.t("Restart");
  const showLog = l10n.t("Show Log");
  const message = l10n.t("Pith cannot complete code: {0}", cause);
  const answer = await window.showErrorMessage(message, restart, showLog);
  if (answer === restart) await client.restart();
  if (answer === showLog) log.show();
}

async function offerKept(cause: string): Promise<void> {
  const useKept = l10n.t("Use Kept Memories");
  const message = l10n.t("Pith completes without memories: {0}", cause);
  if ((await window.showWarningMessage(message, useKept)) === useKept)
    await writeSetting("memories.form", "kept");
}
