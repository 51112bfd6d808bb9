// Every reason for an empty completion that a person can provoke is read in the token-budget view.
import assert from "node:assert/strict";
import { budgetPageOf } from "./budget-page.ts";
import { type Session, useSession } from "./session.ts";

const sums = "export const first = 1;\nexport const second = 2;\n";
const { test } = useSession({
  name: "panel-reasons",
  files: {
    "sums.ts": sums,
    "large.ts": `${"const number = 1;\n".repeat(60_000)}const last = 2;\n`,
  },
});

test("completions that are switched off say so", async (session) => {
  await session.workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await session.workbench.openFile("sums.ts", "second");
  await session.workbench.typeAtEnd("export const third = ", { settleMs: 1500 });
  await session.workbench.runCommand("Pith: Show Token Budget");
  await budgetPageOf(session).locator(".outcome").waitFor();
  await flip(session, "Disable everywhere");
  await checkOutcome(session, "Completions are switched off by pith.enable.");
  await flip(session, "Enable everywhere");
  await flip(session, "Disable for typescript");
  await checkOutcome(session, "Completions are off for this language by pith.languages.");
  await flip(session, "Enable for typescript");
});

test("a cursor inside a word says so", async (session) => {
  const { page } = session.workbench;
  await checkOutcome(session, "The cursor is inside a word.", async () => {
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.type("x");
  });
});

test("requests that a newer keystroke overtook stand in the history", async (session) => {
  const { workbench } = session;
  const row = budgetPageOf(session).locator("td", { hasText: "overtaken" });
  await workbench.goToEnd();
  // Between the debounce and the answer lies a time that this machine's speed decides.
  for (let pauseMs = 30; pauseMs <= 600 && (await row.count()) === 0; pauseMs += 30) {
    await workbench.page.keyboard.type("q");
    await workbench.page.waitForTimeout(pauseMs);
  }
  await row.first().waitFor();
});

test("a file that is too large says so", async (session) => {
  const { workbench } = session;
  await workbench.runCommand("View: Show Explorer");
  await workbench.openFile("large.ts", "number");
  await workbench.runCommand("Pith: Show Token Budget");
  await checkOutcome(session, "This file is too large for completions.");
  await session.takePicture("too large");
});

/** Types until the view says `sentence`: a request may be overtaken, or not sent yet. */
async function checkOutcome(
  session: Session,
  sentence: string,
  type = () => session.workbench.typeAtEnd("1"),
): Promise<void> {
  const outcome = budgetPageOf(session).locator(".outcome", { hasText: sentence });
  for (let tries = 0; tries < 10; tries++) {
    await type();
    const isThere = await outcome.waitFor({ timeout: 3000 }).then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  assert.fail(`the view never says: ${sentence}`);
}

/** By the quick pick that switches completions, whose entry says what picking it does. */
async function flip({ workbench }: Session, entry: string): Promise<void> {
  await workbench.runCommand("Pith: Enable / Disable for Language or Workspace");
  await workbench.quickPick(entry).click();
}
