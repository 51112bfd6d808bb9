// Show Tokens in a real editor: the selection as the model's own tokens, on a page that is read like
// any text.
import assert from "node:assert/strict";
import { useSession } from "./session.ts";

const { test } = useSession({
  name: "tokens",
  files: { "words.ts": "swigfaiss = 1;\n" },
});

test("the tokens of the selection are shown, with a mark on those hardly seen", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.openFile("words.ts", "swigfaiss");
  await workbench.editor.locator(".view-lines").click();
  await workbench.page.keyboard.press("Control+A");
  await workbench.runCommand("Pith: Show Tokens");
  await workbench.page.locator(".tab.active", { hasText: "words.ts (tokens)" }).waitFor();
  const lines = workbench.editor.locator(".view-line");
  await lines.filter({ hasText: "tokens of smollm2-135m" }).waitFor();
  await session.takePicture("tokens");
  const text = (await lines.allTextContents()).join("\n").replaceAll("\u00a0", " ");
  assert.match(text, /1 +\d+ +"swigfaiss" +73 77 69 67 66 61 69 73 73 +hardly seen in training/);
  assert.match(text, /2 +\d+ +" =" +20 3d$/m);
});
