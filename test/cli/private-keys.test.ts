// Private keys in the sources of a workspace, made at run time: no line of them becomes a memory, and
// none goes into what is copied for a model elsewhere.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { CompressedContext, CompressReport } from "../../sidecar/protocol.ts";
import { Editor } from "../server/editor.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { runPith } from "./run-pith.ts";

interface Memory {
  readonly key: string;
  readonly path: string;
  /** From 0, the end exclusive. */
  readonly startLine: number;
  readonly endLine: number;
}

const form = { type: "pkcs8", format: "pem" } as const;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsa = `${privateKey.export(form)}`;
const ed25519 = `${generateKeyPairSync("ed25519").privateKey.export(form)}`;
const lock = { cipher: "aes-256-cbc", passphrase: "x" };
const encrypted = `${privateKey.export({ ...form, ...lock })}`;
const bodyOf = (key: string): string[] => key.trim().split("\n").slice(1, -1);
const bodies = [rsa, ed25519, encrypted].flatMap(bodyOf);

const strings = rsa
  .trim()
  .split("\n")
  .map((line) => `    "${line}\\n"`);
const values = {
  "rsa.py": `"""${rsa}"""`,
  "ed25519.py": `"""${ed25519}"""`,
  "encrypted.py": `"""${encrypted}"""`,
  "lines.py": `(\n${strings.join("\n")}\n)`,
};
const names = Object.keys(values).sort();
const sources = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [
    name,
    `KEY = ${value}\n\n\ndef sign(message):\n    return do_sign(KEY, message)\n`,
  ]),
);

async function prepare(context: TestContext) {
  const { bytes } = makeTinyGguf({ architecture: "qwen2", contextLength: 4096 });
  const folder = await scratchFolder(context, { ...sources, "tiny.gguf": bytes });
  return { folder, home: await scratchFolder(context, {}), model: join(folder, "tiny.gguf") };
}

test("no memory of a file holds a line of its key, or tells of one", async (context) => {
  const { folder, home, model } = await prepare(context);
  const paths = names.map((name) => join(folder, name));
  const flags = ["--folder", folder, "--model", model, "--home", home, "--json"];
  const { code, stdout, stderr } = await runPith(["compress", ...paths, ...flags]);
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as CompressReport).files, names.length);
  const listed = await runPith(["bank", "list", "--json", "--home", home]);
  const memories: Memory[] = JSON.parse(listed.stdout);
  for (const name of names) {
    const held = memories.filter(({ path }) => path === join(folder, name));
    const lines = (sources[name] ?? "").split("\n");
    const text = held.flatMap(({ startLine, endLine }) => lines.slice(startLine, endLine));
    assert.ok(text.includes("def sign(message):"), name);
    checkHoldsNone(text.join("\n"), name);
  }
  const shown = memories.map(({ key }) => runPith(["bank", "show", key, "--home", home]));
  const outputs = (await Promise.all(shown)).map((each) => each.stdout);
  assert.ok(outputs.every((each) => /^path: /m.test(each)));
  checkHoldsNone([stdout, stderr, listed.stdout, ...outputs].join("\n"), "the command line");
});

test("context for a model elsewhere holds what stands below the keys, and no line of them", async (context) => {
  const { folder, home, model } = await prepare(context);
  const settings = { model, memories: { enable: true, budget: 512, form: "kept" as const } };
  const editor = await Editor.start({ settings, home, folder: pathToFileURL(folder).href });
  context.after(() => editor.process.kill());
  await editor.waitFor("ready");
  const uri = pathToFileURL(join(folder, "main.py")).href;
  const text = "from rsa import KEY, sign\nfrom lines import KEY, sign\n\nprint(sign(KEY, $0";
  await editor.complete(await editor.open(uri, text));
  await editor.rest();
  const copied = await editor.request<CompressedContext>("pith/memories/context", {
    ...{ uri, line: 3, character: 16, budget: 8000, encoding: "o200k" },
  });
  for (const name of names)
    assert.match(copied.text, new RegExp(`^// ${name}:.*\\n+def sign\\(message\\):`, "m"));
  checkHoldsNone(copied.text, "the context");
  checkHoldsNone(editor.log, "the log");
});

function checkHoldsNone(text: string, what: string): void {
  for (const line of bodies) assert.ok(!text.includes(line), `${what} holds a line of a key`);
  assert.doesNotMatch(text, /PRIVATE KEY/, what);
}
