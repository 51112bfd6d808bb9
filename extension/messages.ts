// What Pith says in a notification, always under its name.
import { type LogOutputChannel, l10n, window } from "vscode";

/** What the user has to do, or what has been done. */
export async function tell(message: string): Promise<void> {
  await window.showInformationMessage(message);
}

/** A failure leads to the log. */
export async function reportFailure(log: LogOutputChannel, message: string): Promise<void> {
  const showLog = l10n.t("Show Log");
  const answer = await window.showErrorMessage(`Pith: ${message}`, showLog);
  if (answer === showLog) log.show();
}
