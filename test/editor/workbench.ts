// A page of VS Code, moved by the keyboard and the mouse as a person would.
import type { Locator, Page } from "playwright-core";

/** A cold server on a busy machine takes this long in the worst case seen, doubled. */
const patienceMs = 60_000;

export class Workbench {
  readonly page: Page;
  /** The text editor that is in front. */
  readonly editor: Locator;
  private readonly ghost: Locator;

  constructor(page: Page) {
    this.page = page;
    this.editor = page.locator(".editor-instance .monaco-editor").first();
    this.ghost = this.editor.locator(".ghost-text, .ghost-text-decoration");
    page.setDefaultTimeout(patienceMs);
  }

  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.page.waitForSelector(".monaco-workbench");
    await this.statusItem().waitFor();
  }

  /** Opens a file from the explorer and waits for a piece of its text. */
  async openFile(name: string, text: string): Promise<void> {
    const row = this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name });
    await row.first().dblclick();
    await this.page.locator(`.tab.active[aria-label*="${name}"]`).waitFor();
    await this.editor.locator(".view-line", { hasText: text }).first().waitFor();
  }

  /** Types with the cursor at the end of the file, and waits a while if asked to. */
  async typeAtEnd(text: string, options: { settleMs?: number } = {}): Promise<void> {
    await this.goToEnd();
    await this.page.keyboard.type(text);
    await this.page.waitForTimeout(options.settleMs ?? 0);
  }

  async goToEnd(): Promise<void> {
    await this.editor.locator(".view-lines").click();
    await this.page.keyboard.press("Control+End");
  }

  /** Waits for ghost text; what a person reads of it, on one line. */
  async ghostText(): Promise<string> {
    await this.ghost.first().waitFor();
    return this.ghostTextNow();
  }

  /** Empty when there is none. */
  async ghostTextNow(): Promise<string> {
    const texts = await this.ghost.allTextContents();
    return texts.join("").replaceAll("\u00a0", " ").replaceAll("\u200b", "");
  }

  async save(): Promise<void> {
    const tab = this.page.locator(".tab.active");
    await tab.and(this.page.locator(".dirty")).waitFor();
    await this.page.keyboard.press("Control+S");
    await tab.and(this.page.locator(":not(.dirty)")).waitFor();
  }

  statusItem(text?: string | RegExp): Locator {
    const item = this.page.locator('.statusbar-item[id="pith.pith.pith.status"]');
    return text === undefined ? item : item.filter({ hasText: text });
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-toast", { hasText: text });
  }

  /**
   * Runs a command from the palette, which is closed and opened again until that has come to pass: its
   * list is made when it opens and does not grow when an extension registers later, and it closes by
   * itself when something else takes the focus.
   */
  async runCommand(title: string): Promise<void> {
    for (let tries = 0; tries < 15; tries++) {
      const hasRun = await this.tryCommand(title).then(
        () => true,
        () => false,
      );
      if (hasRun) return;
      await this.page.keyboard.press("Escape");
      await this.page.waitForTimeout(200);
    }
    throw new Error(`workbench: no command ${title} in the palette`);
  }

  /** A click works only on what is seen, so it cannot go astray as a key can. @throws when it fails. */
  private async tryCommand(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[type="text"]').first();
    await this.page.keyboard.press("F1");
    await input.waitFor({ timeout: 2000 });
    await input.fill(`>${title}`, { timeout: 1000 });
    await this.quickPick(title).click({ timeout: 1500 });
  }

  /** An entry of the list that is open at the top. */
  quickPick(text: string): Locator {
    return this.page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first();
  }
}
