// `pith models` as a user runs it: the bundled program in a process of its own, with a scratch home.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { listen } from "./publisher.ts";
import { scratchFolder } from "./scratch-store.ts";

const defaultFile = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";
/** Nothing listens on port 1, so no request leaves this machine. */
const offline = { HTTPS_PROXY: "http://127.0.0.1:1", PITH_MIRRORS: "" };

function start(home: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["out/pith.mjs", "models", ...args], {
    env: { ...process.env, NO_PROXY: "", no_proxy: "", https_proxy: "", ...env, PITH_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { child, result: collect(child) };
}

async function collect(child: ChildProcess) {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
    once(child, "exit"),
  ]);
  return { stdout, stderr, code };
}

async function checkCommand(
  home: string,
  args: readonly string[],
  expected: { code: number; stdout?: RegExp; stderr?: RegExp; env?: Record<string, string> },
): Promise<string> {
  const { code, stdout, stderr } = await start(home, args, expected.env).result;
  assert.equal(code, expected.code, stderr);
  assert.match(stdout, expected.stdout ?? /^/);
  assert.match(stderr, expected.stderr ?? /^/);
  return stdout;
}

test("models list shows the catalogue, default first", async (context) => {
  const home = await scratchFolder(context);
  const models = JSON.parse(await checkCommand(home, ["list", "--json"], { code: 0 }));
  assert.deepEqual(
    models.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [
      ["qwen2.5-coder-0.5b", "absent"],
      ["smollm2-135m", "absent"],
    ],
  );
  const file = join(home, "models", defaultFile);
  assert.equal(models[0].file, file);
  await writeFile(`${file}.partial`, new Uint8Array(5_000_000));
  await checkCommand(home, ["list"], {
    code: 0,
    stdout: /0\.5b +491 MB +partial 1 % +Apache-2\.0/,
  });
});

test("models add, verify and delete a file of the user's", async (context) => {
  const home = await scratchFolder(context);
  const file = join(await scratchFolder(context), "tiny.gguf");
  await writeFile(file, makeTinyGguf().bytes);
  const added = JSON.parse(await checkCommand(home, ["add", file, "--json"], { code: 0 }));
  assert.deepEqual([added.id, added.file], ["tiny", file]);
  await checkCommand(home, ["verify"], { code: 0, stdout: /^tiny: good, / });
  await writeFile(file, makeTinyGguf({ seed: 2 }).bytes);
  await checkCommand(home, ["verify", "tiny"], {
    code: 1,
    stdout: /^tiny: BAD, .* instead of [0-9a-f]{64}/,
    stderr: /pith: models verify: wrong SHA-256 of tiny/,
  });
  await checkCommand(home, ["delete", "tiny"], { code: 0 });
  await checkCommand(home, ["list"], { code: 0, stdout: /^(?!.*tiny)/s });
});

test("a download without a network says what to do, and leaves with 1", async (context) => {
  await checkCommand(await scratchFolder(context), ["download", "smollm2-135m"], {
    code: 1,
    stdout: /^$/,
    stderr: /huggingface\.co: the connection was refused.*else by pith models add FILE/,
    env: offline,
  });
});

test("a damaged file is told apart before the network is asked", async (context) => {
  const home = await scratchFolder(context);
  await mkdir(join(home, "models"));
  await writeFile(join(home, "models", defaultFile), "not the model");
  const stderr = /is damaged, a good one takes its place\n.*the connection was refused/;
  await checkCommand(home, ["download"], { code: 1, stderr, env: offline });
});

test("Ctrl-C ends a download at once, and a second one does no harm", async (context) => {
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = createServer().on("connect", () => asked()); // It never answers.
  const { port, close } = await listen(server);
  context.after(close);
  const env = { HTTPS_PROXY: `http://127.0.0.1:${port}`, PITH_MIRRORS: "" };
  const home = await scratchFolder(context);
  const { child, result } = start(home, ["download"], env);
  await Promise.race([isAsked, result]);
  const started = performance.now();
  child.kill("SIGINT");
  child.kill("SIGINT");
  const { code, stderr } = await result;
  assert.equal(code, 1);
  assert.ok(performance.now() - started < 5_000, "it does not wait for the limit of connecting");
  assert.match(stderr, /cancelled; run it again to go on/);
  assert.deepEqual(await readdir(join(home, "models")), [], "not even the lock is left");
});

const badUses: [string, string[]][] = [
  ["no file to add", ["add"]],
  ["an unknown option", ["list", "--all"]],
  ["an unknown verb", ["fetch"]],
];
for (const [label, args] of badUses)
  test(`${label} is a bad use`, async (context) => {
    await checkCommand(await scratchFolder(context), args, { code: 2, stderr: /error: / });
  });

test("every verb has help", async (context) => {
  const home = await scratchFolder(context);
  for (const verb of ["list", "download", "verify", "delete", "add"])
    await checkCommand(home, [verb, "--help"], { code: 0, stdout: /Usage: .*--json/s });
});
