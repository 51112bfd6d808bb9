// What the token-budget view shows, in words, as a function of what was reported. Knows no editor and
// no page, so that every sentence and every sum can be tested.
import type { BudgetReport, DroppedText, MemorySettings, Stage } from "../sidecar/protocol.ts";
import type { BudgetView, Outcome, Slider, Table } from "../webview/messages.ts";
import { sum, timeGauge, windowGauge } from "./budget-gauges.ts";
import { limitSentence } from "./memory-text.ts";
import type { Counted } from "./remote-budget.ts";
import { type Language, type Translate, wordsFor } from "./status-text.ts";

export interface BudgetState {
  /** null before the first completion. */
  last: BudgetReport | null;
  /** Newest first. */
  history: readonly BudgetReport[];
  /** null where nothing can be counted. */
  counted: Counted | null;
  /** As they are set now, which the next completion will be made by. */
  memories: MemorySettings;
}

/** package.json's maximum of `pith.memories.budget`. */
export const greatestBudget = 3072;
/** From end to end by the keyboard in some hundred steps. */
const budgetStep = 32;

export function budgetView(
  { last, history, counted, memories }: BudgetState,
  language: Language,
): BudgetView {
  const { t } = language;
  const wasAsked = last !== null && last.window > 0;
  return {
    outcome: last === null ? nothingYet(t) : outcomeOf(last, language),
    window: wasAsked ? windowGauge(last, language) : null,
    slider: budgetSlider(memories, t),
    time: wasAsked ? timeGauge(last, language) : null,
    facts: { title: t("Tokens"), entries: wasAsked ? factsOf(last, language) : [] },
    dropped: {
      title: t("Left out"),
      sentences: last === null ? [] : droppedSentences(last, language),
    },
    elsewhere: elsewhereList(counted, language),
    history: historyTable(history, language),
  };
}

function nothingYet(t: Translate): Outcome {
  return { sentence: t("No completion yet."), isEmpty: true };
}

function outcomeOf(
  { reason, shown, generated, stages }: BudgetReport,
  { t, locale }: Language,
): Outcome {
  if (reason !== null) return { sentence: wordsFor(reason, t).sentence, isEmpty: true };
  const ms = new Intl.NumberFormat(locale).format(millisecondsOf(stages));
  const sentence = t("Suggested in {0} ms. Tokens: {1}, characters: {2}.", ms, generated, shown);
  return { sentence, isEmpty: false };
}

function budgetSlider({ enable, budget }: MemorySettings, t: Translate): Slider {
  return {
    label: t("Budget for memories"),
    value: Math.min(greatestBudget, Math.max(0, budget)),
    valueText: t("{0} positions"),
    greatest: greatestBudget,
    step: budgetStep,
    note: enable ? null : t("Memories are switched off by pith.memories.enable."),
  };
}

function factsOf(
  { sources, generated, computed, reused, alignment }: BudgetReport,
  { t, locale }: Language,
): BudgetView["facts"]["entries"] {
  const number = new Intl.NumberFormat(locale);
  const fact = (label: string, count: number) => ({ label, value: number.format(count) });
  const prompt = sources.filter(({ kind }) => kind !== "reserve");
  const facts = [
    fact(t("Tokens of text"), sum(prompt.map(({ before }) => before))),
    fact(t("Positions they take"), sum(prompt.map(({ after }) => after))),
    fact(t("Positions computed"), computed),
    fact(t("Positions reused"), reused),
    fact(t("Tokens of the answer"), generated),
  ];
  if (alignment === null || alignment.way === "off") return facts;
  const { way, tail, ids } = alignment;
  const label = t("Written again ({0})", way);
  return [...facts, { label, value: t("“{0}”, tokens: {1}", tail, ids.length) }];
}

function droppedSentences(
  { dropped, droppedMemories = 0, limits = [] }: BudgetReport,
  language: Language,
): string[] {
  const { t, locale } = language;
  const number = new Intl.NumberFormat(locale);
  return [
    ...dropped.map((each) => droppedSentence(each, language)),
    ...(droppedMemories > 0
      ? [t("Memories that found no room in the budget: {0}.", number.format(droppedMemories))]
      : []),
    ...limits.map((each) => limitSentence(each, language)),
  ];
}

function droppedSentence({ kind, characters, why }: DroppedText, { t, locale }: Language): string {
  const count = new Intl.NumberFormat(locale).format(characters);
  switch (why) {
    case "window":
      return kind === "prefix"
        ? t("Characters before the cursor that the window does not reach: {0}.", count)
        : t("Characters after the cursor that the window does not reach: {0}.", count);
    case "not-infilling":
      return t("Characters after the cursor, which this model does not see: {0}.", count);
    case "behind-end":
      return t("Characters of the answer behind its end: {0}.", count);
    default:
      throw new Error(`budget: unknown reason ${why satisfies never}`);
  }
}

/** Which models count so is how OpenAI's tiktoken maps them. */
function elsewhereList(counted: Counted | null, { t, locale }: Language): BudgetView["elsewhere"] {
  const number = new Intl.NumberFormat(locale);
  if (counted === null) return { title: "", entries: [] };
  const title =
    counted.of === "selection"
      ? t("The selection for models elsewhere")
      : t("This document for models elsewhere");
  const entries = [
    { label: "o200k (GPT-4o, GPT-5)", value: t("{0} tokens", number.format(counted.o200k)) },
    { label: "cl100k (GPT-4, GPT-3.5)", value: t("{0} tokens", number.format(counted.cl100k)) },
  ];
  return { title, entries };
}

function historyTable(reports: readonly BudgetReport[], { t, locale }: Language): Table {
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
  const number = new Intl.NumberFormat(locale);
  const rows = reports.map(({ time, uri, reason, generated, stages }) => {
    const file = decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
    const outcome = reason === null ? t("{0} tokens", generated) : wordsFor(reason, t).short;
    const ms = millisecondsOf(stages);
    return [clock.format(time), file, outcome, number.format(ms)];
  });
  const columns = [t("Time"), t("File"), t("Outcome"), t("ms")];
  return { title: t("Last completions"), columns, rows };
}

function millisecondsOf(stages: readonly Stage[]): number {
  return Math.round(sum(stages.map(({ ms }) => ms)));
}
