// Every reason for an empty completion is provoked and read in the token-budget view, but for those that
// stand in the side bar in its place: `model-missing.test.ts`, `untrusted.test.ts`.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { budgetPageOf } from "./budget-page.ts";
import { type Session, useSession } from "./session.ts";

const sums = "export const first = 1;\nexport const second = 2;\n";
const broken = "panel-reasons-broken";
const { test } = useSession({
  name: "panel-reasons",
  files: {
    "sums.ts": sums,
    "long.ts": Array.from({ length: 40 }, (_, at) => `export const name${at} = ${at};\n`).join(""),
    "large.ts": `${"const number = 1;\n".repeat(60_000)}const last = 2;\n`,
    "hidden.ts": sums,
    ".cursorignore": "hidden.ts\n",
    ".env": "first=1\n",
    "list.txt": "a = [1, 2, 3]\n",
    "quoted.txt": 'print("a")\n',
    "rule.txt": "-----------\n",
    "asked.txt": "How can I help you today?",
  },
  settings: {
    "pith.memories.enable": false,
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingQuotes": "never",
  },
});
const { test: testBroken } = useSession({
  name: broken,
  files: { "sums.ts": sums, "broken.gguf": "no model\n" },
  settings: { "pith.model": resolve(`.cache/editor-tests/${broken}/workspace/broken.gguf`) },
});

/** A key that hardly goes through ghost text that is there, for then nothing would be asked. */
const unlikelyKeys = "zkwvjxgqbhzkxvwjqgyf";

test("completions that are switched off say so", async (session) => {
  await session.workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await session.workbench.openFile("sums.ts", "second");
  await session.workbench.typeAtEnd("export const third = ", { settleMs: 1500 });
  await session.workbench.runCommand("Pith: Show Token Budget");
  await budgetPageOf(session).locator(".outcome").waitFor();
  await flip(session, "Disable everywhere");
  await checkOutcome(session, "Completions are switched off by pith.enable.");
  await flip(session, "Enable everywhere");
  await flip(session, "Disable for typescript");
  await checkOutcome(session, "Completions are off for this language by pith.languages.");
  await flip(session, "Enable for typescript");
});

test("a cursor inside a word says so", async (session) => {
  const { page } = session.workbench;
  await checkOutcome(session, "The cursor is inside a word.", async () => {
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.type("x");
  });
});

test("requests that a newer keystroke overtook stand in the history", async (session) => {
  const { workbench } = session;
  const row = budgetPageOf(session).locator("td", { hasText: "overtaken" });
  await workbench.goToEnd();
  // Between the debounce and the answer lies a time that this machine's speed decides.
  for (const [index, key] of [...unlikelyKeys].entries()) {
    if ((await row.count()) > 0) break;
    await workbench.page.keyboard.type(key);
    await workbench.page.waitForTimeout(30 * (index + 1));
  }
  await row.first().waitFor();
});

test("a request that the editor took back stands in the history", async (session) => {
  const { page } = session.workbench;
  const row = budgetPageOf(session).locator("td", { hasText: "cancelled" });
  await openBesideView(session, "long.ts", "name0");
  for (const [index, key] of [...unlikelyKeys].entries()) {
    if ((await row.count()) > 0) break;
    // All that stands behind the new first character is to be read anew, which takes a while.
    await page.keyboard.press("Control+Home");
    await page.keyboard.type("/");
    await page.keyboard.press("Control+End");
    await page.keyboard.type(key);
    await page.waitForTimeout(100 + 30 * index);
    // The editor takes a request back when the focus goes elsewhere. A key before its answer would
    // overtake it.
    await page.keyboard.press("F1");
    await row
      .first()
      .waitFor({ timeout: 1500 })
      .catch(() => {});
    await page.keyboard.press("Escape");
  }
  await row.first().waitFor();
});

for (const [file, sentence] of [
  ["hidden.ts", "The ignore rules leave this file out."],
  [".env", "This file may hold secrets, so nothing of it is read."],
] as const) {
  test(`in ${file} it says: ${sentence}`, async (session) => {
    await openBesideView(session, file, "first");
    await checkOutcome(session, sentence);
  });
}

/** What the model writes there is always the same; the cursor is behind so many characters. */
for (const [file, column, sentence] of [
  ["list.txt", 13, "The suggestion was nothing but white space."],
  ["quoted.txt", 9, "The suggestion only repeated the text after the cursor."],
  ["rule.txt", 5, "The model was not sure enough of its suggestion."],
  ["asked.txt", 25, "The model sees nothing to add here."],
] as const) {
  test(`in ${file} it says: ${sentence}`, async (session) => {
    const { keyboard } = session.workbench.page;
    const line = session.readFile(file).trimEnd();
    await openBesideView(session, file, line);
    await session.workbench.editor.locator(".view-lines").click();
    await checkOutcome(session, sentence, async () => {
      await keyboard.press("Control+Home");
      for (let moved = 0; moved < column; moved++) await keyboard.press("ArrowRight");
      await keyboard.press("Backspace");
      await keyboard.type(line.charAt(column - 1));
    });
  });
}

test("a model that is still being loaded says so", async (session) => {
  const sentence = "The model is still being loaded.";
  const outcome = budgetPageOf(session).locator(".outcome", { hasText: sentence });
  await openBesideView(session, "sums.ts", "second");
  await session.workbench.runCommand("Pith: Restart Sidecar");
  for (let tries = 0; tries < 40 && (await outcome.count()) === 0; tries++)
    await session.workbench.typeAtEnd("1", { settleMs: 300 });
  assert.equal(await outcome.count(), 1);
  await session.workbench.statusItem().locator(".codicon-loading").waitFor({ state: "hidden" });
});

test("a file that is too large says so", async (session) => {
  await openBesideView(session, "large.ts", "number");
  await checkOutcome(session, "This file is too large for completions.");
  await session.takePicture("too large");
});

testBroken("an engine that failed says so, and the status bar tells why", async (session) => {
  const { workbench } = session;
  await workbench.openFile("sums.ts", "second");
  await workbench.statusItem().locator(".codicon-error").waitFor();
  await workbench.runCommand("Pith: Show Token Budget");
  for (const way of ["Show Log", "Restart Sidecar", "Choose Model"])
    await workbench.page.locator(".sidebar").getByText(way).waitFor();
  await session.takePicture("failed");
  await workbench.typeAtEnd("1", { settleMs: 1500 });
  await checkOutcome(session, "The engine failed; the log says how.");
});

async function openBesideView(session: Session, file: string, text: string): Promise<void> {
  await session.workbench.runCommand("View: Show Explorer");
  await session.workbench.openFile(file, text);
  await session.workbench.runCommand("Pith: Show Token Budget");
  await budgetPageOf(session).locator(".outcome").waitFor();
}

/** Types until the view says `sentence`: a request may be overtaken, or not sent yet. */
async function checkOutcome(
  session: Session,
  sentence: string,
  type = () => session.workbench.typeAtEnd("1"),
): Promise<void> {
  const outcome = budgetPageOf(session).locator(".outcome", { hasText: sentence });
  for (let tries = 0; tries < 10; tries++) {
    await type();
    const isThere = await outcome.waitFor({ timeout: 3000 }).then(
      () => true,
      () => false,
    );
    if (isThere) return;
  }
  assert.fail(`the view never says: ${sentence}`);
}

/** By the quick pick that switches completions, whose entry says what picking it does. */
async function flip({ workbench }: Session, entry: string): Promise<void> {
  await workbench.runCommand("Pith: Enable / Disable for Language or Workspace");
  await workbench.quickPick(entry).click();
}
