// In Restricted Mode nothing is completed, and the status bar says why.
import assert from "node:assert/strict";
import { useSession } from "./session.ts";

const { test } = useSession({
  name: "untrusted",
  files: { "sums.ts": "export const one = 1;\n" },
  settings: {
    "security.workspace.trust.enabled": true,
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
  },
});

test("a workspace in Restricted Mode gets no completion but the reason", async (session) => {
  const { workbench } = session;
  await workbench.openFile("sums.ts", "one");
  await workbench.typeAtEnd("export const two = ");
  await workbench.statusItem("restricted mode").waitFor();
  assert.equal(await workbench.ghostTextNow(), "");
  await session.takePicture("restricted mode");
  await session.untilOutcome("untrusted");
});

test("the side bar says so too, with the way out", async (session) => {
  const { page } = session.workbench;
  await session.workbench.runCommand("Pith: Show Token Budget");
  await page.locator(".sidebar", { hasText: "in Restricted Mode, so nothing" }).waitFor();
  await page.locator(".sidebar").getByText("Manage Workspace Trust").waitFor();
  await session.takePicture("restricted side bar");
});
