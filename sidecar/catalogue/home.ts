// Where Pith keeps what it needs from one start to the next. What Pith makes here is its owner's alone;
// a folder that was there before, as one that several people share, keeps its mode.
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Absolute paths of the home folder and what lies in it. */
export interface Home {
  readonly folder: string;
  readonly models: string;
  readonly prepared: string;
  /** Made by who opens it. */
  readonly bank: string;
}

/** `PITH_HOME`, else the platform's data folder. */
export function homeFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { PITH_HOME, XDG_DATA_HOME, LOCALAPPDATA } = env;
  if (PITH_HOME) return resolve(PITH_HOME);
  if (platform === "darwin") return join(homedir(), "Library/Application Support/Pith");
  if (platform === "win32")
    return join(LOCALAPPDATA || join(homedir(), "AppData", "Local"), "Pith");
  return join(XDG_DATA_HOME || join(homedir(), ".local/share"), "pith");
}

/** Makes what is missing, for its owner alone. An empty `folder` is the default one. */
export async function openHome(folder = ""): Promise<Home> {
  const root = folder === "" ? homeFolder() : resolve(folder);
  const home: Home = {
    folder: root,
    models: join(root, "models"),
    prepared: join(root, "prepared"),
    bank: join(root, "bank"),
  };
  for (const each of [home.models, home.prepared])
    await mkdir(each, { recursive: true, mode: 0o700 });
  return home;
}

/**
 * The folder of one prepared form of one GGUF file. `format` is the version of what is written, so a
 * newer Pith never reads an older form.
 */
export function preparedFolder(
  home: Home,
  prepared: { sha256: string; variant: string; format: number },
): string {
  const { sha256, variant, format } = prepared;
  return join(home.prepared, `${preparedPrefix(sha256)}${variant}-v${format}`);
}

/** What the names of all prepared forms of one file begin with. */
export function preparedPrefix(sha256: string): string {
  return `${sha256.slice(0, 16)}-`;
}
