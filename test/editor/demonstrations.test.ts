// Demonstrations in a real editor: the selection becomes an example of the workspace's own file.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Session, useSession } from "./session.ts";

const sums = "export const sum = a + b;\n";
const { test } = useSession({ name: "demonstrations", files: { "sums.ts": sums } });

test("the selection becomes an example, with the task that it is the answer to", async (session) => {
  const { workbench } = session;
  await workbench.openFile("sums.ts", "sum");
  await add(session, "Add two numbers");
  const file = "---\nlanguage: typescript\n---\nAdd two numbers\n=>\nexport const sum = a + b;\n";
  await session.takePicture("added");
  assert.equal(session.readFile(".pith/typescript.pith.md"), file);
  await workbench.notification("typescript.pith.md").getByText("Open", { exact: true }).click();
  await workbench.page.locator('.tab.active[aria-label*="typescript.pith.md"]').waitFor();
});

test("a second one without a task comes behind a separator", async (session) => {
  const { workbench } = session;
  await workbench.openFile("sums.ts", "sum");
  await add(session, "");
  assert.match(
    session.readFile(".pith/typescript.pith.md"),
    /a \+ b;\n\*\*\*\nexport const sum = a \+ b;\n$/,
  );
});

test("breaking off the question for the task changes nothing", async (session) => {
  const { workbench } = session;
  const before = session.readFile(".pith/typescript.pith.md");
  await workbench.openFile("sums.ts", "sum");
  await workbench.page.keyboard.press("Control+A");
  await workbench.runCommand("Pith: Add Selection as Demonstration");
  await question(session).waitFor();
  await workbench.page.keyboard.press("Escape");
  await question(session).waitFor({ state: "hidden" });
  await workbench.page.waitForTimeout(500);
  assert.equal(session.readFile(".pith/typescript.pith.md"), before);
});

test("an example is taken out by its task, and with the last one the file goes", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await remove(session, "Add two numbers");
  assert.equal(
    session.readFile(".pith/typescript.pith.md"),
    "---\nlanguage: typescript\n---\nexport const sum = a + b;\n",
  );
  await remove(session, "export const sum");
  assert.ok(!existsSync(join(session.workspace, ".pith/typescript.pith.md")));
});

async function remove({ workbench }: Session, summary: string): Promise<void> {
  await workbench.runCommand("Pith: Remove Demonstration");
  await workbench.quickPick(summary).click();
  const done = workbench.notification("the demonstration is no longer in");
  await done.first().waitFor();
  await workbench.runCommand("Notifications: Clear All Notifications");
  await done.first().waitFor({ state: "detached" });
}

async function add(session: Session, task: string): Promise<void> {
  const { page } = session.workbench;
  await session.workbench.editor.locator(".view-lines").click();
  await page.keyboard.press("Control+A");
  await session.workbench.runCommand("Pith: Add Selection as Demonstration");
  await question(session).waitFor();
  await page.keyboard.type(task);
  await page.keyboard.press("Enter");
  await session.workbench.notification("the demonstration stands in").first().waitFor();
}

function question({ workbench }: Session) {
  return workbench.page.locator(".quick-input-widget", { hasText: "Add Selection as" });
}
