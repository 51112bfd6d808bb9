// A real editor in which the same text is typed with the token budget open and hidden, that is with the
// explorer in its place: an open side bar makes the editor narrower and costs time of its own. From the
// key's press to ghost text, measured within the page.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { budgetPageOf } from "../editor/budget-page.ts";
import { openSession, type Session } from "../editor/session.ts";

export interface LatencyPair {
  /** Milliseconds; null where no ghost text came within the limit. */
  open: number | null;
  hidden: number | null;
}

type PanelState = keyof LatencyPair;

/** Characters that are typed in one state before they are typed again in the other. */
export const blockLength = 50;
/** A quarter of the trace is there before the first key. */
const start = 1500;
const limitMs = 1500;
/** After a deletion, for what it sets off. */
const restMs = 1500;
/** After a change of the side bar: what a page leaves behind as it loads is collected for seconds. */
const settledMs = 8000;

const verbatim = {
  "editor.autoClosingBrackets": "never",
  "editor.autoClosingQuotes": "never",
  "editor.autoSurround": "never",
  "editor.autoIndent": "none",
};

export class PanelLatency {
  readonly #session: Session;
  readonly #text: string;
  #isOpen = true;

  private constructor(session: Session, text: string) {
    this.#session = session;
    this.#text = text;
  }

  /** `block` is the first that is going to be typed. */
  static async start(block: number): Promise<PanelLatency> {
    const text = readFileSync("test/golden/trace/window.ts.txt", "utf8");
    const typed = text.slice(0, start + block * blockLength);
    const files = { "window.ts": typed };
    const session = await openSession({ name: "panel-latency", files, settings: verbatim });
    const { workbench } = session;
    await workbench.statusItem().locator(".codicon-sparkle").waitFor();
    await workbench.openFile("window.ts", "");
    await workbench.typeAtEnd(" ", { settleMs: 3000 });
    await workbench.page.keyboard.press("Backspace");
    await workbench.runCommand("Pith: Show Token Budget");
    await budgetPageOf(session).locator(".outcome").waitFor();
    await workbench.goToEnd();
    await workbench.page.evaluate(watch);
    return new PanelLatency(session, text);
  }

  /** A pair for each character of a block; the panel's state that comes first changes from block to block. */
  async block(index: number): Promise<LatencyPair[]> {
    const order: PanelState[] = index % 2 === 0 ? ["open", "hidden"] : ["hidden", "open"];
    const from = start + index * blockLength;
    const keys = [...this.#text.slice(from, from + blockLength)];
    const first = await this.#type(keys, order[0] === "open");
    await this.#delete(keys.length);
    const second = await this.#type(keys, order[0] !== "open");
    const [open, hidden] = order[0] === "open" ? [first, second] : [second, first];
    return keys.map((_, key) => ({ open: open[key] ?? null, hidden: hidden[key] ?? null }));
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  async #type(keys: readonly string[], isOpen: boolean): Promise<(number | null)[]> {
    await this.#show(isOpen);
    const { page } = this.#session.workbench;
    const times: (number | null)[] = [];
    for (const key of keys) {
      await page.evaluate("pithArm()");
      await page.keyboard.press(key === "\n" ? "Enter" : key === " " ? "Space" : key);
      times.push(await page.evaluate(`pithLatency(${limitMs})`));
    }
    return times;
  }

  async #delete(count: number): Promise<void> {
    const { page } = this.#session.workbench;
    for (let each = 0; each < count; each++) await page.keyboard.press("Shift+ArrowLeft");
    await page.keyboard.press("Backspace");
    await sleep(restMs);
  }

  /** A view that opens takes the focus; Control+1 gives it back to the editor. */
  async #show(isOpen: boolean): Promise<void> {
    const { page } = this.#session.workbench;
    if (isOpen && !this.#isOpen)
      await page.locator('.activitybar .action-label[aria-label="Pith"]').click();
    if (!isOpen && this.#isOpen) await page.keyboard.press("Control+Shift+E");
    this.#isOpen = isOpen;
    if (isOpen) await budgetPageOf(this.#session).locator(".outcome").waitFor();
    else await page.locator(".explorer-folders-view").waitFor();
    await page.keyboard.press("Control+1");
    await sleep(settledMs);
  }
}

/** What is measured so far, over all runs. */
export class PairFile {
  readonly #file: string;
  readonly blocks: LatencyPair[][];

  constructor(folder: string) {
    this.#file = join(folder, "blocks.json");
    try {
      this.blocks = JSON.parse(readFileSync(this.#file, "utf8"));
    } catch {
      // Nothing was measured yet.
      this.blocks = [];
    }
  }

  add(block: LatencyPair[]): void {
    this.blocks.push(block);
    writeFileSync(this.#file, JSON.stringify(this.blocks));
  }
}

/** In the page: from the key's event to the first ghost text that is not the one of before. */
const watch = `{
  const ghost = () =>
    [...document.querySelectorAll(".ghost-text, .ghost-text-decoration")]
      .map(({ textContent }) => textContent)
      .join("");
  let before = "";
  let pressed = 0;
  let hasChanged = false;
  let latency = null;
  let done = () => {};
  const look = () => {
    if (pressed === 0 || latency !== null) return;
    const text = ghost();
    hasChanged ||= text !== before;
    if (!hasChanged || text === "") return;
    latency = performance.now() - pressed;
    done();
  };
  addEventListener("keydown", () => (pressed ||= performance.now()), true);
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
  globalThis.pithArm = () => {
    before = ghost();
    pressed = 0;
    hasChanged = false;
    latency = null;
  };
  globalThis.pithLatency = async (limitMs) => {
    look();
    if (latency === null)
      await Promise.race([
        new Promise((resolve) => (done = resolve)),
        new Promise((resolve) => setTimeout(resolve, limitMs)),
      ]);
    return latency;
  };
}`;
