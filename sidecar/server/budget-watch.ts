// Where the positions and the time of a completion went. In: its report and what the completer said.
// Out: the report of the token-budget view, while one is to be seen. Knows no LSP.
import type { BudgetReport, CompletionReport, DroppedText } from "../protocol.ts";
import type { ShownCompletion } from "../service.ts";

export class BudgetWatch {
  readonly #send: (report: BudgetReport) => void;
  #isVisible = false;
  #last: (() => BudgetReport) | null = null;

  constructor(send: (report: BudgetReport) => void) {
    this.#send = send;
  }

  /**
   * Hears of every completion; without a view it costs nothing but keeping the answer. The view is told
   * in the next turn, behind the answer that the editor waits for.
   */
  add(report: CompletionReport, answer: ShownCompletion): void {
    const time = Date.now();
    const tell = () => budgetReport(report, answer, time);
    const { reason } = report;
    if (reason !== "superseded" && reason !== "cancelled") this.#last = tell;
    if (!this.#isVisible) return;
    setImmediate(() => {
      if (this.#isVisible) this.#send(tell());
    });
  }

  /**
   * A view that comes to be seen gets the last completion that came to an end: opening the view may
   * itself be what broke off a newer one.
   */
  watch(isVisible: boolean): void {
    const isNew = isVisible && !this.#isVisible;
    this.#isVisible = isVisible;
    if (isNew && this.#last !== null) this.#send(this.#last());
  }
}

/** `time` is that of the answer, in ms since 1970. */
export function budgetReport(
  { uri, version, reason, text, tokens, ms, latencyMs }: CompletionReport,
  { alignment, use, memories, limits }: ShownCompletion,
  time: number,
): BudgetReport {
  const { generated, computed, reused } = tokens;
  const { plan, attach, prefill, decode } = ms;
  return {
    ...{ uri, version, time, reason, shown: text.length },
    window: use?.window ?? 0,
    sources: use === null ? [] : sourcesOf(use, memories, tokens),
    ...{ generated, computed, reused },
    stages: [
      { kind: "wait", ms: latencyMs - plan - attach - prefill - decode },
      { kind: "plan", ms: plan },
      { kind: "attach", ms: attach },
      { kind: "prefill", ms: prefill },
      { kind: "decode", ms: decode },
    ],
    dropped: use === null ? [] : droppedOf(use),
    ...(memories.length > 0 && { droppedMemories: countDropped(memories) }),
    ...(limits && { limits: [...limits] }),
    alignment: alignment && {
      way: alignment.way,
      keptTokens: alignment.keptTokens,
      tail: Buffer.from(alignment.tail).toString("utf8"),
      ids: [...alignment.ids],
    },
  };
}

type WindowUse = NonNullable<ShownCompletion["use"]>;

function sourcesOf(
  { parts, reserve }: WindowUse,
  memories: ShownCompletion["memories"],
  tokens: CompletionReport["tokens"],
): BudgetReport["sources"] {
  const plain = (kind: "header" | "suffix" | "markers") => ({
    kind,
    before: parts[kind],
    after: parts[kind],
  });
  const attached = memories.reduce((sum, { positions }) => sum + positions, 0);
  const sink = parts.blocks - attached;
  const used = memories.filter(({ positions }) => positions > 0);
  return [
    { kind: "sink", before: sink, after: sink },
    ...used.map(({ kind, path, startLine, endLine, tokens: before, positions: after }) => ({
      ...{ kind: "memory" as const, before, after },
      place: { kind, path, startLine, endLine },
    })),
    plain("header"),
    // Without the tail, whose positions are part of the reserve.
    { kind: "prefix", before: tokens.prefix, after: parts.prefix },
    plain("suffix"),
    plain("markers"),
    { kind: "reserve", before: 0, after: reserve },
  ];
}

function countDropped(memories: ShownCompletion["memories"]): number {
  return memories.filter(({ outcome }) => outcome === "no-room").length;
}

function droppedOf({ parts, left }: WindowUse): DroppedText[] {
  const whySuffix = parts.suffix === 0 ? "not-infilling" : "window";
  const dropped: DroppedText[] = [
    { kind: "prefix", characters: left.prefix, why: "window" },
    { kind: "suffix", characters: left.suffix, why: whySuffix },
    { kind: "answer", characters: left.answer, why: "behind-end" },
  ];
  return dropped.filter(({ characters }) => characters > 0);
}
