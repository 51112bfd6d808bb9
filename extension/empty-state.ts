// Which of the welcome texts stands in Pith's side bar, or that the token-budget view does.
import type { CompletionReport } from "../sidecar/protocol.ts";
import type { Condition } from "./status-text.ts";

/** package.json's `viewsWelcome` has a text for each but `none`. */
export const emptyStates = [
  "untrusted",
  "model-missing",
  "failed",
  "starting",
  "nothing-yet",
  "none",
] as const;
export type EmptyState = (typeof emptyStates)[number];

/** `hasCompleted`: there has been a completion that the view has something to say about. */
export function emptyStateOf(
  { kind }: Condition,
  known: { isTrusted: boolean; hasCompleted: boolean },
): EmptyState {
  if (!known.isTrusted) return "untrusted";
  if (kind === "model-missing" || kind === "downloading") return "model-missing";
  if (known.hasCompleted) return "none";
  if (kind === "failed" || kind === "stopped") return "failed";
  return kind === "ready" ? "nothing-yet" : "starting";
}

/** The other reasons are what the welcome texts are about. */
export function isForView({ reason }: CompletionReport): boolean {
  return reason !== "untrusted" && reason !== "model-missing" && reason !== "model-loading";
}

/** Whether the sidecar can be asked anything. */
export function isRunning({ kind }: Condition): boolean {
  return kind !== "starting" && kind !== "restarting" && kind !== "stopped";
}
