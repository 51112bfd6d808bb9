// Show Tokens in a real editor: the selection as the model's own tokens, on a page that is read like
// any text.
import assert from "node:assert/strict";
import { useSession } from "./session.ts";

const { test } = useSession({
  name: "tokens",
  files: { "words.ts": "return swigfaiss;\n" },
});

test("the tokens of the selection are shown, with a mark on those hardly seen", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.openFile("words.ts", "return");
  await workbench.page.keyboard.press("Control+A");
  await workbench.runCommand("Pith: Show Tokens");
  await workbench.page.locator(".tab.active", { hasText: "Tokens of words.ts" }).waitFor();
  const lines = workbench.editor.locator(".view-line");
  await lines.filter({ hasText: "tokens of smollm2-135m" }).waitFor();
  await session.takePicture("tokens");
  const text = (await lines.allTextContents()).join("\n").replaceAll("\u00a0", " ");
  assert.match(text, /1 +\d+ +"return" +72 65 74 75 72 6e/);
  assert.match(text, /swigfaiss.*hardly seen in training/);
});
