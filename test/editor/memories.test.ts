// Memories in a real editor: what another file defines, which is not open, makes a completion right.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Session, useSession } from "./session.ts";

const shipping = `export interface Parcel {
  readonly orderNumber: string;
  readonly grams: number;
}

/** The carrier that takes parcels of this weight. */
export function chooseCarrierByWeight(parcel: Parcel): string {
  return parcel.grams > 2000 ? "heavy" : "light";
}
`;
const order = `import type { Parcel } from "./shipping.ts";

/** Says who carries the parcel. */
export function describeParcel(parcel: Parcel): string {
`;
const wanted = "eCarrierByWeight(parcel);";
const files = { "shipping.ts": shipping, "order.ts": order };
const { test } = useSession({ name: "memories", files });
const { test: testWithout } = useSession({
  ...{ name: "memories-off", files },
  settings: { "pith.memories.enable": false },
});

test("a definition in a file that is closed makes the completion right", async (session) => {
  await openOrder(session);
  const ghosts = await ghostsUntil(session, (ghost) => ghost === wanted);
  await session.takePicture("with memories");
  assert.equal(ghosts.at(-1), wanted, ghosts.join("\n"));
});

test("what was selected names the file, its lines and the reason", async (session) => {
  const { workbench } = session;
  await workbench.runCommand("Pith: Show What Was Selected");
  const page = workbench.page.locator(".editor-instance", { hasText: "shipping.ts:" });
  await page.first().waitFor();
  await session.takePicture("selected");
  await workbench.runCommand("View: Close Editor");
});

testWithout("without memories it is wrong, however often it is asked for", async (session) => {
  await openOrder(session);
  const ghosts: string[] = [];
  for (const name of ["first", "second", "third"]) {
    ghosts.push(await ghostBehindName(session, name));
    await delay(5000);
  }
  await session.takePicture("without memories");
  for (const ghost of ghosts) assert.ok(ghost.startsWith("e") && ghost !== wanted, `${ghosts}`);
});

async function openOrder({ workbench }: Session): Promise<void> {
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.openFile("order.ts", "describeParcel");
}

/** Ghost text behind `choos` again and again, with a pause in between for the idle work. */
async function ghostsUntil(
  session: Session,
  isWanted: (ghost: string) => boolean,
): Promise<string[]> {
  const ghosts: string[] = [];
  for (let tries = 0; tries < 10; tries++) {
    ghosts.push(await ghostBehindName(session, `carrier${tries}`));
    if (isWanted(ghosts.at(-1) ?? "")) break;
    await delay(5000);
  }
  return ghosts;
}

/** In the last line, written anew; another name each time, so that nothing is typed over. */
async function ghostBehindName({ workbench }: Session, name: string): Promise<string> {
  await workbench.goToEnd();
  const { keyboard } = workbench.page;
  // Twice, because the first time stops behind the indentation.
  for (const key of ["Shift+Home", "Shift+Home", "Delete"]) await keyboard.press(key);
  await workbench.typeAtEnd(`  const ${name} = choos`);
  await delay(1500);
  return await workbench.ghostText();
}
