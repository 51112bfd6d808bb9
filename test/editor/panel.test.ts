// The token-budget view in a real editor: its numbers are those of the completion just made, it says
// why there is none, it is told nothing while hidden, and people who cannot see it can use it.
import assert from "node:assert/strict";
import type { FrameLocator } from "playwright-core";
import { type Session, useSession } from "./session.ts";

const sums = `export function add(a: number, b: number): number {
  return a + b;
}

export function subtract(a: number, b: number): number {
  return a - b;
}

`;
const { test } = useSession({ name: "panel", files: { "sums.ts": sums, "words.ts": sums } });

test("before the first completion the side bar says what will stand there", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.runCommand("Pith: Show Token Budget");
  await workbench.page.locator(".sidebar", { hasText: "where every token" }).waitFor();
  await session.takePicture("nothing yet");
});

test("the numbers are those of the completion just made", async (session) => {
  const { workbench } = session;
  await showFiles(session);
  await workbench.openFile("sums.ts", "subtract");
  await workbench.typeAtEnd("export function multiply(a: number, b: number)");
  await workbench.ghostText();
  await workbench.page.waitForTimeout(1500);
  await workbench.runCommand("Pith: Show Token Budget");
  await pageOf(session).getByText("characters from").first().waitFor();
  await session.takePicture("token budget");
  const { completions } = await session.diagnostics();
  const line = completions.findLast((each) => each.includes("completion of")) ?? "";
  const count = (name: string) => Number(new RegExp(`${name} (\\d+)`).exec(line)?.[1]);
  const page = pageOf(session);
  assert.equal(await factOf(page, "Positions computed"), count("computed"));
  assert.equal(await factOf(page, "Positions reused"), count("reused"));
  assert.equal(await factOf(page, "Tokens of the answer"), count("generated"));
  const bars = await barsOf(page);
  const text = bars.get("Before the cursor") ?? Number.NaN;
  assert.ok(text <= count("prefix") && text > count("prefix") - 4, `${text} of ${line}`);
  const whole = [...bars.values()].reduce((sum, each) => sum + each, 0);
  assert.equal(whole, 4096);
});

async function showFiles({ workbench }: Session): Promise<void> {
  await workbench.runCommand("View: Show Explorer");
  await workbench.page.locator(".explorer-folders-view").waitFor();
}

/** The view's own page, two frames deep. */
function pageOf({ workbench: { page } }: Session): FrameLocator {
  return page.frameLocator("iframe.webview.ready").frameLocator("iframe#active-frame");
}

async function factOf(page: FrameLocator, label: string): Promise<number> {
  const value = await page.locator("dt", { hasText: label }).locator("+ dd").textContent();
  return numberOf(value ?? "");
}

/** The rows of the window, by their labels. */
async function barsOf(page: FrameLocator): Promise<Map<string, number>> {
  const rows = await page.locator("section").first().locator("li").all();
  const entries = rows.map(async (row) => {
    const [label, value] = [row.locator(".label"), row.locator(".value")];
    return [
      (await label.textContent()) ?? "",
      numberOf((await value.textContent()) ?? ""),
    ] as const;
  });
  return new Map(await Promise.all(entries));
}

function numberOf(text: string): number {
  return Number(text.replaceAll(/[^\d]/g, ""));
}
