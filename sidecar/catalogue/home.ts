// Where Pith keeps what it needs from one start to the next. Memories made from the user's code will
// lie here, so the folder is readable by its owner alone.
import { chmod, mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Absolute paths of the home folder and what lies in it. */
export interface Home {
  readonly folder: string;
  readonly models: string;
  readonly prepared: string;
  readonly bank: string;
  readonly log: string;
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

/** Makes the folders that are missing, for their owner alone. An empty `folder` is the default one. */
export async function openHome(folder = ""): Promise<Home> {
  const root = folder === "" ? homeFolder() : resolve(folder);
  const home: Home = {
    folder: root,
    models: join(root, "models"),
    prepared: join(root, "prepared"),
    bank: join(root, "bank"),
    log: join(root, "log"),
  };
  for (const each of Object.values(home)) await mkdir(each, { recursive: true, mode: 0o700 });
  // An older folder, or one made by hand, may be open to others.
  await chmod(root, 0o700);
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
