// The token-budget view as a page. Bars are SVG, because the content policy admits no inline styles.
// Sections that fold are native `details`: the component of the element library has no role and tells
// no screen reader whether it is open.
import "@vscode-elements/elements/dist/vscode-badge/index.js";
import { html, nothing, svg, type TemplateResult } from "lit";
import type { Bar, BudgetView, Gauge, List, Outcome, Slider, Table } from "./messages.ts";

/** Made once: it takes long, and a page is drawn often. */
const numberFormat = new Intl.NumberFormat(document.documentElement.lang);

/** What a person does with the slider. */
export interface Choice {
  /** Where the slider has been moved to; null where it stands as it is set. */
  chosen: number | null;
  choose(value: number): void;
}

export function budgetPage(view: BudgetView, choice: Choice): TemplateResult {
  const { outcome, window, slider, time, facts, elsewhere, dropped, history } = view;
  return html`
    ${outcomeLine(outcome)} ${window && gauge(window)} ${sliderField(slider, choice)}
    ${time && gauge(time)}
    ${facts.entries.length > 0 ? factList(facts) : nothing}
    ${dropped.sentences.length > 0 ? droppedList(dropped) : nothing}
    ${elsewhere.entries.length > 0 ? factList(elsewhere) : nothing}
    ${history.rows.length > 0 ? historyTable(history) : nothing}
  `;
}

function outcomeLine({ sentence, isEmpty }: Outcome): TemplateResult {
  return html`<p class=${isEmpty ? "outcome empty" : "outcome"}>${sentence}</p>`;
}

function gauge({ title, summary, description, scale, bars }: Gauge): TemplateResult {
  return html`
    <section>
      <h2>${title}<span class="summary">${summary}</span></h2>
      <svg class="whole" role="img" aria-label=${description} viewBox="0 0 ${scale} 1"
        preserveAspectRatio="none">${bars.map(barShape)}</svg>
      <ul>${bars.map((bar) => barRow(bar, scale))}</ul>
    </section>
  `;
}

function barRow(bar: Bar, scale: number): TemplateResult {
  const row = barLine(bar, scale);
  if (bar.parts.length === 0) return html`<li>${row}</li>`;
  const parts = bar.parts.map((part) => barRow(part, scale));
  return html`<li><details><summary>${row}</summary><ul>${parts}</ul></details></li>`;
}

/** Its own bar lies below the others where it lies in the whole. */
function barLine(bar: Bar, scale: number): TemplateResult {
  return html`
    <div class="row of-${bar.kind}">
      <span class="swatch ${bar.kind}"></span>
      <span class="label">${bar.label}</span>
      <span class="value">${bar.value}</span>
      ${bar.kind === "free" ? nothing : ownBar(bar, scale)}
    </div>
  `;
}

function ownBar(bar: Bar, scale: number): TemplateResult {
  return html`<svg class="own" aria-hidden="true" viewBox="0 0 ${scale} 1"
    preserveAspectRatio="none">${barShape(bar)}</svg>`;
}

function barShape({ kind, start, length, parts }: Bar): BarShape | BarShape[] {
  if (parts.length > 0) return parts.flatMap(barShape);
  if (length <= 0) return nothing;
  return svg`<rect class=${kind} x=${start} y="0" width=${length} height="1"></rect>`;
}

type BarShape = TemplateResult | typeof nothing;

function sliderField(slider: Slider, { chosen, choose }: Choice): TemplateResult {
  const value = chosen ?? slider.value;
  const words = slider.valueText.replace("{0}", numberFormat.format(value));
  const read = ({ target }: Event) => choose((target as HTMLInputElement).valueAsNumber);
  return html`
    <section>
      <h2><label for="budget">${slider.label}</label><span class="summary">${words}</span></h2>
      <input id="budget" type="range" min="0" max=${slider.greatest} step=${slider.step}
        .value=${`${value}`} aria-valuetext=${words} aria-describedby="budget-note" @input=${read}>
      <p id="budget-note" class="note">${slider.note}</p>
    </section>
  `;
}

function factList({ title, entries }: List): TemplateResult {
  return html`
    <section>
      <h2>${title}</h2>
      <dl>${entries.map(({ label, value }) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
    </section>
  `;
}

function droppedList({ title, sentences }: BudgetView["dropped"]): TemplateResult {
  return html`
    <section>
      <h2>${title}<vscode-badge>${sentences.length}</vscode-badge></h2>
      <ul class="sentences">${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>
    </section>
  `;
}

function historyTable({ title, columns, rows }: Table): TemplateResult {
  const cells = (row: string[]) => row.map((cell) => html`<td>${cell}</td>`);
  return html`
    <details open>
      <summary><h2>${title}</h2></summary>
      <table aria-label=${title}>
        <thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody>
      </table>
    </details>
  `;
}
