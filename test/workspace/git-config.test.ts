// Git's configuration beside what `git config` says of the same files.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hostDisk } from "../../sidecar/workspace/disk.ts";
import { expandHome, isTrue, readGitConfig } from "../../sidecar/workspace/git-config.ts";
import { scratchFolder } from "./scratch-folder.ts";

Object.assign(process.env, { GIT_CONFIG_NOSYSTEM: "1", XDG_CONFIG_HOME: "" });

const texts: [name: string, text: string][] = [
  ["plain", "[core]\n\texcludesFile = /a/b\n\tignoreCase = true\n"],
  ["no names", "[core]\n"],
  ["the last one counts", "[core]\nexcludesfile=a\n[other]\nx=1\n[core]\nEXCLUDESFILE=b\n"],
  ["on one line, in any case", "[CORE] ExcludesFile = a b \t # said\n[core] ignorecase  \n"],
  [
    "line ends of Windows and a byte order mark",
    "\ufeff[core]\r\nexcludesfile = a\r\nignorecase=no\r\n",
  ],
  ["quotes and escapes", '[core]\nexcludesfile = " a\\tb" c\\"d\\\\e" # f" # g\n'],
  ["a line that goes on", "[core]\nexcludesfile = a\\\n  b \\\n c\nignorecase = 1\n"],
  ["a number of none", "[core]\nignorecase = 00\n"],
  ["a number", "[core]\nignorecase = 0\n[core]\nignorecase = 2\n"],
  ["nothing behind the sign", "[core]\nexcludesfile =\nignorecase =\n"],
  ["home", "[core]\nexcludesfile = ~/x\n"],
  ["a subsection is another section", '[core "x"]\nexcludesfile = a\n[core.y]\nexcludesfile = b\n'],
  ["a subsection with a bracket", '[url "a]b\\"c"]\nx = y\n[core]\nexcludesfile = a\n'],
  ["an included file", "[core]\nexcludesfile = a\n[include]\npath = more\n"],
  ["an included file, and then another", "[include]\npath = more\n[core]\nexcludesfile = a\n"],
  ["an included file that is not there", "[core]\nexcludesfile = a\n[include]\npath = none\n"],
  ["by a folder", '[includeIf "gitdir:root/"]\npath = more\n'],
  ["by a folder that is another", '[includeIf "gitdir:toot/"]\npath = more\n'],
  ["by a folder whose case says nothing", '[includeIf "gitdir/i:ROOT/**"]\npath = more\n'],
  ["by a folder from here", '[includeIf "gitdir:./ro*/"]\npath = more\n'],
  ["by the branch", '[includeIf "onbranch:ma*"]\npath = more\n[core]\nignorecase\n'],
  ["by a branch that is another", '[includeIf "onbranch:ma/"]\npath = more\n'],
];
for (const [name, text] of texts)
  test(`${name}: as git config says`, async (context) => {
    const { root } = await repositoryWith(context, text);
    await checkLikeGit(root);
  });

test("the repository's file counts before the user's, and the worktree's before both", async (context) => {
  const { root } = await repositoryWith(context, "[core]\nexcludesfile = a\n");
  const set = (...args: readonly string[]): void => {
    execFileSync("git", ["config", ...args], { cwd: root });
  };
  set("core.excludesFile", "b");
  await checkLikeGit(root);
  set("extensions.worktreeConfig", "true");
  set("--worktree", "core.excludesFile", "c");
  await checkLikeGit(root);
  Object.assign(process.env, { GIT_CONFIG_COUNT: "1" });
  Object.assign(process.env, { GIT_CONFIG_KEY_0: "core.excludesFile", GIT_CONFIG_VALUE_0: "d" });
  await checkLikeGit(root);
  for (const name of ["COUNT", "KEY_0", "VALUE_0"]) delete process.env[`GIT_CONFIG_${name}`];
});

test("files that include themselves and each other come to an end", async (context) => {
  const inclusion = "[include]\npath = user\n".repeat(20);
  const { root } = await repositoryWith(context, `[core]\nexcludesfile = a\n${inclusion}`);
  assert.equal((await configOf(root)).get("core.excludesfile"), "a");
});

async function repositoryWith(context: TestContext, text: string): Promise<{ root: string }> {
  const folder = await scratchFolder(context, { user: text, more: "[core]\nexcludesfile = c\n" });
  const root = join(folder, "root");
  await mkdir(root);
  execFileSync("git", ["init", "-q", "--template=", "-b", "main", root]);
  await writeFile(join(root, "x"), "");
  Object.assign(process.env, { GIT_CONFIG_GLOBAL: join(folder, "user") });
  return { root };
}

async function checkLikeGit(root: string): Promise<void> {
  const ask = (...args: readonly string[]): string | null => {
    const { status, stdout } = spawnSync("git", ["config", ...args], {
      cwd: root,
      encoding: "utf8",
    });
    return status === 0 ? stdout.replace(/\n$/, "") : null;
  };
  const config = await configOf(root);
  const excludes = config.get("core.excludesfile");
  const path = typeof excludes === "string" ? expandHome(excludes) : null;
  assert.equal(path, ask("--type=path", "--get", "core.excludesFile"));
  const ignoreCase = ask("--type=bool", "--get", "core.ignoreCase") ?? "false";
  assert.equal(String(isTrue(config.get("core.ignorecase"))), ignoreCase);
}

async function configOf(root: string): ReturnType<typeof readGitConfig> {
  const own = join(root, ".git");
  return await readGitConfig({ own, common: own }, hostDisk);
}

test("home is that of the user", () => {
  assert.equal(expandHome("~/a"), join(homedir(), "a"));
  assert.equal(expandHome("~a"), "~a");
});
