// Which files of a workspace folder are to be left alone, as Git decides it: a rule file in any
// folder, the deepest decision wins, `!` takes back, and nothing in an ignored folder comes back.
// Each kind of rule file is asked by itself, so that no kind takes back what another one forbids.
// Rule files are read once; make new rules when one of them changes (`isRuleFile`), and forget those
// of a folder that came or went as a whole.
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import { isWithin } from "./is-within.ts";
import type { SkipReason } from "./skip-reason.ts";

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
const ruleFiles = new Set([".gitignore", ...aiIgnoreFiles]);

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

const dependencyFolders = `.git/
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

const undecided = { ignored: false, unignored: false };

export class IgnoreRules {
  /** The repository around the workspace folder, else the folder: its rules hold within, too. */
  readonly root: string;
  readonly #fixed: readonly [SkipReason, Ignore][];
  readonly #folders = new Map<string, Promise<ReadonlyMap<string, Ignore>>>();

  private constructor(root: string, folder: string, exclude: readonly string[]) {
    this.root = root;
    const prefix = slashed(relative(root, folder));
    this.#fixed = [
      ["dependencies", ignore().add(dependencyFolders)],
      ["secret", ignore().add(secretFiles)],
      ["excluded", ignore().add(exclude.map((pattern) => patternBelow(prefix, pattern)))],
    ];
  }

  /** `exclude`: patterns as in `.gitignore`, from `folder` on (the setting `pith.exclude`). */
  static async open(folder: string, exclude: readonly string[] = []): Promise<IgnoreRules> {
    return new IgnoreRules(await repositoryOf(folder), folder, exclude);
  }

  /** Why a file or folder at an absolute path is left alone; null if it is not. */
  async reasonFor(path: string, kind: "file" | "folder"): Promise<SkipReason | null> {
    if (!isWithin(path, this.root)) return "outside";
    const below = slashed(relative(this.root, path));
    if (below === "") return null;
    const names = below.split("/");
    for (let count = 1; count <= names.length; count += 1) {
      const end = count < names.length || kind === "folder" ? "/" : "";
      const entry = names.slice(0, count);
      const reason = this.#fixedReason(entry.join("/") + end);
      if (reason !== null) return reason;
      const ruleFile = await this.#ruleFileAgainst(entry, end);
      if (ruleFile !== null) return ruleFile === ".gitignore" ? "ignored" : "ai-ignored";
    }
    return null;
  }

  /** The rule files at and below an absolute path are read anew. */
  forget(path: string): void {
    const below = slashed(relative(this.root, path));
    for (const folder of this.#folders.keys())
      if (folder === below || folder.startsWith(`${below}/`)) this.#folders.delete(folder);
  }

  #fixedReason(path: string): SkipReason | null {
    return this.#fixed.find(([, rules]) => rules.ignores(path))?.[0] ?? null;
  }

  /** Asks the rule files of every folder above the entry, the nearest first. */
  async #ruleFileAgainst(names: readonly string[], end: string): Promise<string | null> {
    const decided = new Set<string>();
    for (let depth = names.length - 1; depth >= 0; depth -= 1) {
      const rest = names.slice(depth).join("/") + end;
      for (const [file, rules] of await this.#rulesOf(names.slice(0, depth).join("/"))) {
        const { ignored, unignored } = decided.has(file) ? undecided : rules.test(rest);
        if (ignored) return file;
        if (unignored) decided.add(file);
      }
    }
    return null;
  }

  #rulesOf(folder: string): Promise<ReadonlyMap<string, Ignore>> {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const reading = readRules(join(this.root, folder), folder === "");
    this.#folders.set(folder, reading);
    return reading;
  }
}

/** Whether a change of this file means that rules must be made anew. */
export function isRuleFile(path: string): boolean {
  return ruleFiles.has(basename(path));
}

async function readRules(folder: string, isRoot: boolean): Promise<ReadonlyMap<string, Ignore>> {
  const texts = new Map<string, string>();
  if (isRoot) texts.set(".gitignore", await textOf(join(folder, ".git/info/exclude")));
  for (const name of await namesIn(folder))
    if (ruleFiles.has(name))
      texts.set(name, `${texts.get(name) ?? ""}\n${await textOf(join(folder, name))}`);
  return new Map([...texts].map(([name, text]) => [name, ignore().add(text)]));
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []); // Gone: it then has no rules either.
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, "utf8").catch(() => ""); // Gone, or a folder of that name.
}

async function repositoryOf(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    if (await exists(join(at, ".git"))) return at;
    if (dirname(at) === at) return folder;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** A pattern that was written for `prefix`, as one for the folder above: see gitignore(5). */
function patternBelow(prefix: string, pattern: string): string {
  if (prefix === "") return pattern;
  const [, not = "", rest = ""] = /^(!?)(.*)$/s.exec(pattern) ?? [];
  const isAnchored = rest.replace(/\/$/, "").includes("/");
  return `${not}/${prefix}/${isAnchored ? rest.replace(/^\//, "") : `**/${rest}`}`;
}

function slashed(path: string): string {
  return path.split(sep).join("/");
}
