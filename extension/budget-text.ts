// What the token-budget view shows, in words, as a function of what was reported. Knows no editor and
// no page, so that every sentence and every sum can be tested.
import type {
  BudgetReport,
  BudgetSource,
  DroppedText,
  MemoryPlace,
  Stage,
} from "../sidecar/protocol.ts";
import type { Bar, BudgetView, Gauge, Outcome, Table } from "../webview/messages.ts";
import type { Counted } from "./remote-budget.ts";
import { type Translate, wordsFor } from "./status-text.ts";

export interface Language {
  t: Translate;
  /** Of numbers and times: a BCP 47 tag. */
  locale: string;
}

export interface BudgetState {
  /** null before the first completion. */
  last: BudgetReport | null;
  /** Newest first. */
  history: readonly BudgetReport[];
  /** null where nothing can be counted. */
  counted: Counted | null;
}

export function budgetView(
  { last, history, counted }: BudgetState,
  language: Language,
): BudgetView {
  const { t } = language;
  const wasAsked = last !== null && last.window > 0;
  return {
    outcome: last === null ? nothingYet(t) : outcomeOf(last, language),
    window: wasAsked ? windowGauge(last, language) : null,
    time: wasAsked ? timeGauge(last, language) : null,
    facts: { title: t("Tokens"), entries: wasAsked ? factsOf(last, language) : [] },
    dropped: {
      title: t("Left out"),
      sentences: last?.dropped.map((each) => droppedSentence(each, language)) ?? [],
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

function windowGauge({ sources, window }: BudgetReport, { t, locale }: Language): Gauge {
  const number = new Intl.NumberFormat(locale);
  const used = sum(sources.map(({ after }) => after));
  const taken = barsOf(
    sources
      .filter(({ after }) => after > 0)
      .map((source) => ({
        kind: source.kind,
        label: sourceLabel(source, t),
        length: source.after,
        value: sourceValue(source, number),
      })),
  );
  const free = window - used;
  const rest = { kind: "free", label: t("Free"), value: number.format(free) };
  return {
    title: t("Window"),
    summary: t("{0} of {1}", number.format(used), number.format(window)),
    description: t("{0} of {1} positions are used or reserved.", used, window),
    scale: window,
    bars: [...taken, { ...rest, start: used, length: free }],
  };
}

function sourceLabel({ kind, place }: BudgetSource, t: Translate): string {
  if (kind === "memory") return place === undefined ? t("Memory") : placeLabel(place);
  const labels: Record<Exclude<BudgetSource["kind"], "memory">, string> = {
    sink: t("Sink"),
    header: t("File name"),
    prefix: t("Before the cursor"),
    suffix: t("After the cursor"),
    markers: t("Markers"),
    reserve: t("Reserved for the answer"),
  };
  return labels[kind];
}

/** Lines from 1, the last one included, as people count. */
function placeLabel({ path, startLine, endLine }: MemoryPlace): string {
  return `${path}:${startLine + 1}-${endLine}`;
}

/** Of a memory also the tokens that it stands for, and how many of them share a position. */
function sourceValue({ kind, before, after }: BudgetSource, number: Intl.NumberFormat): string {
  if (kind !== "memory") return number.format(after);
  const ratio = number.format(Math.round((10 * before) / after) / 10);
  return `${number.format(before)} → ${number.format(after)} (${ratio}x)`;
}

function timeGauge({ stages }: BudgetReport, { t, locale }: Language): Gauge {
  const number = new Intl.NumberFormat(locale);
  const labels: Record<Stage["kind"], string> = {
    wait: t("Waiting and sending"),
    plan: t("Planning"),
    attach: t("Attaching memories"),
    prefill: t("Reading, to the first token"),
    decode: t("Writing"),
  };
  const whole = roundedParts(stages.map(({ ms }) => ms));
  const total = sum(whole);
  const bars = stages.map(({ kind }, index) => {
    const length = whole[index] ?? 0;
    return { kind, label: labels[kind], length, value: t("{0} ms", number.format(length)) };
  });
  return {
    title: t("Time"),
    summary: t("{0} ms", number.format(total)),
    description: t("{0} ms from the request to the answer.", total),
    scale: Math.max(1, total),
    bars: barsOf(bars),
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

/** Bars that lie one behind the other. */
function barsOf(parts: readonly Omit<Bar, "start">[]): Bar[] {
  let start = 0;
  return parts.map((part) => {
    const bar = { ...part, start };
    start += part.length;
    return bar;
  });
}

/** Whole numbers that add up to the rounded sum: each is the step of the rounded running sum. */
export function roundedParts(values: readonly number[]): number[] {
  let exact = 0;
  return values.map((value) => {
    const before = Math.round(exact);
    exact += value;
    return Math.round(exact) - before;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
