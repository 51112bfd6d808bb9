// Asks the sidecar for what takes a while, with a notification that says how far it is and can break
// it off. Loaded at first use, because it brings the language client's library with it.
import { randomUUID } from "node:crypto";
import { l10n, ProgressLocation, window } from "vscode";
import {
  LSPErrorCodes,
  type RequestType,
  ResponseError,
  WorkDoneProgress,
  type WorkDoneProgressReport,
} from "vscode-languageclient/node";
import type { Client } from "./client.ts";

/** @returns null when the user broke it off. */
export function requestWithProgress<P extends { token: string }, R>(
  client: Client,
  title: string,
  type: RequestType<P, R, void>,
  params: Omit<P, "token">,
): Thenable<R | null> {
  const options = { location: ProgressLocation.Notification, cancellable: true, title };
  return window.withProgress(options, async (progress, cancellation) => {
    let percent = 0;
    const token = `pith-${randomUUID()}`;
    const subscription = client.onProgress(WorkDoneProgress.type, token, (value) => {
      if (value.kind !== "report" || value.percentage === undefined) return;
      // A new stage begins again at zero; the bar does not go back.
      const increment = Math.max(0, value.percentage - percent);
      progress.report({ increment, message: progressWords(value) });
      percent = value.percentage;
    });
    try {
      return await client.request(type, { ...params, token } as P, cancellation);
    } catch (error) {
      if (isCancel(error)) return null;
      throw error;
    } finally {
      subscription.dispose();
    }
  });
}

/** By the stages that the sidecar names. */
function progressWords({ percentage = 0, message = "" }: WorkDoneProgressReport): string {
  const words: Readonly<Record<string, string>> = {
    reading: l10n.t("reading"),
    encoding: l10n.t("encoding"),
    decoding: l10n.t("decoding"),
  };
  return [words[message] ?? message, `${Math.floor(percentage)} %`].join(" ").trim();
}

function isCancel(error: unknown): boolean {
  return error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled;
}
