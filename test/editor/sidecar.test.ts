// The sidecar as the editor's user meets it: it dies and is back, it is restarted by hand, its log
// is shown, and completions are switched off and on.
import assert from "node:assert/strict";
import { type Diagnostics, type Session, useSession } from "./session.ts";

// Small models are sure of themselves only where the file shows what is wanted.
const sums = `export function add(a: number, b: number): number {
  return a + b;
}

export function subtract(a: number, b: number): number {
  return a - b;
}

`;
const { test } = useSession({
  name: "sidecar",
  files: { "first.ts": sums, "second.ts": sums, "third.ts": sums },
});

test("a sidecar that is killed is back, and completes", async (session) => {
  await session.workbench.statusItem().locator(".codicon-sparkle").waitFor();
  const killed = processOf(await session.diagnostics());
  process.kill(killed, "SIGKILL");
  const next = await untilOtherProcess(session, killed);
  assert.ok(isAlive(next));
  await checkCompletes(session, "first.ts");
});

test("Restart Sidecar ends the old process and starts a new one, which completes", async (session) => {
  const old = processOf(await session.diagnostics());
  await session.workbench.runCommand("Pith: Restart Sidecar");
  await untilOtherProcess(session, old);
  assert.ok(!isAlive(old));
  await checkCompletes(session, "second.ts");
});

test("Show Log opens the log, with a line for each completion", async ({ workbench }) => {
  await workbench.runCommand("Pith: Show Log");
  const line = workbench.page.locator(".output-view .view-line", {
    hasText: "completion of version",
  });
  await line.first().waitFor();
  await workbench.page.keyboard.press("Control+J");
});

test("completions are switched off for the language, and on again", async (session) => {
  const { workbench } = session;
  await workbench.openFile("third.ts", "subtract");
  await switchFor(session, "Disable for typescript");
  await workbench.statusItem("off for this language").waitFor();
  await workbench.typeAtEnd("export function ", { settleMs: 1000 });
  assert.equal(await workbench.ghostTextNow(), "");
  await session.takePicture("off for this language");
  await switchFor(session, "Enable for typescript");
  await workbench.statusItem(/Pith(?!: off)/).waitFor();
  await workbench.typeAtEnd("multiply(a: number, b: number)");
  assert.notEqual((await workbench.ghostText()).trim(), "");
});

async function switchFor({ workbench }: Session, entry: string): Promise<void> {
  await workbench.runCommand("Pith: Enable / Disable for Language or Workspace");
  await workbench.quickPick(entry).click();
}

async function checkCompletes({ workbench }: Session, file: string): Promise<void> {
  await workbench.openFile(file, "subtract");
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await workbench.typeAtEnd("export function multiply(a: number, b: number)");
  assert.notEqual((await workbench.ghostText()).trim(), "");
}

async function untilOtherProcess(session: Session, old: number): Promise<number> {
  return processOf(
    await session.untilDiagnostics((found) => ![old, Number.NaN].includes(processOf(found))),
  );
}

/** NaN while there is none. */
function processOf({ facts }: Diagnostics): number {
  const { process = "" } = facts;
  return Number.parseInt(process, 10);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
