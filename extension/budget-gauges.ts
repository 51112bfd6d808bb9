// The gauges of the token-budget view: what the window's positions and a completion's milliseconds
// went to. Bars lie one behind the other and add up to the whole.
import type { BudgetReport, BudgetSource, Stage } from "../sidecar/protocol.ts";
import type { Bar, Gauge } from "../webview/messages.ts";
import { placeLabel, ratioOf } from "./memory-text.ts";
import type { Language } from "./status-text.ts";

/** More memories than this are one row, which unfolds. */
const mostRows = 4;

export function windowGauge({ sources, window }: BudgetReport, language: Language): Gauge {
  const { t, locale } = language;
  const number = new Intl.NumberFormat(locale);
  const used = sum(sources.map(({ after }) => after));
  const parts = sources
    .filter(({ after }) => after > 0)
    .map((source) => sourcePart(source, language));
  const taken = barsOf(groupMemories(parts, language));
  const free = window - used;
  const rest = { kind: "free", label: t("Free"), value: number.format(free) };
  return {
    title: t("Window"),
    summary: t("{0} of {1}", number.format(used), number.format(window)),
    description: t("{0} of {1} positions are used or reserved.", used, window),
    scale: window,
    bars: [...taken, { ...rest, start: used, length: free, parts: [] }],
  };
}

/** A bar whose place is not known yet. */
type Part = Omit<Bar, "start" | "parts"> & { before?: number; parts?: Part[] };

function sourcePart({ kind, place, before, after }: BudgetSource, language: Language): Part {
  const { t, locale } = language;
  const length = after;
  if (kind === "memory") {
    const label = place === undefined ? t("Memory") : placeLabel(place);
    return { kind, label, length, before, value: memoryValue(before, after, locale) };
  }
  const labels: Record<Exclude<BudgetSource["kind"], "memory">, string> = {
    sink: t("Sink"),
    header: t("File name"),
    prefix: t("Before the cursor"),
    suffix: t("After the cursor"),
    markers: t("Markers"),
    reserve: t("Reserved for the answer"),
  };
  return { kind, label: labels[kind], length, value: new Intl.NumberFormat(locale).format(after) };
}

/** The tokens of the text, the positions that stand for them, and how many of them share one. */
function memoryValue(before: number, after: number, locale: string): string {
  const number = new Intl.NumberFormat(locale);
  const ratio = number.format(ratioOf(before, after) ?? 0);
  return `${number.format(before)} → ${number.format(after)} (${ratio}x)`;
}

/** Memories that lie one behind the other become one part where they are many. */
function groupMemories(parts: readonly Part[], { t, locale }: Language): Part[] {
  const runs: Part[][] = [];
  for (const part of parts) {
    const run = runs.at(-1);
    if (part.kind === "memory" && run?.[0]?.kind === "memory") run.push(part);
    else runs.push([part]);
  }
  return runs.flatMap((run) => {
    if (run.length <= mostRows) return run;
    const [before, length] = [sum(run.map((part) => part.before ?? 0)), lengthOf(run)];
    const value = memoryValue(before, length, locale);
    return [{ kind: "memory", label: t("Memories: {0}", run.length), value, length, parts: run }];
  });
}

export function timeGauge({ stages }: BudgetReport, { t, locale }: Language): Gauge {
  const number = new Intl.NumberFormat(locale);
  const labels: Record<Stage["kind"], string> = {
    wait: t("Waiting and sending"),
    plan: t("Planning"),
    attach: t("Attaching memories"),
    prefill: t("Reading, to the first token"),
    decode: t("Writing"),
  };
  const passed = stages.filter(({ kind, ms }) => kind !== "attach" || ms > 0);
  const whole = roundedParts(passed.map(({ ms }) => ms));
  const total = sum(whole);
  const bars = passed.map(({ kind }, index) => {
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

/** Bars that lie one behind the other, from `start` on. */
function barsOf(parts: readonly Part[], start = 0): Bar[] {
  let next = start;
  return parts.map(({ kind, label, value, length, parts: inner = [] }) => {
    const bar = { kind, label, value, length, start: next, parts: barsOf(inner, next) };
    next += length;
    return bar;
  });
}

function lengthOf(parts: readonly Part[]): number {
  return sum(parts.map(({ length }) => length));
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

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
