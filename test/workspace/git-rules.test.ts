// Rule files, one oddity each, beside what Git leaves out of the same repository, and those that
// keep AI tools away, which Git does not know.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { byteLimit } from "../../sidecar/workspace/ignore-list.ts";
import { IgnoreRules, ruledFolder } from "../../sidecar/workspace/ignore-rules.ts";
import type { SkipReason } from "../../sidecar/workspace/skip-reason.ts";
import { scratchFolder } from "./scratch-folder.ts";

type Files = Readonly<Record<string, string>>;

// Nothing of the machine's own settings.
Object.assign(process.env, { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" });

const files = (...paths: readonly string[]): Files =>
  Object.fromEntries(paths.map((path) => [path, "def here():\n    return 1\n"]));

const likeGit: [name: string, files: Files, config?: string][] = [
  [
    "a byte order mark, and line ends of Windows",
    {
      ".gitignore": "\ufeffsecret.py\r\nbuild/\r\n",
      ...files("secret.py", "build/x.py", "keep.py"),
    },
  ],
  [
    "case counts",
    {
      ".gitignore": "build/\ntest.py\n*.Gen.py\n",
      ...files("Build/x.py", "build/x.py", "Test.py", "test.py", "a.gen.py", "a.Gen.py"),
    },
  ],
  [
    "case counts in what is taken back",
    {
      ".gitignore": "*.conf.py\n!Example.conf.py\n",
      ...files("example.conf.py", "Example.conf.py"),
    },
  ],
  [
    "case says nothing where the repository says so",
    {
      ".gitignore": "BUILD/\n[A]x\n[A-C]y\n\\Z\n",
      ...files("build/x", "Ax", "ax", "ay", "Z", "z"),
    },
    "[core] ignorecase",
  ],
  [
    "a nearer file takes a folder back",
    {
      ".gitignore": "out/\n",
      "lib/.gitignore": "!out/\n",
      ...files("out/a", "lib/out/a", "lib/b"),
    },
  ],
  [
    "nothing comes back into a folder that is ignored",
    { ".gitignore": "out/\n!out/a\n", "out/.gitignore": "!a\n", ...files("out/a", "b") },
  ],
  [
    "blanks at the end, some of them escaped",
    {
      ".gitignore": "a   \nb\\ \nc\\\\ \nd\t\ne\\",
      ...files("a", "b ", "b", "c\\", "d\t", "d", "e\\", "e"),
    },
  ],
  [
    "signs at the start, some of them escaped",
    { ".gitignore": "#a\n\\#b\n\\!c\n!d\n", ...files("#a", "#b", "!c", "c", "d") },
  ],
  [
    "brackets, whole and broken",
    {
      ".gitignore": "[a-c]1\n[!a-c]2\n[]]3\n[[:digit:]]4\n[a\n[[:none:]]5\n[z-a]6\n[\\]]7\n",
      ...files("a1", "d1", "a2", "d2", "]3", "54", "a4", "[a", "n5", "a6", "z6", "]7"),
    },
  ],
  [
    "stars across folders",
    {
      ".gitignore": "**/a\nb/**\nc/**/d\ne**f\ng/*\ni**/j\n",
      ...files("x/y/a", "b/x/y", "c/d", "c/x/y/d", "exf", "e/f", "g/h/x", "ix/y/j", "k"),
    },
  ],
  [
    "a slash in the middle binds to the folder",
    { ".gitignore": "a/b\n/c\n", ...files("a/b", "x/a/b", "c", "x/c") },
  ],
  [
    "a wildcard is a byte, not a character",
    { ".gitignore": "?\n[é]1\né??\n", ...files("a", "é", "é1", "日", "é日", "éab") },
  ],
  ["a zero ends a pattern", { ".gitignore": "a\0b\nc\n", ...files("a", "b", "c") }],
  [
    "a rule file that is a folder",
    { ".gitignore/x": "a\n", ".git/info/exclude": "c\n", ...files("a", "c") },
  ],
  [
    "what is for the repository, behind what is nearer",
    { ".git/info/exclude": "a\nb\n", ".gitignore": "!a\n", ...files("a", "b") },
  ],
  [
    "the user's file, behind what is for the repository",
    { ".git/info/exclude": "!a\n", mine: "a\nb\nx/c\n", ...files("a", "b", "x/c", "y/x/c") },
    "[core]\nexcludesFile = mine",
  ],
  [
    "a file that holds more than Git's own",
    { ".gitignore": `a\n${"# a comment\n".repeat(20_000)}b\n`, ...files("a", "b", "c") },
  ],
];
for (const [name, content, config] of likeGit)
  test(`${name}: as in Git`, async (context) => {
    const folder = await repositoryOf(context, content);
    if (config !== undefined) await writeFile(join(folder, ".git/config"), config, { flag: "a" });
    await checkLikeGit(folder);
  });

test("a linked worktree has the rules of its repository, and its file .git is no source", async (context) => {
  const main = await repositoryOf(context, {
    ".git/info/exclude": "private.py\n",
    ...files("a.py"),
  });
  await commitAll(main);
  const other = join(main, "other tree");
  execFileSync("git", ["worktree", "add", "-q", other, "-b", "w"], { cwd: main });
  await writeFile(join(other, "private.py"), "");
  await checkLikeGit(other);
  await checkReason(other, ".git", "dependencies");
  await checkReason(main, "other tree/private.py", "ignored");
  await checkReason(main, "other tree/.git", "dependencies");
});

test("a submodule has rules of its own", async (context) => {
  const inner = await repositoryOf(context, { ".gitignore": "a\n", ...files("b") });
  await commitAll(inner);
  const outer = await repositoryOf(context, { ".gitignore": "*.log\n", ...files("b") });
  const add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "sub"];
  execFileSync("git", add, { cwd: outer });
  for (const name of ["a", "c", "x.log"]) await writeFile(join(outer, "sub", name), "");
  await writeFile(join(outer, ".git/modules/sub/info/exclude"), "c\n");
  await checkLikeGit(join(outer, "sub"));
  await checkReason(outer, "sub/a", "ignored");
  await checkReason(outer, "sub/c", "ignored");
  await checkReason(outer, "sub/x.log", null);
  await checkReason(outer, "sub/.git", "dependencies");
  await checkReason(outer, "x.log", "ignored");
});

test("what Git keeps apart from the worktree is no source", async (context) => {
  const folder = await scratchFolder(context, files("a"));
  const apart = ["init", "-q", "--separate-git-dir", join(folder, ".bare"), folder];
  execFileSync("git", apart, { stdio: "ignore" });
  await checkReason(folder, ".bare/config", "dependencies");
  await checkReason(folder, "a", null);
});

test("rules of a repository that is damaged still hold, from its root on", async (context) => {
  const folder = await scratchFolder(context, {
    ".git/x": "",
    ".gitignore": "a\n",
    ...files("b/a"),
  });
  await checkReason(join(folder, "b"), "a", "ignored");
});

test("an inner folder that only has the name of a repository changes no rules", async (context) => {
  const folder = await repositoryOf(context, {
    ".gitignore": "*.log\n",
    ...files("in/x.log", "in/.git/x"),
  });
  await checkLikeGit(folder);
  await checkReason(folder, "in/x.log", "ignored");
});

test("Git follows no link to a .gitignore, but that of the user", async (context) => {
  const folder = await repositoryOf(context, { rules: "a\n", mine: "b\n", ...files("a", "b") });
  await symlink("rules", join(folder, ".gitignore"));
  await mkdir(join(folder, ".git/info"));
  await symlink("../../mine", join(folder, ".git/info/exclude"));
  await checkLikeGit(folder);
});

test("a named pipe with the name of a rule file holds no rules and keeps nobody waiting", async (context) => {
  const folder = await repositoryOf(context, { "x/.gitignore": "a\n", ...files("x/a", "b") });
  execFileSync("mkfifo", [".gitignore", ".aiexclude", "x/.cursorignore"], { cwd: folder });
  await checkReason(folder, "x/a", "ignored");
  await checkReason(folder, "b", null);
});

test("rules that are too many to be read forbid everything", async (context) => {
  const text = `${"#".repeat(byteLimit)}\n`;
  const folder = await scratchFolder(context, { "a/.gitignore": text, "b/.aiexclude": text });
  await checkReason(folder, "a/x", "ignored");
  await checkReason(folder, "b/x", "ai-ignored");
  await checkReason(folder, "x", null);
});

const tools: [name: string, bytes: Uint8Array | string][] = [
  ["a byte order mark and line ends of Windows", "\ufeffprivate.py\r\nother.py\r\n"],
  ["UTF-16", Buffer.from("\ufeffprivate.py\r\nother.py\r\n", "utf16le")],
  ["a negation that comes too early", "!private.py\nprivate.py\nother.py\n"],
];
for (const [name, bytes] of tools)
  test(`a file that keeps AI tools away, with ${name}`, async (context) => {
    const folder = await scratchFolder(context, { ".aiexclude": bytes });
    await checkReason(folder, "private.py", "ai-ignored");
    await checkReason(folder, "other.py", "ai-ignored");
    await checkReason(folder, "c.py", null);
  });

test("a file that keeps AI tools away is followed as a link, and forbids all where it leads nowhere", async (context) => {
  const folder = await scratchFolder(context, { rules: "a\n", ...files("x/a", "y/a") });
  await symlink("../rules", join(folder, "x/.aiexclude"));
  await symlink("../none", join(folder, "y/.aiexclude"));
  await checkReason(folder, "x/a", "ai-ignored");
  await checkReason(folder, "x/b", null);
  await checkReason(folder, "y/b", "ai-ignored");
});

test("what Git ignores may be a secret, or kept from AI tools, all the same", async (context) => {
  const folder = await repositoryOf(context, { ".gitignore": "x/\n", "x/.aiexclude": "a\n" });
  await checkReason(folder, "x/.env", "secret");
  await checkReason(folder, "x/a", "ai-ignored");
  await checkReason(folder, "x/b", "ignored");
  await checkReason(folder, "node_modules/.env", "secret");
  assert.equal(await reasonFor(folder, "x/a", ["x/a"]), "ai-ignored");
  assert.equal(await reasonFor(folder, "x/c", ["x/c"]), "excluded");
});

for (const pattern of ["", " ", "\t", "\n", "!", "/", "//", "!/", " \r\n ", "#", "\\", "\ufeff"])
  test(`exclude ${JSON.stringify(pattern)} means nothing`, async (context) => {
    const folder = await scratchFolder(context, { ".git/config": "", "app/x": "" });
    for (const place of [folder, join(folder, "app")])
      assert.equal(await reasonFor(place, "b/c.ts", [pattern]), null);
    assert.equal(await reasonFor(folder, "b/c.ts", [pattern, "b/", pattern]), "excluded");
  });

test("a pattern of thousands of stars takes no longer than its length", async (context) => {
  const folder = await scratchFolder(context, {
    ".gitignore": `${"*a".repeat(30_000)}\n${"**/a*".repeat(10_000)}b\n[${"[:".repeat(100_000)}]\n`,
  });
  await checkReason(folder, `${"a/".repeat(100)}${"a".repeat(200)}c`, null);
});

test("a path of 4,000 folders is asked for like any other", async (context) => {
  const folder = await scratchFolder(context, { ".gitignore": "b\n" });
  await checkReason(folder, `${"a/".repeat(4_000)}b`, "ignored");
});

test("an inner repository that comes has its own rules from then on", async (context) => {
  const folder = await repositoryOf(context, {
    ".gitignore": "*.log\n",
    ...files("in/x.log", "y.log"),
  });
  const rules = await IgnoreRules.open(folder);
  const ask = (path: string): Promise<SkipReason | null> =>
    rules.reasonFor(join(folder, path), "file");
  assert.equal(await ask("in/x.log"), "ignored");
  execFileSync("git", ["init", "-q", join(folder, "in")]);
  rules.forget(join(folder, "in", ".git"));
  assert.equal(await ask("in/x.log"), null);
  assert.equal(await ask("y.log"), "ignored");
});

const classNames = `alnum alpha blank cntrl digit graph lower print punct space upper xdigit none`;
for (const ignoreCase of [false, true])
  test(`every class holds the characters that Git says, case ${ignoreCase ? "aside" : "counted"}`, async (context) => {
    const classes = classNames.split(" ");
    const rules = classes.flatMap((name) => [
      [`${name}/.gitignore`, `[[:${name}:]]\n`],
      [`not-${name}/.gitignore`, `[^[:${name}:]0]\n`],
    ]);
    const folder = await repositoryOf(context, Object.fromEntries(rules));
    await writeFile(join(folder, ".git/config"), `[core]\nignorecase = ${ignoreCase}\n`, {
      flag: "a",
    });
    const ascii = Array.from({ length: 127 }, (_, code) => String.fromCharCode(code + 1));
    const names = ascii.filter((each) => each !== "/" && each !== ".");
    const paths = classes.flatMap((each) =>
      names.flatMap((name) => [`${each}/${name}`, `not-${each}/${name}`]),
    );
    const ours = await IgnoreRules.open(folder);
    const ignored = [];
    for (const path of paths)
      if ((await ours.reasonFor(join(folder, path), "file")) === "ignored") ignored.push(path);
    const options = ["check-ignore", "--no-index", "--stdin", "-z"];
    const input = paths.join("\0");
    assert.equal(
      `${ignored.join("\0")}\0`,
      execFileSync("git", options, { cwd: folder, input, encoding: "utf8" }),
    );
  });

test("the folder that a rule file is for", () => {
  const inGit = join("/w", ".git", "info", "exclude");
  assert.equal(ruledFolder(join("/w", "a", ".gitignore")), join("/w", "a"));
  assert.equal(ruledFolder(inGit), "/w");
  assert.equal(ruledFolder(join("/w", "info", "exclude")), null);
});

async function repositoryOf(context: TestContext, content: Files): Promise<string> {
  const folder = await scratchFolder(context, {});
  execFileSync("git", ["init", "-q", "--template=", folder]);
  for (const [path, text] of Object.entries(content)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

async function commitAll(folder: string): Promise<void> {
  const by = ["-c", "user.name=n", "-c", "user.email=e"];
  execFileSync("git", ["add", "."], { cwd: folder });
  execFileSync("git", [...by, "commit", "-qm", "x"], { cwd: folder });
}

/** Of files on no list of Git's. */
async function checkLikeGit(folder: string): Promise<void> {
  const list = (...options: readonly string[]): string[] =>
    execFileSync("git", ["ls-files", "--others", "-z", ...options], {
      cwd: folder,
      encoding: "utf8",
    })
      .split("\0")
      .filter((path) => path !== "");
  const rules = await IgnoreRules.open(folder);
  const ignored = [];
  for (const path of list().filter((each) => !each.endsWith("/")))
    if ((await rules.reasonFor(join(folder, path), "file")) === "ignored") ignored.push(path);
  assert(ignored.length > 0);
  assert.deepEqual(ignored, list("--ignored", "--exclude-standard"));
}

async function reasonFor(
  folder: string,
  path: string,
  exclude: readonly string[] = [],
): Promise<SkipReason | null> {
  return await (await IgnoreRules.open(folder, exclude)).reasonFor(join(folder, path), "file");
}

async function checkReason(folder: string, path: string, reason: SkipReason | null): Promise<void> {
  assert.equal(await reasonFor(folder, path), reason);
}
