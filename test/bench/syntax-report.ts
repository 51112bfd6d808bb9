// Results at places -> shares and a table.
import type { SyntaxPlace } from "../support/syntax-places.ts";
import type { SyntaxResult } from "./syntax-trial.ts";
import { wilson } from "./wilson.ts";

export interface Row {
  readonly place: SyntaxPlace;
  readonly result: SyntaxResult;
  /** What was recorded at the same place before. */
  readonly baseline: SyntaxResult | null;
}

export interface SyntaxFigures {
  readonly places: number;
  readonly shown: number;
  /** Sums over the places where something is shown. */
  readonly errorsBefore: number;
  readonly errorsAfter: number;
  /** Places with more errors after accepting than before; the share is of those shown. */
  readonly greater: number;
  readonly greaterShare: number;
  readonly greaterInterval: readonly [low: number, high: number];
  /** Of the baseline's. */
  readonly shownBefore: number;
  readonly stillShown: number;
}

export function summarise(rows: readonly Row[]): SyntaxFigures {
  const shown = rows.filter(({ result }) => result.shown !== "");
  const sum = (value: (result: SyntaxResult) => number): number =>
    shown.reduce((total, { result }) => total + value(result), 0);
  const greater = shown.filter(({ result }) => result.after > result.before).length;
  const shownBefore = rows.filter(({ baseline }) => baseline !== null && baseline.shown !== "");
  return {
    places: rows.length,
    shown: shown.length,
    errorsBefore: sum(({ before }) => before),
    errorsAfter: sum(({ after }) => after),
    greater,
    greaterShare: shown.length === 0 ? 0 : greater / shown.length,
    greaterInterval: shown.length === 0 ? [0, 1] : wilson(greater, shown.length),
    shownBefore: shownBefore.length,
    stillShown: shownBefore.filter(({ result }) => result.shown !== "").length,
  };
}

const columns = [
  "group     ",
  ...["places", "shown", "errors before", "after", "greater", "share", "interval"],
  "still shown",
];

/** One line for each group, and one for all. */
export function printTable(rows: readonly Row[], groupOf: (row: Row) => string): void {
  const names = [...new Set(rows.map(groupOf))];
  console.log(columns.join("\t"));
  for (const name of names) printRow(name, summarise(rows.filter((row) => groupOf(row) === name)));
  printRow("all", summarise(rows));
}

function printRow(name: string, figures: SyntaxFigures): void {
  const { places, shown, errorsBefore, errorsAfter, greater, greaterInterval } = figures;
  const cells = [
    name.padEnd(10),
    ...[places, shown, errorsBefore, errorsAfter, greater],
    percent(figures.greaterShare),
    greaterInterval.map(percent).join("-"),
    `${figures.stillShown}/${figures.shownBefore}`,
  ];
  console.log(cells.join("\t"));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
