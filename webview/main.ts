// The token-budget view's program: shows what the extension sends, and says it once it has settled.
import { render } from "lit";
import { budgetPage } from "./budget-page.ts";
import type { BudgetView, FromView, ToView } from "./messages.ts";
import "./panel.css";

declare function acquireVsCodeApi(): { postMessage(message: FromView): void };

/** Typing changes the outcome many times a second; a screen reader hears the one that stays. */
const settledMs = 1000;

const editor = acquireVsCodeApi();
const page = elementOf("page");
const announcement = elementOf("announcement");
let timer = 0;

window.addEventListener("message", ({ data }: MessageEvent<ToView>) => show(data.view));
editor.postMessage({ kind: "ready" });

function show(view: BudgetView): void {
  render(budgetPage(view), page);
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    announcement.textContent = view.outcome.sentence;
  }, settledMs);
}

function elementOf(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`webview: no element ${id}`);
  return element;
}
