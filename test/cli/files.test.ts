// Files that the command line names: read as an editor reads them, or refused with the reason.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { realWeights } from "../support/weights.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { runPith } from "./run-pith.ts";

const code = "# Größe\r\nx = 1\r\n";
const utf16 = Buffer.from(`\ufeff${code}`, "utf16le");
const files = {
  "plain.py": code,
  "mark.py": `\ufeff${code}`,
  "le.py": utf16,
  "be.py": Buffer.from(utf16).swap16(),
  "latin.py": Buffer.from(code, "latin1"),
};

test("a text has the same tokens in every encoding", async (context) => {
  const { folder, model } = await scratch(context);
  const split = async (name: string) => {
    const path = join(folder, name);
    const { code, stdout, stderr } = await runPith(["tokens", path, "--json", "--model", model]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).ids;
  };
  const [plain, ...others] = await Promise.all(Object.keys(files).map(split));
  for (const each of others) assert.deepEqual(each, plain);
});

test("columns are those of the editor, which sees no byte order mark", async (context) => {
  const { folder, model } = await scratch(context);
  for (const name of Object.keys(files)) {
    const at = (place: string) =>
      runPith(["complete", `${join(folder, name)}:${place}`, "--json", "--model", model]);
    const beyond = await at("1:9");
    assert.equal(beyond.code, 1);
    assert.match(beyond.stderr, /column 9 exceeds 8 in line 1/, name);
  }
  const { code, stderr } = await runPith([
    "complete",
    `${join(folder, "le.py")}:2:6`,
    "--json",
    "--model",
    model,
  ]);
  assert.equal(code, 0, stderr);
});

test("what is no regular file is refused, not waited for", async (context) => {
  const { folder, model } = await scratch(context);
  const pipe = join(folder, "pipe.gguf");
  execFileSync("mkfifo", [pipe]);
  const calls: [args: string[], message: RegExp][] = [
    [["tokens", pipe, "--model", model], /pipe\.gguf: is no regular file/],
    [["complete", `${pipe}:1:1`, "--model", model], /pipe\.gguf: is no regular file/],
    [["complete", `${folder}:1:1`, "--model", model], /is no regular file/],
    [["complete", `${folder}/gone.py:1:1`, "--model", model], /gone\.py: cannot be read/],
    [
      ["tokens", join(folder, "plain.py"), "--model", pipe],
      /model .*pipe\.gguf: is no regular file/,
    ],
    [["models", "add", pipe], /pipe\.gguf: is no regular file/],
  ];
  for (const [args, message] of calls) {
    const { code, stderr } = await runPith(args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
  }
});

async function scratch(context: TestContext): Promise<{ folder: string; model: string }> {
  return { folder: await scratchFolder(context, files), model: await realWeights("smollm2-135m") };
}
