// Ghost text in a real editor, from real weights: shown, typed over, taken, overtaken.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type Session, useSession } from "./session.ts";

const typescript = `export function add(a: number, b: number): number {
  return a + b;
}

export function subtract(a: number, b: number): number {
  return a - b;
}

`;
const python = `def add(a, b):
    return a + b


def subtract(a, b):
    return a - b


`;
const { test } = useSession({
  name: "completion",
  files: { "sums.ts": typescript, "sums.py": python, "words.ts": typescript },
});

test("the status bar shows a spark when the model is ready", async ({ workbench }) => {
  await workbench.statusItem("Pith").locator(".codicon-sparkle").waitFor();
});

test("ghost text in a TypeScript file is taken with Tab and saved", async (session) => {
  await checkTaken(session, "sums.ts", "export function multiply(a: number, b: number)");
});

test("ghost text in a Python file is taken with Tab and saved", async (session) => {
  await checkTaken(session, "sums.py", "def multiply(a, b):");
});

test("ghost text that is typed over stays, without a flicker and without a request", async (session) => {
  const { workbench } = session;
  await workbench.openFile("words.ts", "subtract");
  await workbench.typeAtEnd("export function divide(a: number");
  const ghost = await settledGhostText(session);
  const typed = plainStart(ghost);
  const start = timeOfDay();
  const watch = await watchGhostText(session);
  for (const [index, character] of [...typed].entries()) {
    await workbench.page.keyboard.type(character);
    await untilGhostText(session, ghost.slice(index + 1));
  }
  assert.equal(await watch.framesWithout(), 0);
  // Longer than the longest debounce, so a request would have been sent by now.
  await delay(600);
  const { completions } = await session.diagnostics();
  const since = completions.filter((line) => line >= start);
  assert.equal(since.filter((line) => line.includes("completion of")).length, 0, since.join("\n"));
  // The editor asks once for keys that come in quick succession.
  assert.ok(
    since.some((line) => line.includes("typed over")),
    since.join("\n"),
  );
});

test("a newer keystroke overtakes the request of an older one", async (session) => {
  const { workbench } = session;
  await workbench.goToEnd();
  await workbench.page.keyboard.press("Enter");
  const start = timeOfDay();
  // Between the debounce and the answer lies a time that this machine's speed decides: pauses of
  // growing length are sure to hit it.
  for (let pauseMs = 30; pauseMs <= 600; pauseMs += 30) {
    await workbench.page.keyboard.type("q");
    await delay(pauseMs);
  }
  const { completions } = await session.diagnostics();
  const lines = completions.filter((line) => line >= start);
  const overtaken = lines.findIndex((line) => /completion of .*: superseded/.test(line));
  assert.notEqual(overtaken, -1, lines.join("\n"));
  const later = lines.slice(overtaken + 1);
  assert.ok(
    later.some((line) => /completion of .*: (?!superseded)/.test(line)),
    later.join("\n"),
  );
});

/** Types, waits for ghost text, takes it, saves, and compares the disk with what was on screen. */
async function checkTaken(session: Session, file: string, typed: string): Promise<void> {
  const { workbench } = session;
  const before = session.readFile(file);
  await workbench.openFile(file, "subtract");
  await workbench.typeAtEnd(typed);
  const ghost = await settledGhostText(session);
  assert.notEqual(ghost.trim(), "");
  await session.takePicture(`ghost text ${file}`);
  await workbench.page.keyboard.press("Tab");
  await workbench.save();
  const added = session.readFile(file).slice(before.length);
  assert.ok(added.startsWith(typed), added);
  assert.ok(squeeze(added).includes(squeeze(ghost)), `${added} does not hold ${ghost}`);
}

/** Ghost text once the answer to the last keystroke is there. */
async function settledGhostText(session: Session): Promise<string> {
  let before = "";
  for (let tries = 0; tries < 100; tries++) {
    const ghost = await session.workbench.ghostText();
    if (ghost === before) return ghost;
    before = ghost;
    await delay(500);
  }
  throw new Error("completion: ghost text does not come to rest");
}

/** Letters, digits and spaces only: the editor closes brackets and quotes by itself. */
function plainStart(ghost: string): string {
  const start = /^[\w ,:=+*/.-]{1,8}/.exec(ghost)?.[0] ?? "";
  assert.notEqual(start, "", `nothing in ${ghost} can be typed plainly`);
  return start;
}

async function untilGhostText({ workbench }: Session, expected: string): Promise<void> {
  let ghost = "";
  for (let tries = 0; tries < 100; tries++) {
    ghost = await workbench.ghostTextNow();
    if (ghost === expected) return;
    await delay(20);
  }
  assert.equal(ghost, expected);
}

/** Counts the frames that the browser paints without any ghost text, from now on. */
async function watchGhostText({ workbench: { page } }: Session) {
  await page.evaluate(`{
    globalThis.framesWithout = 0;
    const look = () => {
      if (!document.querySelector(".ghost-text, .ghost-text-decoration")) framesWithout++;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }`);
  return { framesWithout: () => page.evaluate("framesWithout") };
}

/** As the lines of the last completions begin with it. */
function timeOfDay(): string {
  return new Date().toISOString().slice(11, 23);
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, "");
}
