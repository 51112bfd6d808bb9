// One server, one browser and one workspace for a test file; a picture is kept of every failure.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Browser, chromium } from "playwright-core";
import { homeFolder } from "../../sidecar/catalogue/home.ts";
import { type CodeServer, startCodeServer } from "./code-server.ts";
import { Workbench } from "./workbench.ts";

export interface SessionOptions {
  /** Names the folder of this run under .cache/editor-tests/. */
  name: string;
  /** The files of the workspace. */
  files: Record<string, string>;
  settings?: Record<string, unknown>;
  env?: Record<string, string>;
  /** Makes a packed extension to install; otherwise the checkout is loaded for development. */
  packExtension?(folder: string): string;
}

export interface Diagnostics {
  facts: Record<string, string>;
  /** Oldest first. */
  completions: string[];
}

export class Session {
  readonly folder: string;
  readonly workspace: string;
  readonly workbench: Workbench;
  private readonly server: CodeServer;
  private readonly browser: Browser;

  constructor(
    folder: string,
    workbench: Workbench,
    owned: { server: CodeServer; browser: Browser },
  ) {
    this.folder = folder;
    this.workspace = join(folder, "workspace");
    this.workbench = workbench;
    this.server = owned.server;
    this.browser = owned.browser;
  }

  readFile(name: string): string {
    return readFileSync(join(this.workspace, name), "utf8");
  }

  /** The user's own settings, as a person who edits the file changes them. */
  writeSettings(change: Record<string, unknown>): void {
    writeFileSync(this.settingsFile, JSON.stringify({ ...this.settings, ...change }));
  }

  /** Waits until the user's own settings say so. */
  async untilSetting(name: string, value: unknown): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (this.settings[name] === value) return;
      await delay(100);
    }
    throw new Error(`session: the setting ${name} is ${this.settings[name]}, not ${value}`);
  }

  private get settingsFile(): string {
    return join(this.folder, "data/User/settings.json");
  }

  private get settings(): Record<string, unknown> {
    // Empty for the moment in which the editor writes it.
    return JSON.parse(readFileSync(this.settingsFile, "utf8") || "{}");
  }

  /** What the command Copy Diagnostics says, as name and fact, and the last completions in words. */
  async diagnostics(): Promise<Diagnostics> {
    await this.workbench.runCommand("Pith: Copy Diagnostics");
    await this.workbench.page
      .locator(".statusbar-item", { hasText: "diagnostics copied" })
      .waitFor();
    const text = await this.workbench.page.evaluate("navigator.clipboard.readText()");
    const lines = `${text}`.trim().split("\n");
    const border = lines.indexOf("last completions:");
    const facts = lines.slice(0, border).map((line) => line.split(/: (.*)/s).slice(0, 2));
    return { facts: Object.fromEntries(facts), completions: lines.slice(border + 1) };
  }

  /** Asks for the diagnostics until they are as wanted. */
  async untilDiagnostics(isWanted: (found: Diagnostics) => boolean): Promise<Diagnostics> {
    for (let tries = 0; tries < 30; tries++) {
      const found = await this.diagnostics();
      if (isWanted(found)) return found;
      await delay(500);
    }
    throw new Error("session: the diagnostics do not become what is waited for");
  }

  /**
   * Types until a completion has come out like that. Asking for the diagnostics takes the focus away,
   * and with it a request that is not sent yet, hence the pause and the repetition.
   */
  async untilOutcome(outcome: string): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      await this.workbench.typeAtEnd("1", { settleMs: 1000 });
      const { completions } = await this.diagnostics();
      if (completions.some((line) => line.includes(`: ${outcome};`))) return;
    }
    throw new Error(`session: no completion comes out as ${outcome}`);
  }

  /** @returns the file of the picture. */
  async takePicture(name: string): Promise<string> {
    const file = join(this.folder, `${name.replaceAll(/\W+/g, "-")}.png`);
    await this.workbench.page.screenshot({ path: file });
    return file;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
  }
}

/** Opens a session before the tests of a file and closes it after them. */
export function useSession(options: SessionOptions): {
  test(name: string, run: (session: Session) => Promise<void>): void;
} {
  let session: Session | undefined;
  before(async () => {
    session = await openSession(options);
  });
  after(() => session?.close());
  return {
    test: (name, run) =>
      void test(name, { timeout: 180_000 }, async () => {
        if (session === undefined) throw new Error("session: not open");
        await runWithPicture(session, name, run);
      }),
  };
}

export async function openSession(options: SessionOptions): Promise<Session> {
  const folder = emptyFolder(options.name);
  const workspace = join(folder, "workspace");
  for (const [name, text] of Object.entries(options.files)) {
    mkdirSync(dirname(join(workspace, name)), { recursive: true });
    writeFileSync(join(workspace, name), text);
  }
  const vsix = options.packExtension?.(folder);
  const settings = { "pith.model": "smollm2-135m", "pith.trace": "messages", ...options.settings };
  const env = { ...serverEnvironment(folder), ...options.env };
  const server = await startCodeServer({ folder, settings, env, vsix });
  const browser = await startBrowser();
  const permissions = ["clipboard-read", "clipboard-write"];
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, permissions });
  const session = new Session(folder, new Workbench(page), { server, browser });
  const address = addressOf(server.authority, { workspace, isInstalled: vsix !== undefined });
  try {
    await runWithPicture(session, "open", ({ workbench }) => workbench.open(address));
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

/**
 * A folder for one run, empty but for an empty workspace. That is a repository of its own: by the
 * rules of the checkout around it, it would be left out.
 */
export function emptyFolder(name: string): string {
  const folder = resolve(".cache/editor-tests", name);
  rmSync(folder, { recursive: true, force: true });
  // Not a part of the repository around it, whose rules leave out the cache.
  execFileSync("git", ["init", "--quiet", join(folder, "workspace")]);
  return folder;
}

/** A home of Pith in `folder` with the models of this machine, but with memories of its own. */
export function serverEnvironment(folder: string): Record<string, string> {
  const home = join(folder, "pith");
  mkdirSync(home);
  for (const shared of ["models", "prepared"])
    symlinkSync(join(homeFolder(), shared), join(home, shared));
  return { PITH_HOME: home };
}

async function runWithPicture(
  session: Session,
  name: string,
  run: (session: Session) => Promise<void>,
): Promise<void> {
  try {
    await run(session);
  } catch (error) {
    const file = await session.takePicture(`failed ${name}`);
    if (error instanceof Error) error.message += `\nsee ${file}`;
    throw error;
  }
}

export interface AddressOptions {
  workspace: string;
  /** The extension is installed; otherwise the checkout is loaded for development. */
  isInstalled?: boolean;
  /** The module whose `run` the extension host is to call. */
  tests?: string;
}

/** VS Code in the browser finds in the `payload` what is being developed. */
export function addressOf(authority: string, options: AddressOptions): string {
  const query = new URLSearchParams({ folder: options.workspace });
  const remote = (path: string) => `vscode-remote://${authority}${path}`;
  const payload: [string, string][] = [];
  if (!options.isInstalled) payload.push(["extensionDevelopmentPath", remote(resolve("."))]);
  if (options.tests !== undefined) payload.push(["extensionTestsPath", remote(options.tests)]);
  query.set("payload", JSON.stringify(payload));
  return `http://${authority}/?${query}`;
}

export function startBrowser(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath: browserFile(), args: [...args, ...quiet] });
}

function browserFile(): string {
  const { CHROMIUM, PATH = "" } = process.env;
  const places = PATH.split(delimiter).map((folder) => join(folder, "chromium"));
  const file = CHROMIUM ?? places.find(existsSync);
  if (file === undefined)
    throw new Error("session: no chromium on the PATH; `npm test` installs it");
  return file;
}
