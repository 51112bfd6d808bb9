// The last completions of this window, as the token-budget view shows them.
import type { BudgetReport } from "../sidecar/protocol.ts";

/** As many as one looks back through. */
const longest = 20;

export class BudgetHistory {
  /** Newest first; requests that were overtaken one after the other are one entry. */
  private entries: readonly BudgetReport[] = [];

  add(report: BudgetReport): void {
    const [newest] = this.entries;
    // A view that is opened again is told the last completion again.
    if (newest?.time === report.time && newest.version === report.version) return;
    const isRepeated = isOvertaken(report) && newest !== undefined && isOvertaken(newest);
    const older = isRepeated ? this.entries.slice(1) : this.entries;
    this.entries = [report, ...older].slice(0, longest);
  }

  get reports(): readonly BudgetReport[] {
    return this.entries;
  }

  /** The newest that came to an end: the request that overtook another will report as well. */
  get last(): BudgetReport | null {
    return this.entries.find((report) => !isOvertaken(report)) ?? null;
  }
}

function isOvertaken({ reason }: BudgetReport): boolean {
  return reason === "superseded" || reason === "cancelled";
}
