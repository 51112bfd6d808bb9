// Somebody who has never seen Pith: the package is installed, no model is there, and the walkthrough
// leads to the first completion. The model comes from a file, as where there is no network.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { basename, join, resolve } from "node:path";
import { realWeights } from "../support/weights.ts";
import { budgetPageOf } from "./budget-page.ts";
import { useSession } from "./session.ts";

const sums = `export function add(a: number, b: number): number {
  return a + b;
}

export function subtract(a: number, b: number): number {
  return a - b;
}

`;
const { test } = useSession({
  name: "first-steps",
  files: { "sums.ts": sums },
  settings: { "pith.model": undefined },
  // Within the session's own folder, which is emptied before every run.
  env: { PITH_HOME: resolve(".cache/editor-tests/first-steps/empty") },
  packExtension(folder) {
    const file = join(folder, "pith.vsix");
    const { status, stdout, stderr } = spawnSync(process.execPath, ["package.mjs", "--out", file], {
      encoding: "utf8",
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
    return file;
  },
});

test("the walkthrough leads from an empty machine to the first completion", async (session) => {
  const { workbench } = session;
  const { page } = workbench;
  const weights = await realWeights("smollm2-135m");
  await workbench.statusItem("no model").waitFor();
  await workbench.runCommand("Welcome: Open Walkthrough...");
  await workbench.quickPick("Get Started with Pith").click();
  const steps = page.locator(".gettingStartedDetailsContent");
  await steps.getByText("Get a model").first().waitFor();
  await session.takePicture("1 get a model");

  await steps.getByText("Use That File").click();
  // The dialog fills its line once it has read the folder.
  await workbench.quickPick("..").waitFor();
  await page.locator('.quick-input-widget input[type="text"]').first().fill(weights);
  await workbench.quickPick(basename(weights)).waitFor();
  await session.takePicture("2 choose the file");
  await page.keyboard.press("Enter");
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();

  await workbench.openFile("sums.ts", "subtract");
  await workbench.typeAtEnd("export function multiply(a: number, b: number)");
  assert.notEqual((await workbench.ghostText()).trim(), "");
  await session.takePicture("3 first completion");
  await page.keyboard.press("Tab");

  await workbench.runCommand("Pith: Show Token Budget");
  await budgetPageOf(session).locator(".outcome").waitFor();
  await session.takePicture("4 token budget");
});
