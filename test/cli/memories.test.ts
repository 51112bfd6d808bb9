// Memories on the command line: made, listed, shown, purged, and put in front of a completion.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { realWeights } from "../support/weights.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { runPith } from "./run-pith.ts";

const files = {
  "shipping.ts": `export interface Parcel {
  readonly grams: number;
}

/** The carrier that takes parcels of this weight. */
export function chooseCarrierByWeight(parcel: Parcel): string {
  return parcel.grams > 2000 ? "heavy" : "light";
}
`,
  "order.ts": `import type { Parcel } from "./shipping.ts";

/** Says who carries the parcel. */
export function describeParcel(parcel: Parcel): string {
  const carrier = choose`,
};

async function prepare(context: TestContext) {
  const folder = await scratchFolder(context, files);
  const home = await scratchFolder(context, {});
  const model = await realWeights("smollm2-135m");
  return { folder, home, flags: ["--model", model, "--home", home] };
}

test("what is wrong with demonstrations is told with its file and line", async (context) => {
  const { flags } = await prepare(context);
  const text = "---\nlanguage: pyhton\n---\nRun `npm test`\n***\nName a loader\n=>\n";
  const folder = await scratchFolder(context, { "ways.pith.md": text, "none.pith.md": "=>\n" });
  const args = ["compress", folder, "--folder", folder, ...flags];
  const { code, stdout, stderr } = await runPith(args);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.split("\n").slice(1, -1), [
    "left out: none.pith.md (malformed)",
    "demonstrations: none.pith.md:1: the example has no task before => and is left out",
    `demonstrations: ways.pith.md:2: no language is known as "pyhton"; the examples serve documents of exactly that identifier`,
    "demonstrations: ways.pith.md:7: the example has no answer behind => and is left out",
  ]);
});

test("what is compressed stands in the bank, until it is purged", async (context) => {
  const { folder, home, flags } = await prepare(context);
  const made = await runPith(["compress", folder, "--folder", folder, "--json", ...flags]);
  assert.equal(made.code, 0, made.stderr);
  const report = JSON.parse(made.stdout);
  assert.deepEqual([report.files, report.spans, report.skipped], [2, 2, []]);
  assert.ok(report.positions < report.tokens);
  const listed = JSON.parse((await runPith(["bank", "list", "--json", "--home", home])).stdout);
  const paths = listed.map(({ path }: { path: string }) => path).sort();
  assert.deepEqual(paths, [join(folder, "order.ts"), join(folder, "shipping.ts")]);
  const { stdout } = await runPith(["bank", "show", listed[0].key.slice(0, 9), "--home", home]);
  assert.match(stdout, /^entryCount: \d+$/m);
  const unknown = await runPith(["bank", "show", "x", "--home", home]);
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""]);
  assert.match(unknown.stderr, /0 memories have a key that begins x/);
  const purged = await runPith(["bank", "purge", "--home", home]);
  assert.equal(purged.stdout, "2 memories deleted\n");
  assert.deepEqual(await readdir(join(home, "bank")), []);
});

test("a completion knows the files of --context", async (context) => {
  const { folder, flags } = await prepare(context);
  const place = `${join(folder, "order.ts")}:5:25`;
  const plain = await runPith(["complete", place, ...flags]);
  const informed = await runPith(["complete", place, "--context", folder, ...flags]);
  assert.equal(informed.stdout, "CarrierByWeight(parcel);\n", informed.stderr);
  assert.notEqual(plain.stdout, informed.stdout);
  const outside = await runPith(["complete", place, "--context", join(folder, "not"), ...flags]);
  assert.equal(outside.code, 1);
  assert.match(outside.stderr, /is not in the folder/);
});

test("with --context the memories of the folder stand in front, within their budget", async (context) => {
  const folder = await scratchFolder(context, {
    ...files,
    "tiny.gguf": makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes,
    "out/place.ts": "const a = 1;\n",
    "..named/place.ts": "const a = 1;\n",
  });
  const flags = ["--json", "--model", join(folder, "tiny.gguf"), "--home", join(folder, "home")];
  const place = `${join(folder, "order.ts")}:5:25`;
  const plain = JSON.parse((await runPith(["complete", place, ...flags])).stdout);
  assert.deepEqual([plain.memories, plain.tokens.contextAfter, plain.ms.attach], [[], 0, 0]);
  const { stdout, stderr } = await runPith(["complete", place, "--context", folder, ...flags]);
  const { memories, tokens, ms } = JSON.parse(stdout);
  assert.equal(memories[0]?.path, "shipping.ts", stderr);
  assert.ok(ms.attach > 0, `${ms.attach}`);
  const positions = memories.reduce(
    (sum: number, each: { positions: number }) => sum + each.positions,
    0,
  );
  assert.equal(positions, tokens.contextAfter);
  assert.ok(positions > 0 && positions <= 512, `${positions}`);
  const named = `${join(folder, "..named/place.ts")}:1:10`;
  assert.equal((await runPith(["complete", named, "--context", folder, ...flags])).code, 0);
  const out = join(folder, "out");
  const outside = await runPith(["complete", place, "--context", out, ...flags]);
  assert.deepEqual([outside.code, outside.stdout], [1, ""]);
  assert.match(outside.stderr, /order\.ts: is not in the folder .*out of --context/);
  assert.doesNotMatch(outside.stderr, / at /);
});

test("a path that is named is compressed whatever lies before it, and what gives nothing says why", async (context) => {
  const names = Array.from({ length: 4000 }, (_, index) => `assets/${index}.png`);
  const pictures = Object.fromEntries(names.map((name) => [name, "\x89PNG\r\n\x1a\n\0"]));
  const folder = await scratchFolder(context, {
    ...{
      ...pictures,
      "src/money.ts": files["shipping.ts"],
      "src/empty.ts": "",
      ".gitignore": "out/",
    },
    "out/made.ts": "export const made = 1;\n",
    "ways.pith.md": "Greet\n=>\nhello();\n",
    "tiny.gguf": makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes,
  });
  const home = await scratchFolder(context, {});
  const flags = ["--folder", folder, "--model", join(folder, "tiny.gguf"), "--home", home];
  const compress = (...paths: string[]) =>
    runPith(["compress", ...paths.map((path) => join(folder, path)), ...flags]);
  const made = await runPith(["compress", join(folder, "src/money.ts"), "--json", ...flags]);
  assert.deepEqual([made.code, JSON.parse(made.stdout).files], [0, 1], made.stderr);
  assert.deepEqual(JSON.parse(made.stdout).limits, []);
  const reasons = {
    "assets/7.png": "binary",
    "out/made.ts": "ignored",
    "src/empty.ts": "empty",
    "src/gone.ts": "unreadable",
    "ways.pith.md": "demonstrations",
  };
  for (const [path, reason] of Object.entries(reasons)) {
    const { code, stdout, stderr } = await compress(path);
    assert.equal(code, 1, path);
    assert.match(stdout, /^0 spans of 0 files/);
    assert.ok(stderr.includes(`${path} gave no memory: ${reason}`), stderr);
  }
  const both = await compress("src/money.ts", "src/gone.ts");
  assert.equal(both.code, 1);
  assert.match(both.stdout, /^3 spans of 1 files/);
});
