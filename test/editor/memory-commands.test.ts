// Memories in a real editor: what was selected for a completion and what a memory keeps can be read,
// made, copied and deleted by commands.
import assert from "node:assert/strict";
import { budgetPageOf, positionsOf } from "./budget-page.ts";
import { type Session, useSession } from "./session.ts";

const prices = `export interface Price {
  net: number;
  taxRate: number;
}

export function grossPriceOf(price: Price): number {
  return price.net * (1 + price.taxRate);
}
`;
const orders = `import { grossPriceOf, type Price } from "./prices";

export function totalOf(prices: Price[]): number {
  return prices.reduce((sum, price) => sum + grossPriceOf(price), 0);
}

`;
const { test } = useSession({
  name: "memory-commands",
  files: { "prices.ts": prices, "orders.ts": orders },
});

test("a file becomes memories by the command, which says how many", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.openFile("prices.ts", "grossPriceOf");
  await workbench.runCommand("Pith: Compress File into Memory");
  await workbench.notification(/Memories: [1-9]\d*, files: 1\./).waitFor();
  await session.takePicture("compressed");
});

test("what was selected for the last completion is listed with score and reason", async (session) => {
  const { workbench } = session;
  await workbench.openFile("orders.ts", "totalOf");
  await workbench.typeAtEnd("export function dearestOf(prices: Price[]): Price");
  const text = await untilSelected(session);
  await session.takePicture("selected");
  assert.match(
    text,
    /^\[(\d+(\.\d+)?x|-)\] prices\.ts:\d+-\d+ {2}\d+ -> \d+ {2}score \d\.\d+ {2}\w/m,
  );
});

test("the budget slider takes memories from the next completion, and gives them back", async (session) => {
  const { workbench } = session;
  await workbench.runCommand("Pith: Show Token Budget");
  const slider = budgetPageOf(session).getByRole("slider", { name: "Budget for memories" });
  const memoriesOf = async () => (await positionsOf(session)).get("memory") ?? 0;
  await workbench.runCommand("View: Close Editor");
  await completeUntil(session, async () => (await memoriesOf()) > 0);
  await session.takePicture("budget with memories");
  await slider.focus();
  await workbench.page.keyboard.press("Home");
  await session.untilSetting("pith.memories.budget", 0);
  await completeUntil(session, async () => (await memoriesOf()) === 0);
  await slider.focus();
  await workbench.page.keyboard.press("End");
  await session.untilSetting("pith.memories.budget", 3072);
  await completeUntil(session, async () => (await memoriesOf()) > 0);
  await workbench.runCommand("View: Show Explorer");
});

test("what a memory keeps is shown line by line, each token with its share", async (session) => {
  const { workbench } = session;
  await workbench.openFile("prices.ts", "grossPriceOf");
  await workbench.editor.locator(".view-lines").click();
  await workbench.page.keyboard.press("Control+A");
  await workbench.runCommand("Pith: Show What the Memory Keeps");
  const text = await pageText(session, "What the memory keeps", "grossPriceOf");
  assert.match(text, /^\[\d+(\.\d+)?x\] prices\.ts:\d+-\d+ {2}\d+ -> \d+$/m);
  assert.match(text, /^ +\d+ % {2}export function grossPriceOf/m);
  // The editor's mark of a decoration.
  await workbench.editor.locator('.view-line [class*="ced-"]').first().waitFor();
  await session.takePicture("kept");
  await workbench.page.keyboard.press("Control+Home");
  for (const key of ["ArrowDown", "End", "ArrowLeft"]) await workbench.page.keyboard.press(key);
  await workbench.runCommand("Show or Focus Hover");
  await workbench.page.locator(".monaco-hover", { hasText: "% of the heads" }).first().waitFor();
});

test("the context of the cursor is copied within a budget", async (session) => {
  const { workbench } = session;
  await workbench.openFile("orders.ts", "totalOf");
  await workbench.goToEnd();
  await workbench.runCommand("Pith: Copy Compressed Context");
  await workbench.quickPick("o200k").click();
  await workbench.page.locator(".quick-input-widget", { hasText: "At most how many" }).waitFor();
  await workbench.page.keyboard.type("300");
  await workbench.page.keyboard.press("Enter");
  await workbench.notification(/copied \d+ tokens of o200k/).waitFor();
  const copied = await workbench.page.evaluate("navigator.clipboard.readText()");
  assert.match(`${copied}`, /grossPriceOf/);
});

test("an empty bank is left after a purge, which asks first", async (session) => {
  const { workbench } = session;
  await workbench.runCommand("Pith: Purge Bank");
  const dialog = workbench.page.locator(".monaco-dialog-box", { hasText: "Delete all memories" });
  await session.takePicture("purge");
  await dialog.getByText("Delete", { exact: true }).click();
  await workbench.notification("memories deleted").waitFor();
  await workbench.runCommand("Pith: Purge Bank");
  await workbench.notification("the bank is empty").waitFor();
});

/** Completes in the file in front, with pauses for the idle work. */
async function completeUntil(session: Session, isThere: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    await session.workbench.typeAtEnd(" ", { settleMs: 4000 });
    if (await isThere()) return;
  }
  throw new Error("memories: the budget does not take effect");
}

/** Files are read, and spans encoded, once the typing has rested. */
async function untilSelected(session: Session): Promise<string> {
  for (let tries = 0; tries < 10; tries++) {
    await session.workbench.page.waitForTimeout(3000);
    await session.workbench.runCommand("Pith: Show What Was Selected");
    const text = await pageText(session, "Selected memories", "");
    if (text.includes("Candidates for orders.ts")) return text;
  }
  throw new Error("memories: nothing is selected");
}

async function pageText({ workbench }: Session, tab: string, piece: string): Promise<string> {
  await workbench.page.locator(".tab.active", { hasText: tab }).waitFor();
  const lines = workbench.editor.locator(".view-line");
  await lines.filter({ hasText: piece }).first().waitFor();
  return (await lines.allTextContents()).join("\n").replaceAll("\u00a0", " ");
}
