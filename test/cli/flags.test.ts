// Every flag that a --help shows is used here, and works: one run for each verb, with all its flags.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { realWeights } from "../support/weights.ts";
import { parseLines, runPith } from "./run-pith.ts";

const folder = await mkdtemp(join(tmpdir(), "pith-flags-"));
const home = ["--home", join(folder, "home")];
const tiny = join(folder, "tiny.gguf");
const source = join(folder, "sum.py");
const engine = ["--model", tiny, "--threads", "1", ...home];
/** Of the tests' own weights, which a download finds there. */
const present = ["--home", dirname(dirname(await realWeights("smollm2-135m")))];
const offline = ["--proxy", "http://127.0.0.1:9", "--no-strict-ssl"];
const adapter = ["--adapter", "sidecar/adapters/smollm2-135m/uni.safetensors"];

before(async () => {
  await writeFile(tiny, makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes);
  await writeFile(source, "def add(a, b):\n    return\n");
});
after(() => rm(folder, { recursive: true, force: true }));

interface Use {
  readonly args: readonly string[];
  readonly input?: string;
  /** Names that the JSON on standard output has. */
  readonly names?: readonly string[];
}

/** In an order in which each finds what it shows or deletes. */
const uses: readonly Use[] = [
  {
    args: [
      ...["complete", `${source}:2:11`, ...engine, "--alignment", "off", "--context", folder],
      ...["--no-multiline", "--json"],
    ],
    names: ["text", "reason"],
  },
  {
    args: ["batch", "--model", "smollm2-135m", "--threads", "1", "--json", "--cold", ...adapter],
    input: '{"id": 1, "op": "tokenize", "prefix": "a b"}\n',
    names: ["id", "ids", "pieces"],
  },
  {
    args: ["batch", ...engine, "--variant", "lossless"],
    input: '{"id": 1, "op": "tokenize", "prefix": "a b"}\n',
    names: ["id", "ids", "pieces"],
  },
  { args: ["tokens", source, ...engine, "--count", "--json"], names: ["tokens", "bytes"] },
  {
    args: ["compress", source, ...engine, "--folder", folder, "--json"],
    names: ["files", "spans", "skipped", "problems"],
  },
  { args: ["bank", "list", "--json", ...home], names: ["key", "path"] },
  { args: ["bank", "show", "", "--json", ...home], names: ["key"] },
  { args: ["bank", "purge", "--json", ...home], names: ["memories"] },
  { args: ["models", "add", tiny, "--json", ...home], names: ["id", "file"] },
  { args: ["models", "list", "--json", ...home], names: ["id", "state"] },
  { args: ["models", "verify", "tiny", "--json", ...home], names: ["id"] },
  { args: ["models", "delete", "tiny", "--json", ...home], names: ["id"] },
  {
    args: ["models", "download", "smollm2-135m", "--json", ...present, ...offline],
    names: ["id", "sha256"],
  },
  {
    args: [
      ...["bench", ...engine, "--repeat", "1", "--keys", "2", "--json", "--variant", "lossless"],
    ],
    names: ["prefill", "decode"],
  },
  {
    args: ["serve", "--json", "--stdio", "--clientProcessId", `${process.pid}`],
    input: framed({ jsonrpc: "2.0", method: "exit" }),
  },
];

for (const { args, input, names } of uses)
  test(`pith ${args.map((arg) => arg.replace(folder, "…")).join(" ")}`, async () => {
    const outcome = await runPith(args, input === undefined ? {} : { input });
    if (names === undefined) return assert.deepEqual([outcome.code, outcome.stderr], [1, ""]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const [answer = {}] = parseLines(outcome.stdout).flat();
    for (const name of names) assert.ok(name in answer, `${name}: ${outcome.stdout}`);
  });

test("the runs above use every flag of every verb", async () => {
  for (const { verb, help } of await helps([])) {
    const flags = [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag = ""]) => flag);
    const used = uses.flatMap(({ args }) => (isOf(verb, args) ? args : []));
    const own = flags.filter((flag) => flag !== "--help" && flag !== "--version");
    assert.deepEqual(
      own.filter((flag) => !used.includes(flag)),
      [],
      verb.join(" "),
    );
  }
});

function isOf(verb: readonly string[], args: readonly string[]): boolean {
  return verb.every((name, index) => args[index] === name);
}

/** Of the program itself, and of all verbs that its helps list. */
async function helps(verb: readonly string[]): Promise<Help[]> {
  const { stdout: help } = await runPith([...verb, "--help"]);
  const [, list = ""] = help.split("\nCommands:\n");
  const names = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = ""]) => name);
  const below = names.filter((name) => name !== "help").map((name) => helps([...verb, name]));
  return [{ verb, help }, ...(await Promise.all(below)).flat()];
}

interface Help {
  readonly verb: readonly string[];
  readonly help: string;
}

function framed(message: object): string {
  const text = JSON.stringify(message);
  return `Content-Length: ${text.length}\r\n\r\n${text}`;
}
