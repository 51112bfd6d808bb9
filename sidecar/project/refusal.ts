// Of the reasons why a file is no source of memories those for which nothing is completed in it.
import type { Refusal } from "../completion/request.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";

/** `reason`: null for a file that may be read, `unknown` while that is not known. */
export function refusalFor(reason: SkipReason | "unknown" | null): Refusal | null {
  return reason === null ? null : (refusals[reason] ?? null);
}

const refusals: Partial<Record<SkipReason | "unknown", Refusal>> = {
  unknown: "not-checked",
  "ai-ignored": "ignored-file",
  excluded: "ignored-file",
  secret: "secret",
};
