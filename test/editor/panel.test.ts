// The token-budget view in a real editor: its numbers are those of the completion just made, it is
// told nothing while hidden and not too much while shown, and people who cannot see it can use it.
import assert from "node:assert/strict";
import { budgetPageOf, factOf, outcomeOf, positionsOf, seriousFaults } from "./budget-page.ts";
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
  await workbench.page.locator(".sidebar").getByText("Get Started").click();
  const steps = workbench.page.locator(".gettingStartedDetailsContent");
  await steps.getByText("See where the tokens go").first().waitFor();
  await session.takePicture("walkthrough");
  await workbench.runCommand("View: Close All Editors");
});

test("the numbers are those of the completion just made", async (session) => {
  const { workbench } = session;
  await showFiles(session);
  await workbench.openFile("sums.ts", "subtract");
  await workbench.typeAtEnd("export function multiply(a: number, b: number)");
  await workbench.ghostText();
  await workbench.page.waitForTimeout(1500);
  await workbench.runCommand("Pith: Show Token Budget");
  await budgetPageOf(session).getByText("Suggested in").waitFor();
  const { completions } = await session.diagnostics();
  const line = completions.findLast((each) => each.includes("completion of")) ?? "";
  const count = (name: string) => Number(new RegExp(`${name} (\\d+)`).exec(line)?.[1]);
  assert.equal(await factOf(session, "Positions computed"), count("computed"));
  assert.equal(await factOf(session, "Positions reused"), count("reused"));
  assert.equal(await factOf(session, "Tokens of the answer"), count("generated"));
  const positions = await positionsOf(session);
  const near = positions.get("prefix") ?? Number.NaN;
  // But for the tail, which is made again with the answer.
  assert.ok(near <= count("prefix") && near > count("prefix") - 4, `${near} of ${line}`);
  const whole = [...positions.values()].reduce((sum, each) => sum + each, 0);
  assert.equal(whole, 4096);
});

test("the slider writes its setting, and follows one that is written elsewhere", async (session) => {
  const { workbench } = session;
  const slider = budgetPageOf(session).getByRole("slider", { name: "Budget for memories" });
  assert.equal(await slider.getAttribute("aria-valuetext"), "512 positions");
  await slider.focus();
  await workbench.page.keyboard.press("ArrowRight");
  await session.untilSetting("pith.memories.budget", 544);
  session.writeSettings({ "pith.memories.budget": 96 });
  await budgetPageOf(session).getByText("96 positions").waitFor();
  assert.equal(await slider.inputValue(), "96");
});

test("the view follows the typing, little while it lasts", async (session) => {
  const { workbench } = session;
  const before = await messageCount(session);
  const outcome = await outcomeOf(session);
  const start = Date.now();
  await workbench.goToEnd();
  await workbench.page.keyboard.type("\nconst words = 12;\nconst lines = words + ", { delay: 40 });
  await workbench.page.waitForTimeout(2000);
  const seconds = (Date.now() - start) / 1000;
  assert.notEqual(await outcomeOf(session), outcome);
  const messages = (await messageCount(session)) - before;
  assert.ok(messages >= 1 && messages <= 2 * seconds, `${messages} in ${seconds} s`);
});

test("a view that is hidden gets no message, and the newest when it is shown again", async (session) => {
  const { workbench } = session;
  await showFiles(session);
  const before = await messageCount(session);
  await workbench.openFile("words.ts", "subtract");
  await workbench.typeAtEnd("export function divide(a: number, b: number)");
  await workbench.ghostText();
  await workbench.page.waitForTimeout(1000);
  assert.equal(await messageCount(session), before);
  await workbench.runCommand("Pith: Show Token Budget");
  await budgetPageOf(session).locator("td", { hasText: "words.ts" }).first().waitFor();
});

test("the history folds and unfolds by the keyboard", async (session) => {
  const page = budgetPageOf(session);
  const row = page.locator("tbody tr").first();
  await page.locator("summary").focus();
  await session.workbench.page.keyboard.press("Enter");
  await row.waitFor({ state: "hidden" });
  await session.workbench.page.keyboard.press("Enter");
  await row.waitFor();
});

for (const [theme, kind] of [
  ["Light Modern", "light"],
  ["Dark Modern", "dark"],
  ["Dark High Contrast", "high-contrast"],
] as const) {
  test(`in ${theme} the view has no serious fault of accessibility`, async (session) => {
    const { workbench } = session;
    await workbench.goToEnd();
    await workbench.page.keyboard.press("Control+K");
    await workbench.page.keyboard.press("Control+T");
    await workbench.quickPick("Modern").waitFor();
    await workbench.page.keyboard.type(theme);
    await workbench.quickPick(theme).click();
    await budgetPageOf(session).locator(`body.vscode-${kind}`).waitFor();
    assert.deepEqual(await seriousFaults(session), []);
    await session.takePicture(`token budget ${kind}`);
  });
}

async function showFiles({ workbench }: Session): Promise<void> {
  await workbench.runCommand("View: Show Explorer");
  await workbench.page.locator(".explorer-folders-view").waitFor();
}

async function messageCount(session: Session): Promise<number> {
  const { facts } = await session.diagnostics();
  return Number(facts["messages to the token budget"]);
}
