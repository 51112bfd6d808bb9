// Every command that README, CONTRIBUTING or a --help shows, run by a shell as it is written there, in a
// checkout that was built as set-up builds it. npm must not ask the registry.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { realWeights } from "../support/weights.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const cache = mkdtempSync(join(tmpdir(), "pith-npm-"));

/** The suite cannot run these: they hold it, or take an hour. Their parts are looked at instead. */
const looked: Record<string, () => void> = {
  "npm start": () => assert.equal(manifest.scripts.start, "node setup.mjs start"),
  "npm test": () => assert.match(manifest.scripts.test, /^node setup\.mjs test && /),
  "npm run bench": () => assert.match(manifest.scripts.bench, /^node build\.mjs bench && /),
  "node build.mjs bench && node out/test/bench/memory.bench.mjs --forms kept,cut,embedded": () =>
    assert.match(readFileSync("test/bench/memory.bench.ts", "utf8"), /\bforms: \{/),
};

interface Expected {
  readonly input?: string;
  readonly output: RegExp;
}

/** What comes in, where something does, and what must come out. A help needs no line of its own. */
const expected: Record<string, Expected> = {
  "npx pith models download smollm2-135m": { output: /smollm2-135m/ },
  "npx pith complete test/fixtures/sample/prices.ts:23:1": {
    output: /^export function \w+\(.*\n/,
  },
  "npx pith batch --model smollm2-135m": { output: /"text":" a \+ b"/ },
  "npx pith serve": { input: conversation(), output: /"serverInfo":\{"name":"pith"/ },
  "npx pith models list": { output: /qwen2\.5-coder-0\.5b .*\n/ },
  "npx pith bank list": { output: /^[\s\S]*$/ },
};

before(() => Promise.all([realWeights("smollm2-135m"), realWeights("qwen2.5-coder-0.5b")]));
after(() => rmSync(cache, { recursive: true, force: true }));

/** As the build left it: npm makes it executable when it links it, which may have been before. */
const builtMode = statSync(manifest.bin.pith).mode;
const documents = ["README.md", "CONTRIBUTING.md"].filter((name) => existsSync(name));
const texts = [...documents.map((name) => readFileSync(name, "utf8")), ...(await helpTexts())];
const shown = new Set(texts.flatMap(commandsOf));

test("a build leaves a program that a shell may start", () => {
  assert.equal(builtMode & 0o111, 0o111);
});

test("the documents show the commands that are known here, and no others", () => {
  const known = [...Object.keys(looked), ...Object.keys(expected)];
  const isKnown = (command: string) =>
    known.some((each) => command.endsWith(each)) || command.endsWith("--help");
  assert.deepEqual(
    [...shown].filter((each) => !isKnown(each)),
    [],
  );
  assert.deepEqual(
    known.filter((each) => ![...shown].some((one) => one.endsWith(each))),
    [],
  );
});

for (const command of shown)
  test(command, async () => {
    const look = looked[command];
    if (look !== undefined) return look();
    const found = Object.entries(expected).find(([each]) => command.endsWith(each));
    const { input, output }: Expected = found?.[1] ?? { output: /^Usage: pith / };
    const { code, stdout, stderr } = await runInShell(command, input);
    assert.equal(code, 0, stderr);
    assert.match(stdout, output, stderr);
  });

test("npm packs the program, which a shell may start, and nothing of the sources", async () => {
  const { stdout } = await runInShell("npm pack --dry-run --json");
  const [packed] = Object.values<{ files: { path: string; mode: number }[] }>(JSON.parse(stdout));
  const files = packed?.files ?? [];
  assert.deepEqual(files.map(({ path }) => path).sort(), [
    ...["LICENSE", "README.md"],
    ...["counter", "pith", "thread"].map((name) => `out/${name}.mjs`),
    "package.json",
  ]);
  const mode = files.find(({ path }) => path === manifest.bin.pith)?.mode ?? 0;
  assert.equal(mode & 0o111, 0o111);
});

/** Of the program and, down to the last, of all its verbs. */
async function helpTexts(verbs: readonly string[] = []): Promise<string[]> {
  const { stdout } = await runInShell(["node out/pith.mjs", ...verbs, "--help"].join(" "));
  const [, list = ""] = stdout.split("\nCommands:\n");
  const names = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = ""]) => name);
  const deeper = names.filter((name) => name !== "help").map((name) => helpTexts([...verbs, name]));
  return [stdout, ...(await Promise.all(deeper)).flat()];
}

/** Lines of shell blocks without their comments, and what stands in a line between backquotes. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, lines = ""]) =>
    lines.trimEnd().split("\n"),
  );
  const spans = [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`]+)`/g)].map(
    ([, span = ""]) => span.replace(/\s+/g, " "),
  );
  return [
    ...blocks.map((line) => line.replace(/ +# .*/, "")),
    ...spans.filter((span) => /^(npx|npm|node|pith) /.test(span)).map(fromCheckout),
  ];
}

/** A help is read where `pith` is on the PATH, or with `npx` in front of all. */
function fromCheckout(command: string): string {
  return command.replace(/^pith /, "npx pith ");
}

/** With `input` the pipe stays open until the command ends by itself. */
async function runInShell(command: string, input?: string) {
  const env = { ...process.env, npm_config_offline: "true", npm_config_cache: cache };
  const child = spawn("sh", ["-c", command], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  if (input === undefined) child.stdin.end();
  else child.stdin.write(input);
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

/** What an editor says first and last. */
function conversation(): string {
  const initialize = { processId: null, capabilities: {}, rootUri: null };
  const messages = [
    { id: 1, method: "initialize", params: initialize },
    { method: "initialized", params: {} },
    { id: 2, method: "shutdown" },
    { method: "exit" },
  ];
  return messages
    .map((message) => JSON.stringify({ jsonrpc: "2.0", ...message }))
    .map((text) => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
    .join("");
}
