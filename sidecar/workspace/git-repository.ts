// A repository as Git finds it. In: a folder. Out: where it keeps what decides on ignoring.
import { dirname, join, resolve } from "node:path";
import { platform } from "node:process";
import type { Disk } from "./disk.ts";
import {
  configHome,
  expandHome,
  type GitFolders,
  isTrue,
  readGitConfig,
  readGitText,
} from "./git-config.ts";

export interface Repository {
  /** The folder that holds `.git`, which is a folder or, in linked worktrees and submodules, a file. */
  readonly root: string;
  /** null for a folder in no repository, which is taken as one that were made there. */
  readonly git: GitFolders | null;
  readonly ignoreCase: boolean;
  /** Rule files for the whole of it, absolute, the strongest first. */
  readonly excludes: readonly string[];
}

/**
 * The repository that holds the folder. Where Git would find none, because it is damaged or was copied
 * in part, the nearest `.git` says where rules begin, or else the folder does.
 */
export async function findRepository(folder: string, disk: Disk): Promise<Repository> {
  let root: string | null = null;
  for (let at = folder; ; at = dirname(at)) {
    const repository = await openRepository(at, disk);
    if (repository !== null) return repository;
    if (root === null && (await isFolder(join(at, ".git"), disk))) root = at;
    if (dirname(at) === at) return await describe(root ?? folder, null, disk);
  }
}

/** null where there is no root of one. */
export async function openRepository(root: string, disk: Disk): Promise<Repository | null> {
  const git = await gitFoldersOf(root, disk);
  return git && (await describe(root, git, disk));
}

async function describe(root: string, git: GitFolders | null, disk: Disk): Promise<Repository> {
  const config = await readGitConfig(git, disk);
  const own = config.get("core.excludesfile");
  // gitignore(5): without that setting it is a file among the user's settings of Git.
  const users = typeof own === "string" ? expandHome(own) : join(configHome(), "git", "ignore");
  return {
    ...{ root, git },
    // On these `git init` finds a disk to which case says nothing, and sets it so.
    ignoreCase: git
      ? isTrue(config.get("core.ignorecase"))
      : platform === "win32" || platform === "darwin",
    excludes: [
      ...(git === null ? [] : [join(git.common, "info", "exclude")]),
      ...(users === "" ? [] : [resolve(root, users)]),
    ],
  };
}

async function gitFoldersOf(root: string, disk: Disk): Promise<GitFolders | null> {
  const place = join(root, ".git");
  const isPlain = await isFolder(place, disk);
  const own = isPlain ? place : await folderNamedIn(place, "gitdir: ", disk);
  if (own === null) return null;
  const common = (await folderNamedIn(join(own, "commondir"), "", disk)) ?? own;
  // A folder that only has the name is none to Git, either.
  const isWhole =
    (await isFolder(join(common, "objects"), disk)) && (await isFolder(join(common, "refs"), disk));
  return isWhole || !isPlain ? { own, common } : null;
}

/** The path that a file of one line holds, from that file's folder on. */
async function folderNamedIn(file: string, prefix: string, disk: Disk): Promise<string | null> {
  const line = (await readGitText(file, disk))?.replace(/[\r\n]+$/, "") ?? "";
  const isNamed = line.startsWith(prefix) && line.length > prefix.length;
  return isNamed ? resolve(dirname(file), line.slice(prefix.length)) : null;
}

async function isFolder(path: string, disk: Disk): Promise<boolean> {
  const kind = disk.realPath(path).then((real) => real && disk.kindOf(real));
  return (await kind.catch(() => null)) === "folder"; // What does not answer is taken for none.
}
