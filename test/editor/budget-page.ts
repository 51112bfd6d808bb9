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

/** Positions of the window by what they are spent on. */
export async function positionsOf(session: Session): Promise<Map<string, number>> {
  const bars = await budgetPageOf(session).locator(".whole").first().locator("rect").all();
  const positions = new Map<string, number>();
  for (const bar of bars) {
    const kind = (await bar.getAttribute("class")) ?? "";
    const length = Number(await bar.getAttribute("width"));
    positions.set(kind, (positions.get(kind) ?? 0) + length);
  }
  return positions;
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
