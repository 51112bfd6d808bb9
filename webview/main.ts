// The token-budget view's program: shows what the extension sends, and says it once it has settled.
import { render } from "lit";
import { budgetPage } from "./budget-page.ts";
import type { BudgetView, FromView, ToView } from "./messages.ts";
import "./panel.css";

declare function acquireVsCodeApi(): { postMessage(message: FromView): void };

/** Typing changes the outcome many times a second; a screen reader hears the one that stays. */
const settledMs = 1000;
/** Passing over a value does not set it. */
const chosenMs = 300;

const editor = acquireVsCodeApi();
const page = elementOf("page");
const announcement = elementOf("announcement");
let view: BudgetView | null = null;
let chosen: number | null = null;
let settling = 0;
/** 0 unless somebody moves the slider, who need not be told where it stood before. */
let choosing = 0;

window.addEventListener("message", ({ data }: MessageEvent<ToView>) => show(data.view));
editor.postMessage({ kind: "ready" });

function show(shown: BudgetView): void {
  view = shown;
  if (choosing === 0) chosen = null;
  paint(shown);
  clearTimeout(settling);
  settling = window.setTimeout(() => {
    announcement.textContent = shown.outcome.sentence;
  }, settledMs);
}

function choose(positions: number): void {
  chosen = positions;
  if (view !== null) paint(view);
  clearTimeout(choosing);
  choosing = window.setTimeout(() => {
    choosing = 0;
    editor.postMessage({ kind: "budget", positions });
  }, chosenMs);
}

function paint(shown: BudgetView): void {
  render(budgetPage(shown, { chosen, choose }), page);
}

function elementOf(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`webview: no element ${id}`);
  return element;
}
