// What Git's configuration says, read from its files: no program is started in a folder that is
// somebody else's, and Git need not be there. In: the folders of a repository. Out: the last value
// of each name. Of git-config(1) left out: `hasconfig` as a condition, homes of other users, and what
// `git -c` sets.
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { env, platform } from "node:process";
import type { Disk } from "./disk.ts";
import { readTextFile } from "./text-file.ts";
import { bytesOf, matchesWildcards, readWildcards } from "./wildmatch.ts";

/** Absolute; the same one but for a linked worktree. */
export interface GitFolders {
  readonly own: string;
  readonly common: string;
}

/** By lower-case names as `core.ignorecase`; true for a name without a value. */
export type GitConfig = ReadonlyMap<string, string | true>;
type Entry = readonly [name: string, value: string | true];

interface Place {
  readonly git: GitFolders | null;
  readonly disk: Disk;
  /** How many files may be included yet: Git dies of those that include each other. */
  inclusions: number;
}

/** Files included by files, in all. */
const inclusionLimit = 100;
/** Bytes of a file of Git's own, as Git has it for `.git`. */
const byteLimit = 1 << 20;

/** `git` is null outside of repositories: what holds for the user and the system is read then. */
export async function readGitConfig(git: GitFolders | null, disk: Disk): Promise<GitConfig> {
  const config = new Map<string, string | true>();
  const place = { git, disk, inclusions: inclusionLimit };
  const read = async (files: readonly string[]): Promise<void> => {
    for (const file of files)
      for (const entry of await readEntries(file, place)) config.set(...entry);
  };
  await read([...systemFiles(), ...userFiles()]);
  if (git !== null) await read([join(git.common, "config")]);
  if (git !== null && isTrue(config.get("extensions.worktreeconfig")))
    await read([join(git.own, "config.worktree")]);
  for (const entry of environmentEntries()) config.set(...entry);
  return config;
}

/** null for what cannot be read. */
export async function readGitText(file: string, disk: Disk): Promise<string | null> {
  const read = await readTextFile(file, { byteLimit, disk });
  return "text" in read ? read.text : null;
}

export function isTrue(value: string | true | undefined): boolean {
  return value === true || /^(true|yes|on|[-+]?0*[1-9]\d*[kmg]?)$/i.test(value ?? "");
}

/** `~` is the user's home. */
export function expandHome(path: string): string {
  return /^~(?=\/|$)/.test(path) ? join(homedir(), path.slice(1)) : path;
}

/** Of the user's own settings of programs. */
export function configHome(): string {
  const { XDG_CONFIG_HOME } = env;
  return XDG_CONFIG_HOME || join(homedir(), ".config");
}

/** Where the packages of Git for the three systems have it: each knows its place when it is built. */
function systemFiles(): string[] {
  const { GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM, ProgramFiles = "C:\\Program Files" } = env;
  if (isTrue(GIT_CONFIG_NOSYSTEM)) return [];
  if (GIT_CONFIG_SYSTEM !== undefined) return [GIT_CONFIG_SYSTEM];
  if (platform === "win32") return [join(ProgramFiles, "Git", "etc", "gitconfig")];
  if (platform !== "darwin") return ["/etc/gitconfig"];
  const places = ["/etc", "/usr/local/etc", "/opt/homebrew/etc"];
  return places.map((place) => join(place, "gitconfig"));
}

function userFiles(): string[] {
  const { GIT_CONFIG_GLOBAL } = env;
  if (GIT_CONFIG_GLOBAL !== undefined) return [GIT_CONFIG_GLOBAL];
  return [join(configHome(), "git", "config"), join(homedir(), ".gitconfig")];
}

function* environmentEntries(): Generator<Entry> {
  const { GIT_CONFIG_COUNT = 0 } = env;
  const count = Number(GIT_CONFIG_COUNT);
  for (let index = 0; index < count; index += 1) {
    const name = env[`GIT_CONFIG_KEY_${index}`];
    if (name === undefined) return;
    yield [name.toLowerCase(), env[`GIT_CONFIG_VALUE_${index}`] ?? ""];
  }
}

async function readEntries(file: string, place: Place): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const entry of parseEntries((await readGitText(file, place.disk)) ?? "")) {
    entries.push(entry);
    const [name, value] = entry;
    if (value === true || !(await isIncluded(name, file, place))) continue;
    place.inclusions -= 1;
    if (place.inclusions < 0) break;
    entries.push(...(await readEntries(resolve(dirname(file), expandHome(value)), place)));
  }
  return entries;
}

async function isIncluded(name: string, file: string, { git, disk }: Place): Promise<boolean> {
  if (name === "include.path") return true;
  const [, kind, condition = ""] =
    /^includeif\.(gitdir|gitdir\/i|onbranch):(.*)\.path$/s.exec(name) ?? [];
  if (kind === undefined || git === null) return false;
  if (kind !== "onbranch")
    return matches(folderPattern(condition, dirname(file)), git.own, kind === "gitdir/i");
  const head = (await readGitText(join(git.own, "HEAD"), disk)) ?? "";
  const [, branch] = /^ref: refs\/heads\/(.+)/.exec(head) ?? [];
  return branch !== undefined && matches(condition, branch, false);
}

function folderPattern(condition: string, folder: string): string {
  if (condition.startsWith("./")) return join(folder, condition.slice(1));
  const path = expandHome(condition);
  return isAbsolute(path) ? path : `**/${path}`;
}

function matches(condition: string, text: string, ignoreCase: boolean): boolean {
  const pattern = condition.endsWith("/") ? `${condition}**` : condition;
  const wildcards = readWildcards(bytesOf(pattern), ignoreCase);
  return wildcards !== null && matchesWildcards(wildcards, bytesOf(text));
}

const header = /\[([\w.-]+)(?:[ \t]+"((?:\\.|[^"\\\n])*)")?\]/;
const value = /(?:\\.|"(?:\\.|[^"\\\n])*"|[^"\\\n#;])*/;
const variable = new RegExp(
  `([A-Za-z][A-Za-z0-9-]*)[ \\t]*(?:=(${value.source})(?=[\\n#;]|$)|(?=\\n|$))`,
);
const part = new RegExp(`\\s+|[#;][^\\n]*|${header.source}|${variable.source}`, "sy");

/** Up to the first place that Git would stop at. */
function* parseEntries(text: string): Generator<Entry> {
  const lines = text.replaceAll("\r\n", "\n");
  let section = "";
  for (let at = 0; ; ) {
    part.lastIndex = at;
    const found = part.exec(lines);
    if (found === null) return;
    at = part.lastIndex;
    const [, name, subsection, key, raw] = found;
    if (name !== undefined)
      section = name.toLowerCase() + (subsection === undefined ? "" : `.${unescaped(subsection)}`);
    else if (key !== undefined)
      yield [`${section}.${key.toLowerCase()}`, raw === undefined ? true : unquoted(raw.trim())];
  }
}

function unescaped(subsection: string): string {
  return subsection.replace(/\\(.)/gs, "$1");
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b", "\n": "" };

function unquoted(value: string): string {
  return value.replace(/\\(.)|"/gs, (_, escaped?: string) =>
    escaped === undefined ? "" : (escapes[escaped] ?? escaped),
  );
}
