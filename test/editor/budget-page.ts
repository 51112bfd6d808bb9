// The token-budget view's own page, as a test reads it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Frame, FrameLocator } from "playwright-core";
import type { Session } from "./session.ts";

/** Two frames deep. */
export function budgetPageOf({ workbench: { page } }: Session): FrameLocator {
  return page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
}

export async function outcomeOf(session: Session): Promise<string> {
  return (await budgetPageOf(session).locator(".outcome").textContent()) ?? "";
}

export async function factOf(session: Session, label: string): Promise<number> {
  const term = budgetPageOf(session).locator("dt", { hasText: label });
  return numberOf((await term.locator("+ dd").textContent()) ?? "");
}

/** The rows of the window, by their labels. */
export async function barsOf(session: Session): Promise<Map<string, number>> {
  const rows = await budgetPageOf(session).locator("section").first().locator("li").all();
  const entries = rows.map(async (row): Promise<[string, number]> => {
    const label = await row.locator(".label").textContent();
    const value = await row.locator(".value").textContent();
    return [label ?? "", numberOf(value ?? "")];
  });
  return new Map(await Promise.all(entries));
}

/** What axe-core finds wrong with the view, in words; only what it calls serious or critical. */
export async function seriousFaults(session: Session): Promise<string[]> {
  const frame = await frameOf(session);
  const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  await frame.evaluate(readFileSync(axe, "utf8"));
  const faults = (await frame.evaluate(
    "axe.run().then(({ violations }) => violations)",
  )) as Fault[];
  return faults
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`),
    );
}

interface Fault {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

async function frameOf(session: Session): Promise<Frame> {
  await budgetPageOf(session).locator(".outcome").waitFor();
  for (const frame of session.workbench.page.frames())
    if ((await frame.locator("#announcement").count()) > 0) return frame;
  throw new Error("budget page: no frame holds it");
}

function numberOf(text: string): number {
  return Number(text.replaceAll(/[^\d]/g, ""));
}
