// Embedded memories in a real editor: what is decoded from one stands beside its text.
import assert from "node:assert/strict";
import { useSession } from "./session.ts";

const prices = `export interface Price {
  net: number;
  taxRate: number;
}

export function grossPriceOf(price: Price): number {
  return price.net * (1 + price.taxRate);
}
`;
const { test } = useSession({
  name: "embedded",
  files: { "prices.ts": prices },
  settings: {
    "pith.memories.form": "embedded",
    "diffEditor.useInlineViewWhenSpaceIsLimited": false,
  },
});

test("what is decoded from a memory stands beside the text that it is made of", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.openFile("prices.ts", "grossPriceOf");
  await workbench.editor.locator(".view-lines").click();
  await workbench.page.keyboard.press("Control+A");
  await workbench.runCommand("Pith: Show What the Memory Keeps");
  await workbench.page.locator(".tab.active", { hasText: "What the memory keeps" }).waitFor();
  const linesOf = (side: string) =>
    workbench.page.locator(`.monaco-diff-editor .editor.${side} .view-line`);
  await linesOf("original").filter({ hasText: "export function grossPriceOf" }).first().waitFor();
  await linesOf("modified").first().waitFor();
  await session.takePicture("decoded");
  for (const side of ["original", "modified"]) {
    const lines = (await linesOf(side).allTextContents()).map((line) =>
      line.replaceAll("\u00a0", " "),
    );
    const heads = lines.filter((line) =>
      /^\[\d+(\.\d+)?x\] prices\.ts:1-\d+ +\d+ -> \d+$/.test(line),
    );
    assert.equal(heads.length, 1, lines.join("\n"));
  }
});
