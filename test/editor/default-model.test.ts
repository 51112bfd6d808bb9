// The model that comes without a setting fills in the middle: it sees what stands after the cursor.
import assert from "node:assert/strict";
import { useSession } from "./session.ts";

const sums = `/** The sum of two numbers. */
export function add(a: number, b: number): number {
  return a + b;
}

/** The first number less the second. */
export function subtract(a: number, b: number): number {

}
`;
const { test } = useSession({
  name: "default-model",
  files: { "sums.ts": sums },
  settings: { "pith.model": undefined },
});

test("the default model completes inside a function, and Tab takes it", async (session) => {
  const { workbench } = session;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.openFile("sums.ts", "subtract");
  await workbench.goToEnd();
  await workbench.page.keyboard.press("ArrowUp");
  await workbench.page.keyboard.press("ArrowUp");
  await workbench.page.keyboard.type("  return");
  const ghost = (await workbench.ghostText()).trim();
  assert.notEqual(ghost, "");
  await session.takePicture("default model");
  await workbench.page.keyboard.press("Tab");
  await workbench.save();
  const [head = "", tail = ""] = session.readFile("sums.ts").split("  return", 3).slice(1);
  assert.ok(tail.includes(ghost), tail);
  assert.ok(head.startsWith(" a + b;"), head);
  assert.ok(tail.endsWith("\n}\n"), tail);
});
