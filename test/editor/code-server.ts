// VS Code in the browser as a process of its own: code-server on a free port, with a home, settings
// and extensions folder that belong to one test file, ended together with everything it started.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { quietSettings } from "./quiet-settings.ts";

const entry = resolve(".cache/code-server/node_modules/code-server/out/node/entry.js");

export interface CodeServerOptions {
  /** An empty folder for everything that the server writes. */
  folder: string;
  settings: Record<string, unknown>;
  /** Reaches the extension host, and so the sidecar. */
  env: Record<string, string>;
  /** A packed extension to install before the start. */
  vsix?: string | undefined;
}

export interface CodeServer {
  /** Host and port, as they stand in the address. */
  authority: string;
  stop(): Promise<void>;
}

export async function startCodeServer(options: CodeServerOptions): Promise<CodeServer> {
  const { folder, vsix } = options;
  mkdirSync(join(folder, "data/User"), { recursive: true });
  const settings = JSON.stringify({ ...quietSettings, ...options.settings });
  writeFileSync(join(folder, "data/User/settings.json"), settings);
  if (vsix !== undefined) installExtension(options, vsix);
  const authority = `127.0.0.1:${await freePort()}`;
  const log = openSync(join(folder, "server.log"), "a");
  // A process group of its own, because code-server forks and the extension host hangs on the fork.
  const child = spawn(process.execPath, [entry, ...argumentsOf(options, authority)], {
    stdio: ["ignore", log, log],
    detached: true,
    env: environmentOf(options),
  });
  closeSync(log);
  const stop = () => stopGroup(child.pid, once(child, "exit"));
  await untilHealthy(authority).catch(async (error) => {
    await stop();
    throw error;
  });
  return { authority, stop };
}

function argumentsOf({ folder, settings }: CodeServerOptions, authority: string): string[] {
  const isTrustOff = settings["security.workspace.trust.enabled"] !== true;
  return [
    ...["--auth", "none", "--bind-addr", authority, ...foldersOf(folder), "--disable-telemetry"],
    ...["--disable-update-check", "--disable-getting-started-override", "--ignore-last-opened"],
    ...(isTrustOff ? ["--disable-workspace-trust"] : []),
  ];
}

function foldersOf(folder: string): string[] {
  const data = ["--user-data-dir", join(folder, "data")];
  const extensions = ["--extensions-dir", join(folder, "extensions")];
  return [...data, ...extensions, "--config", join(folder, "config.yaml")];
}

function environmentOf({ folder, env }: CodeServerOptions): NodeJS.ProcessEnv {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const homes = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "share"),
  };
  // Sockets of VS Code land in the temporary directory; with one of its own none are left behind.
  return { ...process.env, ...homes, TMPDIR: temporaryFolder(folder), ...env };
}

function temporaryFolder(folder: string): string {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  return temporary;
}

function installExtension(options: CodeServerOptions, vsix: string): void {
  const args = [entry, "--install-extension", vsix, ...foldersOf(options.folder)];
  const env = environmentOf(options);
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`code-server: ${vsix} is not installed: ${stdout}${stderr}`);
}

async function untilHealthy(authority: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 100) {
    // Refused connections are what a server that is not up yet gives.
    const answer = await fetch(`http://${authority}/healthz`).catch(() => null);
    if (answer?.ok) return;
    await delay(100);
  }
  throw new Error(`code-server: no answer on ${authority} within 60 s`);
}

async function stopGroup(pid: number | undefined, ended: Promise<unknown>): Promise<void> {
  if (pid === undefined) return;
  signalGroup(pid, "SIGTERM");
  await Promise.race([ended, delay(5000, undefined, { ref: false })]);
  signalGroup(pid, "SIGKILL");
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended already, which is what was wanted.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("code-server: no free port");
  return address.port;
}
