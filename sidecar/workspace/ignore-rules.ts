// Which files of a workspace folder are to be left alone, as Git decides it: a rule file in any
// folder, those for the whole repository and for the user, the deepest decision wins, `!` takes
// back, and nothing in an ignored folder comes back. What a rule names is left alone though it be
// tracked. Each kind of rule file is asked by itself, so that no kind takes back what another one
// forbids. Rule files are read once; make new rules when one of them changes (`ruledFolder`), and
// forget those of a folder that came or went as a whole.
import { basename, dirname, join, sep } from "node:path";
import { type Disk, type Entry, HungError, hostDisk } from "./disk.ts";
import { findRepository, openRepository, type Repository } from "./git-repository.ts";
import { byteLimit, IgnoreList } from "./ignore-list.ts";
import { isWithin, pathWithin } from "./is-within.ts";
import type { SkipReason } from "./skip-reason.ts";
import { readTextFile } from "./text-file.ts";
import { bytesOf } from "./wildmatch.ts";

/** Of JetBrains, Gemini, Cursor, Windsurf, Copilot, Continue, Cline, Roo, Aider, Tabnine, Cody. */
export const aiIgnoreFiles: readonly string[] = [
  ".aiignore",
  ".aiexclude",
  ".geminiignore",
  ".cursorignore",
  ".cursorindexingignore",
  ".codeiumignore",
  ".windsurfignore",
  ".copilotignore",
  ".continueignore",
  ".clineignore",
  ".rooignore",
  ".aiderignore",
  ".tabnineignore",
  ".codyignore",
];
const gitRules = ".gitignore";
const ruleFiles = new Set([gitRules, ...aiIgnoreFiles]);

/** Kinds of file that exist to hold secrets. */
const secretFiles = `.env
.env.*
!.env.example
!.env.sample
!.env.template
.envrc
*.pem
*.key
*.p12
*.pfx
*.jks
*.keystore
*.kdbx
id_rsa
id_dsa
id_ecdsa
id_ed25519
.netrc
.npmrc
.pypirc
.pgpass
.htpasswd
.git-credentials
.aws/
.ssh/
.gnupg/
*.tfvars
*.tfstate
`;

/** `.git` is a file in linked worktrees and submodules. */
const dependencyFolders = `.git
.hg/
.svn/
node_modules/
bower_components/
.venv/
venv/
.tox/
site-packages/
__pycache__/
`;

/** Of the reasons for a path, the first is told: those for which nothing is completed in it, either. */
const byWeight = ["secret", "ai-ignored", "excluded", "hung", "dependencies", "ignored"] as const;
type Forbidden = ReadonlySet<SkipReason>;

interface Level {
  readonly list: IgnoreList;
  /** What the list is about, as the beginning of a path, in bytes. */
  readonly base: string;
}

interface Folder {
  /** Why all that is in it is left alone. */
  readonly forbidden: Forbidden;
  /** Whose rules hold in it. */
  readonly repository: Repository;
  /** What decides on its entries, by the names of rule files, the nearest first. */
  readonly levels: ReadonlyMap<string, readonly Level[]>;
}

export class IgnoreRules {
  /** The repository around the workspace folder, else the folder: its rules hold within, too. */
  readonly root: string;
  readonly #repository: Repository;
  readonly #disk: Disk;
  readonly #fixed: readonly (readonly [SkipReason, Level])[];
  /** By paths below the root, with `/`. */
  readonly #folders = new Map<string, Promise<Folder>>();

  private constructor(repository: Repository, excluded: Level, disk: Disk) {
    this.root = repository.root;
    this.#repository = repository;
    this.#disk = disk;
    this.#fixed = [
      ["dependencies", { list: new IgnoreList(dependencyFolders, true), base: "" }],
      ["secret", { list: new IgnoreList(secretFiles, true), base: "" }],
      ["excluded", excluded],
    ];
  }

  /** `exclude`: patterns as in `.gitignore`, from `folder` on (the setting `pith.exclude`). */
  static async open(
    folder: string,
    exclude: readonly string[] = [],
    disk: Disk = hostDisk,
  ): Promise<IgnoreRules> {
    const repository = await findRepository(folder, disk);
    const list = new IgnoreList(bytesOf(exclude.join("\n")), repository.ignoreCase);
    const base = baseOf(pathWithin(repository.root, folder));
    return new IgnoreRules(repository, { list, base }, disk);
  }

  /** Why a file or folder at an absolute path is left alone; null if it is not. */
  async reasonFor(path: string, kind: "file" | "folder"): Promise<SkipReason | null> {
    if (!isWithin(path, this.root)) return "outside";
    const below = pathWithin(this.root, path);
    if (below === "") return null;
    const folder = parentOf(below);
    // From the outermost on where it is not known, so that depth costs no stack.
    for (let end = folder.indexOf("/"); end >= 0 && !this.#folders.has(folder); ) {
      await this.#folderAt(folder.slice(0, end));
      end = folder.indexOf("/", end + 1);
    }
    const forbidden = this.#forbidden(await this.#folderAt(folder), below, kind);
    return byWeight.find((reason) => forbidden.has(reason)) ?? null;
  }

  /** The rule files at and below an absolute path are read anew, of a `.git` those beside it. */
  forget(path: string): void {
    const changed = pathWithin(this.root, basename(path) === ".git" ? dirname(path) : path);
    for (const folder of this.#folders.keys())
      if (`${folder}/`.startsWith(changed === "" ? "" : `${changed}/`))
        this.#folders.delete(folder);
  }

  /** Once asked for it is known, so that a keystroke finds it without the disk. */
  #folderAt(below: string): Promise<Folder> {
    const known = this.#folders.get(below);
    if (known !== undefined) return known;
    const reading = this.#readFolder(below);
    this.#folders.set(below, reading);
    const drop = (): void => {
      if (this.#folders.get(below) === reading) this.#folders.delete(below);
    };
    reading.then(({ forbidden }) => forbidden.has("hung") && drop(), drop);
    return reading;
  }

  async #readFolder(below: string): Promise<Folder> {
    const isRoot = below === "";
    const outer: Folder = isRoot
      ? { forbidden: new Set(), repository: this.#repository, levels: new Map() }
      : await this.#folderAt(parentOf(below));
    const forbidden = isRoot ? outer.forbidden : this.#forbidden(outer, below, "folder");
    try {
      return { ...(await this.#readRules(below, outer)), forbidden };
    } catch (error) {
      if (!(error instanceof HungError)) throw error;
      return { ...outer, forbidden: new Set([...forbidden, "hung"]) };
    }
  }

  /** @throws HungError */
  async #readRules(below: string, outer: Folder): Promise<Omit<Folder, "forbidden">> {
    const place = join(this.root, below);
    const base = baseOf(below);
    const entries = (await this.#disk.list(place)) ?? []; // Gone: it then has no rules, either.
    const entered = below === "" ? this.#repository : await this.#repositoryIn(place, entries);
    const { ignoreCase } = entered ?? outer.repository;
    const files = entries.filter(isRead).map(({ name }) => ({ name, file: join(place, name) }));
    const levels = new Map(outer.levels);
    if (entered !== null) {
      // A repository decides on what is in it by its own rules alone.
      levels.set(gitRules, []);
      files.unshift(...entered.excludes.map((file) => ({ name: gitRules, file })).reverse());
    }
    for (const { name, file } of files) {
      const bytes = await (name === gitRules ? readGitRules : readToolRules)(file, this.#disk);
      const list = new IgnoreList(bytes, ignoreCase);
      levels.set(name, [{ list, base }, ...(levels.get(name) ?? [])]);
    }
    return { repository: entered ?? outer.repository, levels };
  }

  async #repositoryIn(place: string, entries: readonly Entry[]): Promise<Repository | null> {
    const isLikely = entries.some(({ name }) => name === ".git");
    return isLikely ? await openRepository(place, this.#disk) : null;
  }

  /** Why an entry of the folder is left alone: all reasons. */
  #forbidden(folder: Folder, below: string, kind: "file" | "folder"): Forbidden {
    const forbidden = new Set(folder.forbidden);
    const path = bytesOf(below);
    const asks = (level: Level): boolean | null =>
      path.startsWith(level.base)
        ? level.list.decide(path.slice(level.base.length), kind === "folder")
        : null;
    for (const [reason, level] of this.#fixed) if (asks(level)) forbidden.add(reason);
    for (const [name, levels] of folder.levels)
      if (firstOf(levels, asks)) forbidden.add(name === gitRules ? "ignored" : "ai-ignored");
    const { git } = folder.repository;
    const place = join(this.root, below);
    if (git?.own === place || git?.common === place) forbidden.add("dependencies");
    return forbidden;
  }
}

/**
 * The folder for which rules must be made anew when the file at an absolute path changed; null if it
 * is no rule file. Git's configuration and the user's own file are read again at the next opening.
 */
export function ruledFolder(path: string): string | null {
  if (ruleFiles.has(basename(path))) return dirname(path);
  const exclude = join(".git", "info", "exclude");
  return path.endsWith(sep + exclude) ? path.slice(0, -exclude.length - 1) : null;
}

function parentOf(below: string): string {
  return below.slice(0, Math.max(below.lastIndexOf("/"), 0));
}

function baseOf(below: string): string {
  return below === "" ? "" : `${bytesOf(below)}/`;
}

/** What the nearest list says that says anything. */
function firstOf(levels: readonly Level[], asks: (level: Level) => boolean | null): boolean {
  for (const level of levels) {
    const decided = asks(level);
    if (decided !== null) return decided;
  }
  return false;
}

/** Git follows no link to a `.gitignore`. */
function isRead({ name, kind }: Entry): boolean {
  if (name === gitRules) return kind === "file";
  return ruleFiles.has(name) && (kind === "file" || kind === "link");
}

/** What may forbid anything forbids everything. */
const everything = "*";

/** In bytes. Git goes on without a file that it may not read. @throws HungError */
async function readGitRules(file: string, disk: Disk): Promise<string> {
  const read = await disk.readBytes(file, byteLimit);
  if ("bytes" in read) return Buffer.from(read.bytes).toString("latin1");
  if (read.skipped === "hung") throw new HungError(`${file}: the rules are not known`);
  return read.skipped === "too-large" ? everything : "";
}

/** In bytes, of a text in any encoding: these files are no Git files. @throws HungError */
async function readToolRules(file: string, disk: Disk): Promise<string> {
  const read = await readTextFile(file, { byteLimit, disk });
  if ("text" in read) return bytesOf(read.text);
  if (read.skipped === "hung") throw new HungError(`${file}: the rules are not known`);
  return read.skipped === "not-a-file" ? "" : everything;
}
