import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { realWeights } from "../support/weights.ts";
import { parseLines, runPith } from "./run-pith.ts";

const verbs = ["serve", "complete", "batch", "tokens", "models", "bench"];
const model = ["--model", "smollm2-135m"];
let folder = "";
let file = "";

before(async () => {
  await realWeights("smollm2-135m");
  folder = await mkdtemp(join(tmpdir(), "pith-cli-"));
  file = join(folder, "sum.py");
  await writeFile(file, "# Ü\ndef add(a, b):\n    return\n");
});
after(() => rm(folder, { recursive: true, force: true }));

for (const verb of verbs) {
  test(`pith ${verb} --help explains it and exits with 0`, async () => {
    const { code, stdout } = await runPith([verb, "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: pith ${verb}`));
  });
}

const badUses = [
  ["no such verb", ["sing"]],
  ["no verb", []],
  ["no place", ["complete"]],
  ["a place without a column", ["complete", "a.ts:3"]],
  ["line 0", ["complete", "a.ts:0:1"]],
  ["an unknown flag", ["tokens", "--loud", "a.ts"]],
  ["threads that are no number", ["tokens", "a.ts", "--threads", "many"]],
  ["a variant that there is not", ["batch", "--variant", "smaller"]],
  ["one argument too many", ["tokens", "a.ts", "b.ts"]],
] as const;
for (const [label, args] of badUses) {
  test(`bad use exits with 2: ${label}`, async () => {
    const { code, stdout, stderr } = await runPith(args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.notEqual(stderr, "");
  });
}

test("complete prints what the editor would show", async () => {
  const { code, stdout, stderr } = await runPith(["complete", `${file}:3:11`, ...model]);
  assert.deepEqual([code, stdout], [0, " a + b\n"], stderr);
});

test("complete --json tells the counts as well", async () => {
  const { stdout } = await runPith(["complete", `${file}:3:11`, ...model, "--json"]);
  const [answer] = parseLines<{ text: string; reason: null; tokens: { computed: number } }>(stdout);
  assert.deepEqual([answer?.text, answer?.reason], [" a + b", null]);
  assert.ok((answer?.tokens.computed ?? 0) > 0);
});

test("complete --json gives the bytes that were made again in base64", async () => {
  await writeFile(join(folder, "half.py"), "import nu");
  const args = ["complete", `${join(folder, "half.py")}:1:10`, ...model, "--json"];
  const { stdout } = await runPith(args);
  const [answer] = parseLines<{ alignment: { tail: string } }>(stdout);
  assert.match(Buffer.from(answer?.alignment.tail ?? "", "base64").toString(), /nu$/);
});

test("complete says why there is nothing to show", async () => {
  const { code, stdout, stderr } = await runPith(["complete", `${file}:2:6`, ...model]);
  assert.deepEqual([code, stdout], [0, ""]);
  assert.match(stderr, /nothing to show: inside-word-off/);
});

const places = [
  ["9:1", /line 9 exceeds 4 lines/],
  ["3:12", /column 12 exceeds 11 in line 3/],
] as const;
for (const [place, message] of places) {
  test(`a place outside the file fails: ${place}`, async () => {
    const { code, stderr } = await runPith(["complete", `${file}:${place}`, ...model]);
    assert.equal(code, 1);
    assert.match(stderr, message);
  });
}

test("a file that is not there fails with its name and no stack", async () => {
  const { code, stderr } = await runPith(["tokens", join(folder, "none.py"), ...model]);
  assert.equal(code, 1);
  assert.match(stderr, /none\.py/);
  assert.doesNotMatch(stderr, / at /);
});

test("a model that nobody knows fails with the known ones", async () => {
  const { code, stderr } = await runPith(["tokens", file, "--model", "gpt-9"]);
  assert.equal(code, 1);
  assert.match(stderr, /gpt-9.*smollm2-135m/);
});

test("tokens counts a file and shows every split", async () => {
  const { code, stdout } = await runPith(["tokens", file, ...model]);
  assert.equal(code, 0);
  const [head = "", ...rows] = stdout.trimEnd().split("\n");
  assert.match(head, new RegExp(`${rows.length} tokens of smollm2-135m, 31 bytes`));
  assert.ok(
    rows.some((row) => /^ +\d+ {2}" add"$/.test(row)),
    stdout,
  );
});

test("tokens --json gives the bytes of the text back, as an editor reads it", async () => {
  const odd = join(folder, "odd.txt");
  await writeFile(odd, Buffer.from([0x61, 0xff, 0xe2, 0x82, 0x0a, 0xc3])); // Windows-1252
  const { stdout } = await runPith(["tokens", odd, ...model, "--json"]);
  const [split] = parseLines<{ pieces: string[]; unencodable: number; tokens: number }>(stdout);
  const pieces = (split?.pieces ?? []).map((piece) => Buffer.from(piece, "base64"));
  assert.equal(Buffer.concat(pieces).toString(), "aÿâ‚\nÃ");
  assert.equal(split?.unencodable, 0);
  assert.equal(split?.tokens, pieces.length);
});

test("bench prints a table and then a line of JSON, with figures of what it ran", async () => {
  const { code, stdout, stderr } = await runPith([
    "bench",
    ...model,
    "--repeat",
    "1",
    "--keys",
    "20",
  ]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  const figures = JSON.parse(lines.at(-1) ?? "");
  assert.ok(lines.length > 10);
  const lengths = figures.prefill.map((each: { tokens: number }) => each.tokens);
  for (const [index, wanted] of [128, 512, 2048].entries())
    assert.ok(Math.abs(lengths[index] - wanted) <= 4, `${lengths}`);
  for (const { tokensPerSecond } of [...figures.prefill, ...figures.decode])
    assert.ok(tokensPerSecond > 0);
  assert.equal(figures.keystroke.keys, 20);
  assert.ok(figures.keystroke.reusedShare > 0.5 && figures.keystroke.reusedShare <= 1);
  assert.ok(figures.memory.peakMb >= figures.memory.residentMb);
});
