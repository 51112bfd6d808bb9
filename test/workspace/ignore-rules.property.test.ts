// Random repositories with random rule files from all of Git's sources: every path, files and
// folders, beside `git check-ignore`. In the few of a run there are more than 10,000.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { IgnoreRules } from "../../sidecar/workspace/ignore-rules.ts";
import { isWithin } from "../../sidecar/workspace/is-within.ts";

const runs = 32;
/** Without the samples that are copied into each. */
const init = ["init", "-q", "--template="];
// In most paths and most patterns, so that these meet.
const commonNames = ["a", "b", "ab", "lib", "Build", "x.log", "A"];
const names = commonNames.concat(
  `B aB build lib.x Lib.X X.LOG x.lo .hid é É 日本 a日 -a a-b a] [a] [b a*b
  a? ^a a\\ \\b #a !a !!a a' "a {a} a+ (a) $a a,b ~a a=b`.split(/\s+/),
  ["a b", " a", "a ", "a\t", "a\r", "a\\ ", "\u00a0a", "\ufeffa", "a\u0007"],
);

const common = fc.constantFrom(...commonNames);
const name = fc.oneof({ weight: 2, arbitrary: common }, fc.constantFrom(...names));
const path = fc.array(name, { minLength: 1, maxLength: 4 });

/** A name, some of its characters replaced by what may match them. */
const glob = name.chain((each) =>
  fc
    .tuple(
      ...[...each].map((char) =>
        fc.oneof({ weight: 5, arbitrary: fc.constant(char) }, wildcardFor(char)),
      ),
    )
    .map((parts) => parts.join("")),
);

function wildcardFor(char: string): fc.Arbitrary<string> {
  const plain = ["?", "*", "**", "", `\\${char}`, `[${char}]`, `[!${char}]`, `[^${char}]`];
  const sets = ["[a-c]", "[A-B]", "[!a-c]", "[[:alpha:]]", "[^[:upper:]x]", "[[:lower:][:punct:]]"];
  return fc.constantFrom(
    ...plain,
    ...sets,
    `[]${char}]`,
    `[${char}-]`,
    `[\\${char}]`,
    `[!-${char}]`,
  );
}

const noise = fc.string({ unit: fc.constantFrom(..."ab/*?[]!^-\\: #lB"), maxLength: 9 });
const segment = fc.oneof(
  { weight: 6, arbitrary: glob },
  { weight: 2, arbitrary: name },
  {
    weight: 2,
    arbitrary: fc.constantFrom("*", "**", "***", "?", "a*", "*b", "**b", "a**", "*.x", "*.log"),
  },
  { weight: 1, arbitrary: noise },
);
const pattern = fc
  .tuple(
    fc.constantFrom("", "", "", "", "", "!", "!", "\\!", "#", "\\#", "!!"),
    fc.constantFrom("", "", "", "", "/", "**/", "/**/", "//"),
    fc.array(segment, { minLength: 1, maxLength: 3, size: "small" }),
    fc.constantFrom("", "", "", "", "", "/", "/", "/**", "/*", "/**/", "//", "\\", "\\/"),
    fc.constantFrom(
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      " ",
      "  ",
      "\\ ",
      "\\  ",
      "\t",
      "\r",
      "\\\\ ",
      "\0a",
    ),
  )
  .map(([start, root, segments, end, blanks]) => start + root + segments.join("/") + end + blanks);
const simple = fc
  .tuple(
    fc.constantFrom("", "", "", "!", "/", "!/"),
    fc.oneof(
      common,
      fc.constantFrom("a*", "*.log", "l*b/", "[bB]*", "a/**", "**/b", "a**/b", "l**/a"),
    ),
  )
  .map((parts) => parts.join(""));
const line = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 8, arbitrary: pattern },
  { weight: 1, arbitrary: noise },
  fc.constant(""),
  fc.constant("  "),
);
const ruleText = fc
  .tuple(
    fc.constantFrom("", "", "", "", "\ufeff", "\ufeff\ufeff"),
    fc.array(line, { maxLength: 8 }),
    fc.constantFrom("\n", "\n", "\r\n"),
    fc.constantFrom("", "\n"),
  )
  .map(([mark, lines, lineEnd, end]) => mark + lines.join(lineEnd) + end);

const repository = fc.record({
  folders: fc.array(path, { minLength: 12, maxLength: 16, size: "max" }),
  /** In folders by their number, the root first. */
  rules: fc.array(
    fc.tuple(
      fc.nat({ max: 30 }),
      ruleText,
      fc.constantFrom("file", "file", "file", "file", "link", "folder"),
    ),
    {
      ...{ minLength: 1, maxLength: 8 },
    },
  ),
  rootRules: ruleText,
  exclude: ruleText,
  users: ruleText,
  usersPlace: fc.constantFrom(
    "global",
    "home",
    "repository",
    "relative",
    "default",
    "included",
    "worktree",
  ),
  ignoreCase: fc.constantFrom(true, false, null),
  kind: fc.constantFrom("plain", "worktree", "separate"),
  nested: fc.record({
    kind: fc.constantFrom("none", "plain", "submodule"),
    folder: fc.nat({ max: 30 }),
    exclude: ruleText,
    rules: ruleText,
    ignoreCase: fc.boolean(),
  }),
});
type Plan = typeof repository extends fc.Arbitrary<infer Made> ? Made : never;

interface Made {
  readonly root: string;
  readonly nested: string | null;
  readonly paths: readonly { readonly path: string; readonly kind: "file" | "folder" }[];
}

test("every path of random repositories is ignored where Git ignores it", async (context) => {
  const counts = { paths: 0, ignored: 0 };
  const seed = Math.trunc(Math.random() * 2 ** 31);
  context.diagnostic(`seed ${seed}`);
  const property = fc.asyncProperty(repository, async (plan) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "pith-rules-")));
    try {
      await check(make(plan, folder), counts);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  await fc.assert(property, { seed, numRuns: runs });
  context.diagnostic(`${counts.ignored} of ${counts.paths} paths are ignored`);
  assert(counts.paths > 10_000);
  assert(counts.ignored > counts.paths / 10 && counts.ignored < (counts.paths * 9) / 10);
});

async function check(made: Made, counts: { paths: number; ignored: number }): Promise<void> {
  const rules = await IgnoreRules.open(made.root);
  const byGit = ignoredByGit(made);
  for (const { path: each, kind } of made.paths) {
    const ours = await rules.reasonFor(each, kind);
    const shown = JSON.stringify(relative(made.root, each));
    assert.equal(ours, byGit.has(each) ? "ignored" : null, `${kind} ${shown}`);
  }
  counts.paths += made.paths.length;
  counts.ignored += byGit.size;
}

/** What is in the inner repository is ignored by its own rules, or with all of it. */
function ignoredByGit({ root, nested, paths }: Made): Set<string> {
  const all = paths.map((each) => each.path);
  const isInner = (each: string): boolean =>
    nested !== null && each !== nested && isWithin(each, nested);
  const outer = checkIgnore(
    root,
    all.filter((each) => !isInner(each)),
  );
  if (nested === null) return outer;
  const inner = all.filter(isInner);
  return new Set([...outer, ...(outer.has(nested) ? inner : checkIgnore(nested, inner))]);
}

function checkIgnore(root: string, paths: readonly string[]): Set<string> {
  const options = ["check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching"];
  const input = paths.map((each) => `${relative(root, each)}\0`).join("");
  const { stdout, stderr } = spawnSync("git", options, {
    cwd: root,
    input,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const fields = stdout.split("\0");
  const ignored = new Set<string>();
  for (const [index, each] of paths.entries()) {
    assert.equal(fields[4 * index + 3], relative(root, each), stderr);
    const deciding = fields[4 * index + 2] ?? "";
    if (deciding !== "" && !deciding.startsWith("!")) ignored.add(each);
  }
  return ignored;
}

function make(plan: Plan, folder: string): Made {
  const root = join(folder, "root");
  const home = join(folder, "home");
  setEnvironment(home);
  const own = makeRepository(plan, folder, root);
  const paths = makeEntries(plan, root);
  const folders = [root, ...paths.filter(({ kind }) => kind === "folder").map((each) => each.path)];
  for (const [index, text, kind] of plan.rules)
    makeRules(join(folders[index % folders.length] ?? root, ".gitignore"), text, kind);
  makeRules(join(root, ".gitignore"), plan.rootRules, "file");
  write(join(own.common, "info/exclude"), plan.exclude);
  if (plan.ignoreCase !== null) configure(own.common, `[core]\nignoreCase=${plan.ignoreCase}\n`);
  makeUsersRules(plan, { root, home, common: own.common });
  return { root, nested: makeNested(plan, { root, folders, common: own.common }), paths };
}

function setEnvironment(home: string): void {
  for (const key of Object.keys(process.env)) if (/^(GIT_|XDG_)/.test(key)) delete process.env[key];
  Object.assign(process.env, { HOME: home, GIT_CONFIG_NOSYSTEM: "1" });
  mkdirSync(home, { recursive: true });
}

function makeRepository({ kind }: Plan, folder: string, root: string): { common: string } {
  const main = join(folder, "main");
  if (kind === "plain") git(folder, ...init, root);
  if (kind === "separate") git(folder, ...init, "--separate-git-dir", join(folder, "data"), root);
  if (kind !== "worktree")
    return { common: kind === "plain" ? join(root, ".git") : join(folder, "data") };
  git(folder, ...init, main);
  configure(join(main, ".git"), "[user]\nname=n\nemail=e\n[core]\nfsync=none\n");
  git(main, "commit", "-qm", "x", "--allow-empty");
  git(main, "worktree", "add", "-q", root, "-b", "other");
  return { common: join(main, ".git") };
}

/** In each folder the names that are in most patterns and some of the others. */
function makeEntries(plan: Plan, root: string): Made["paths"][number][] {
  const folders = new Set(
    plan.folders.flatMap((parts) => parts.map((_, index) => parts.slice(0, index + 1).join("/"))),
  );
  // Git asks the disk what is a folder, and takes what is not there for a file.
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  const files = ["", ...folders].flatMap((folder, count) =>
    names
      .filter((_, index) => index < commonNames.length || (index + count) % 7 === 0)
      .map((each) => (folder === "" ? each : `${folder}/${each}`))
      .filter((each) => !folders.has(each)),
  );
  for (const file of files.filter((_, index) => index % 50 === 0))
    symlinkSync(root, join(root, file));
  const made = [
    ...[...folders].map((each) => [each, "folder"] as const),
    ...files.map((each) => [each, "file"] as const),
  ];
  return made.map(([each, kind]) => ({ path: join(root, each), kind }));
}

function makeRules(file: string, text: string, kind: string): void {
  rmSync(file, { recursive: true, force: true });
  if (kind === "file") write(file, text);
  else if (kind === "folder") mkdirSync(file);
  else {
    write(`${file}-of-link`, text);
    symlinkSync(`${file}-of-link`, file);
  }
}

/** Rules of the user, at each of the places where Git may be told of them. */
function makeUsersRules(
  { users, usersPlace }: Plan,
  { root, home, common }: { root: string; home: string; common: string },
): void {
  const file = usersPlace === "default" ? ".config/git/ignore" : "my rules";
  write(usersPlace === "relative" ? join(root, file) : join(home, file), users);
  const setting = `[CORE] ; said\n\texcludesFile = "~/my rules" # so\n`;
  if (usersPlace === "home") write(join(home, ".gitconfig"), setting);
  if (usersPlace === "global") {
    Object.assign(process.env, { GIT_CONFIG_GLOBAL: join(home, "else") });
    write(join(home, "else"), setting);
  }
  if (usersPlace === "included") {
    write(
      join(home, ".config/git/config"),
      `[includeIf "gitdir:${dirname(root)}/"]\n path = more\n`,
    );
    write(join(home, ".config/git/more"), setting.replaceAll("\n", "\r\n"));
  }
  if (usersPlace === "repository") configure(common, setting);
  if (usersPlace === "relative") configure(common, "[core] excludesfile = my\\\n rules");
  if (usersPlace !== "worktree") return;
  git(root, "config", "extensions.worktreeConfig", "true");
  git(root, "config", "--worktree", "core.excludesFile", join(home, file));
}

function makeNested(
  { nested }: Plan,
  { root, folders, common }: { root: string; folders: readonly string[]; common: string },
): string | null {
  const place = folders[nested.folder % folders.length] ?? root;
  if (nested.kind === "none" || place === root) return null;
  const data = nested.kind === "plain" ? join(place, ".git") : join(common, "modules", "inner");
  const separate = nested.kind === "plain" ? [] : ["--separate-git-dir", data];
  if (nested.kind !== "plain") mkdirSync(dirname(data), { recursive: true });
  git(root, ...init, ...separate, place);
  configure(data, `[core]\n\tIGNORECASE = ${nested.ignoreCase ? "yes" : "off"} # so\n`);
  write(join(data, "info/exclude"), nested.exclude);
  makeRules(join(place, ".gitignore"), nested.rules, "file");
  return place;
}

function configure(data: string, text: string): void {
  appendFileSync(join(data, "config"), text);
}

function git(folder: string, ...args: readonly string[]): void {
  execFileSync("git", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
