import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { realWeights } from "../support/weights.ts";
import { type Answer, checkBatch } from "./check-batch.ts";
import { parseLines, runPith } from "./run-pith.ts";

before(async () => {
  await realWeights("smollm2-135m");
  await realWeights("qwen2.5-coder-0.5b");
});

const addition = "def add(a, b):\n    return";

test("op complete answers with the contract's fields, without the stop string", async () => {
  const request = { op: "complete", prefix: addition, maxTokens: 8, stop: ["\n"] };
  const [first, second] = await checkBatch([
    { id: 1, ...request },
    { id: "two", ...request, temperature: 0, topP: 1, seed: 99 },
  ]);
  const { id, text, finish, tokens, ms } = first ?? {};
  assert.deepEqual([id, text, finish], [1, " a + b", "stop"]);
  assert.deepEqual(Object.keys(tokens ?? {}).sort(), [
    ...["computed", "contextAfter", "contextBefore", "generated", "prefix", "reused", "suffix"],
  ]);
  assert.deepEqual(Object.keys(ms ?? {}).sort(), [
    ...["compress", "decode", "load", "plan", "prefill", "total"],
  ]);
  // The line end that stopped it was generated, but not run.
  const prefix = tokens?.prefix ?? 0;
  assert.deepEqual(tokens, {
    ...{ prefix, suffix: 0, contextBefore: 0, contextAfter: 0, generated: 4 },
    ...{ computed: prefix + 3, reused: 0 },
  });
  assert.deepEqual([second?.id, second?.text], ["two", " a + b"]);
  assert.ok((ms?.load ?? 0) > 0);
  assert.equal(second?.ms?.load, 0);
});

test("an answer with alignment says what was made again, and its weight", async () => {
  const request = { op: "complete", prefix: "function f() {\n  conso", maxTokens: 4 };
  const answers = await checkBatch(
    ["exact", "token", "off"].map((alignment, id) => ({ id, ...request, alignment })),
  );
  for (const [index, way] of ["exact", "token"].entries()) {
    const { text = "", alignment } = answers[index] ?? {};
    assert.match(text, /^le\.log/);
    assert.equal(alignment?.way, way);
    assert.match(Buffer.from(alignment.tail, "base64").toString(), /conso$/);
    assert.ok(alignment.keptTokens > 2 && alignment.ids.length > 0);
    assert.ok(alignment.logWeight < 0 && alignment.logWeight > -20);
  }
  assert.equal(answers[2]?.alignment, undefined);
});

test("every request starts from a cold cache", async () => {
  const request = { op: "complete", prefix: addition, maxTokens: 4 };
  const answers = await checkBatch([1, 2, 3].map((id) => ({ id, ...request })));
  const counts = answers.map(({ tokens }) => [tokens?.computed, tokens?.reused]);
  assert.deepEqual(counts, [counts[0], counts[0], counts[0]]);
  assert.equal(counts[0]?.[1], 0);
});

test("sampling follows the seed alone", async () => {
  const request = { op: "complete", prefix: "# a", maxTokens: 12, temperature: 1.5 };
  const answers = await checkBatch([7, 8, 7].map((seed, id) => ({ id, ...request, seed })));
  const [seven, eight, again] = answers.map(({ text }) => text);
  assert.equal(again, seven);
  assert.notEqual(eight, seven);
});

test("maxTokens ends a text as length, and 0 of them gives none", async () => {
  const request = { op: "complete", prefix: addition };
  const [three, none] = await checkBatch([
    { id: 1, ...request, maxTokens: 3 },
    { id: 2, ...request, maxTokens: 0 },
  ]);
  assert.deepEqual([three?.finish, three?.tokens?.generated], ["length", 3]);
  assert.deepEqual([none?.finish, none?.text], ["length", ""]);
});

test("op score adds up over the target's tokens, however they are grouped", async () => {
  const [whole, first, rest] = await checkBatch([
    { id: 1, op: "score", prefix: addition, target: " a + b" },
    { id: 2, op: "score", prefix: addition, target: " a" },
    { id: 3, op: "score", prefix: `${addition} a`, target: " + b" },
  ]);
  assert.equal(whole?.targetTokens, 3);
  const sum = (first?.nll ?? Number.NaN) + (rest?.nll ?? Number.NaN);
  // Prompts of other lengths run in other chunks, which 8-bit activations round apart.
  assert.ok(Math.abs((whole?.nll ?? 0) - sum) < 0.05, `${whole?.nll} against ${sum}`);
  assert.ok((whole?.nll ?? 0) > 0 && (whole?.nll ?? 9) < 3);
});

test("a likely target scores lower than an unlikely one", async () => {
  const [likely, unlikely] = await checkBatch(
    [" a + b", " weasel"].map((target, id) => ({ id, op: "score", prefix: addition, target })),
  );
  assert.ok((likely?.nll ?? 9) < (unlikely?.nll ?? 0));
});

test("op tokenize gives ids and bytes that make up the prefix", async () => {
  const prefix = "héllo <|endoftext|> 👍\n";
  const [answer] = await checkBatch([{ id: 1, op: "tokenize", prefix }]);
  const bytes = (answer?.pieces ?? []).map((piece) => Buffer.from(piece, "base64"));
  assert.equal(Buffer.concat(bytes).toString("utf8"), prefix);
  assert.equal(answer?.ids?.length, bytes.length);
  assert.equal(answer?.tokens?.prefix, bytes.length);
  assert.ok(!answer?.ids?.includes(0), "a special token's text is ordinary text");
});

const wrongRequests: [label: string, line: object | string, kind: string, message: RegExp][] = [
  ["no JSON", "nope", "format", /not JSON/],
  ["a list", "[1]", "format", /not a JSON object/],
  ["null", "null", "format", /not a JSON object/],
  ["no id", { op: "complete" }, "format", /id/],
  ["an id that is a list", { id: [1], op: "complete" }, "format", /id/],
  ["no op", { id: 1 }, "format", /op/],
  ["an unknown op", { id: 1, op: "sing" }, "format", /op/],
  ["a misspelt field", { id: 1, op: "complete", maxToken: 3 }, "format", /maxToken/],
  ["a prefix that is a number", { id: 1, op: "complete", prefix: 3 }, "format", /prefix/],
  ["a negative maxTokens", { id: 1, op: "complete", maxTokens: -1 }, "format", /maxTokens/],
  ["an empty stop string", { id: 1, op: "complete", stop: [""] }, "format", /stop/],
  ["a score without target", { id: 1, op: "score" }, "format", /target/],
  [
    "kept memories of a question",
    { id: 1, op: "complete", memory: "kept", conditional: true },
    "unsupported",
    /conditional is for memory embedded/,
  ],
  [
    "a layout of raw text",
    { id: 1, op: "complete", memory: "raw", layout: "former" },
    "unsupported",
    /layout former is for memory kept and embedded/,
  ],
  ["a ratio of 0", { id: 1, op: "complete", memory: "kept", ratio: 0 }, "format", /ratio/],
  ["a negative budget", { id: 1, op: "complete", contextBudget: -1 }, "format", /contextBudget/],
  ["a span without text", { id: 1, op: "complete", context: [{ path: "a" }] }, "format", /text/],
  [
    "a giant span",
    { id: 1, op: "score", target: "a", memory: "kept", context: [{ text: "ab ".repeat(2e5) }] },
    "limit",
    /600000 characters exceeds 524288/,
  ],
  ["a wrong alignment", { id: 1, op: "complete", alignment: "on" }, "format", /alignment/],
  [
    "an aligned score",
    { id: 1, op: "score", target: "a", alignment: "exact" },
    "unsupported",
    /alignment/,
  ],
  ["more than the window", { id: 1, op: "complete", maxTokens: 5000 }, "limit", /4096/],
];

test("a wrong line gets an error of its kind, and the lines after it their answers", async () => {
  const good = { id: "good", op: "tokenize", prefix: "a" };
  const lines = wrongRequests.flatMap(([, line]) => [line, good]);
  const answers = await checkBatch(lines);
  assert.equal(answers.length, lines.length);
  for (const [index, [label, line, kind, message]] of wrongRequests.entries()) {
    const answer = answers[2 * index];
    assert.equal(answer?.error?.kind, kind, label);
    assert.match(answer?.error?.message ?? "", message, label);
    const hasId = typeof line === "object" && "id" in line && line.id === 1;
    const place = hasId ? { id: 1, line: undefined } : { id: null, line: 2 * index + 1 };
    assert.deepEqual({ id: answer?.id, line: answer?.line }, place, label);
    assert.deepEqual(answers[2 * index + 1]?.ids?.length, 1);
  }
});

test("a line without end is refused in bounded memory, and the next one answered", async () => {
  const long = `{"id": 1, "prefix": "${"x".repeat(17 * 1024 * 1024)}"}`;
  const answers = await checkBatch([long, { id: 2, op: "tokenize", prefix: "a" }]);
  assert.deepEqual([answers[0]?.id, answers[0]?.line, answers[0]?.error?.kind], [null, 1, "limit"]);
  assert.equal(answers[1]?.ids?.length, 1);
});

test("with fill-in-the-middle the suffix counts, an empty one too", async () => {
  const request = { op: "complete", prefix: "def add(a, b):\n    ", maxTokens: 12, stop: ["\n"] };
  const suffix = "\n    return total\n";
  // Without alignment four blanks end inside a token, where `return` and `total` are nearly as likely.
  const score = { op: "score", prefix: request.prefix, target: "total = a + b" };
  const [middle, empty, none, scored, unseen] = await checkBatch(
    [
      { id: 1, ...request, prefix: `${request.prefix}total`, suffix },
      { id: 2, ...request, suffix: "" },
      { id: 3, ...request },
      { id: 4, ...score, suffix },
      { id: 5, ...score },
    ],
    "qwen2.5-coder-0.5b",
  );
  assert.match(middle?.text ?? "", /^ = a \+ b/);
  assert.ok((scored?.nll ?? 99) < (unseen?.nll ?? 0) - 5, `${scored?.nll}, ${unseen?.nll} unseen`);
  assert.ok((middle?.tokens?.suffix ?? 0) > 0);
  assert.equal(empty?.tokens?.suffix, 0);
  // Prefix, suffix and middle tokens are run with an empty suffix and not without one.
  const promptRows = (answer: Answer | undefined) =>
    (answer?.tokens?.computed ?? 0) - (answer?.tokens?.generated ?? 0);
  assert.equal(promptRows(empty), promptRows(none) + 3);
});

test("a suffix is ignored by a model without fill-in-the-middle", async () => {
  const request = { op: "complete", prefix: addition, maxTokens: 4 };
  const [plain, given] = await checkBatch([
    { id: 1, ...request },
    { id: 2, ...request, suffix: "\n\nprint(add(1, 2))\n" },
  ]);
  assert.equal(given?.text, plain?.text);
  assert.equal(given?.tokens?.suffix, 0);
});

const request = JSON.stringify({ id: 1, op: "complete", prefix: "a" });

test("a model that is not here fails the run, and answers every request", async (context) => {
  const home = await mkdtemp(join(tmpdir(), "pith-batch-"));
  context.after(() => rm(home, { recursive: true, force: true }));
  const { code, stdout, stderr } = await runPith(["batch", "--model", "smollm2-135m"], {
    home,
    input: request,
  });
  assert.equal(code, 1);
  assert.match(stderr, /pith models download smollm2-135m/);
  const [answer] = parseLines<Answer>(stdout);
  assert.deepEqual([answer?.id, answer?.error?.kind], [1, "unsupported"]);
});

test("a model file that is damaged fails the run as format", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "pith-batch-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "broken.gguf");
  await writeFile(file, "GGUF\x03\0\0\0");
  const { code, stdout } = await runPith(["batch", "--model", file], { input: request });
  assert.equal(code, 1);
  assert.equal(parseLines<Answer>(stdout)[0]?.error?.kind, "format");
});

test("no input is no failure", async () => {
  const { code, stdout } = await runPith(["batch", "--model", "smollm2-135m"]);
  assert.deepEqual([code, stdout], [0, ""]);
});

test("a reader that has enough ends the run quietly", async () => {
  const program = new URL("../../pith.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, "batch", "--model", "smollm2-135m"]);
  child.stdin.on("error", () => {});
  child.stdin.write(`${`${request}\n`.repeat(200)}`);
  await once(child.stdout, "data");
  child.stdout.destroy();
  child.stdin.end();
  const [code, signal] = await once(child, "exit");
  assert.deepEqual([code, signal], [0, null]);
});
