import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { defaultThreadCount } from "../../sidecar/engine/threads.ts";
import { CancelledError, FormatError, UnsupportedError } from "../../sidecar/errors.ts";
import {
  type EditorDocument,
  type OpenModel,
  type OpenProgress,
  openModel,
} from "../../sidecar/service.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { realWeights } from "../support/weights.ts";

let scratch = "";
let model = "";

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "pith-service-"));
  model = join(scratch, "tiny.gguf");
  await writeFile(model, makeTinyGguf().bytes);
});
after(() => rm(scratch, { recursive: true, force: true }));

/** Opens the tiny model; tells the stages that it went through. */
async function openTiny(home: string): Promise<{ open: OpenModel; stages: Set<string> }> {
  const stages = new Set<string>();
  const onProgress = ({ stage }: OpenProgress) => stages.add(stage);
  const open = await openModel({ model, home: join(scratch, home), threads: 1 }, { onProgress });
  assert.ok(open !== null);
  return { open, stages };
}

const request = {
  ...{ prefix: "let a = ", maxTokens: 5, stop: [], temperature: 0, topP: 1, seed: 1 },
  alignment: "off" as const,
};

test("a model is prepared once and answers alike ever after", async () => {
  const first = await openTiny("once");
  const made = await first.open.complete(request);
  await first.open.dispose();
  const second = await openTiny("once");
  const mapped = await second.open.complete(request);
  await second.open.dispose();
  assert.deepEqual([...first.stages], ["preparing", "loading"]);
  assert.deepEqual([...second.stages], ["loading"]);
  assert.equal(mapped.text, made.text);
  assert.deepEqual(mapped.ids, made.ids);
});

test("two that open a model at once prepare it once", async () => {
  const opened = await Promise.all([openTiny("both"), openTiny("both")]);
  const folders = await readdir(join(scratch, "both", "prepared"));
  assert.equal(folders.length, 1, folders.join());
  for (const { open } of opened) {
    assert.equal((await open.complete(request)).tokens.generated, 5);
    await open.dispose();
  }
});

test("a prepared file that was cut is made again", async () => {
  await (await openTiny("cut")).open.dispose();
  const prepared = join(scratch, "cut", "prepared");
  const [folder = ""] = await readdir(prepared);
  await truncate(join(prepared, folder, "weights.bin"), 100);
  const { open, stages } = await openTiny("cut");
  assert.ok(stages.has("preparing"));
  assert.equal((await open.complete(request)).tokens.generated, 5);
  await open.dispose();
});

test("another file under the same name is another model", async () => {
  const home = join(scratch, "changed");
  const file = join(scratch, "changing.gguf");
  const answers: (readonly number[])[] = [];
  for (const seed of [1, 2]) {
    await writeFile(file, makeTinyGguf({ seed }).bytes);
    const open = await openModel({ model: file, home, threads: 1 });
    answers.push((await open?.complete(request))?.ids ?? []);
    await open?.dispose();
  }
  assert.equal((await readdir(join(home, "prepared"))).length, 2);
  assert.notDeepEqual(answers[0], answers[1]);
});

test("a cancel while a model is prepared leaves nothing behind", async () => {
  const controller = new AbortController();
  const home = join(scratch, "cancelled");
  const opening = openModel(
    { model, home, threads: 1 },
    { signal: controller.signal, onProgress: () => controller.abort() },
  );
  await assert.rejects(opening, CancelledError);
  assert.deepEqual(await readdir(join(home, "prepared")), []);
});

test("a model that is not here is null, one that nobody knows an error", async () => {
  const home = join(scratch, "none");
  assert.equal(await openModel({ model: "smollm2-135m", home, threads: 1 }), null);
  assert.equal(await openModel({ model: join(scratch, "no.gguf"), home, threads: 1 }), null);
  await assert.rejects(openModel({ model: "gpt-9", home, threads: 1 }), UnsupportedError);
});

test("a file that is cut short is a FormatError", async () => {
  const file = join(scratch, "short.gguf");
  await writeFile(file, makeTinyGguf().bytes.subarray(0, 5000));
  const opening = openModel({ model: file, home: join(scratch, "short"), threads: 1 });
  await assert.rejects(opening, FormatError);
});

test("a model is not let go of before the requests that run have ended", async () => {
  const { open } = await openTiny("busy");
  const running = open.complete({ ...request, maxTokens: 50 });
  await open.dispose();
  assert.equal((await running).tokens.generated, 50);
});

test("bytes that are no text are split as well", async () => {
  const { open } = await openTiny("bytes");
  const bytes = Uint8Array.of(0x61, 0xff, 0xe2, 0x82);
  const { ids, pieces, unencodable } = open.splitTokens(bytes);
  assert.equal(ids.length, pieces.length);
  assert.equal(Buffer.concat(pieces).byteLength + unencodable, bytes.byteLength);
  await open.dispose();
});

for (const [id, variant] of [
  ["qwen2.5-coder-0.5b", "fast"],
  ["smollm2-135m", "lossless"],
] as const) {
  test(`${id} is prepared ${variant}, wherever its file lies`, async () => {
    for (const model of [id, await realWeights(id)]) {
      const open = await openModel({ model, home: "", threads: 0 });
      assert.equal(open?.facts.variant, variant);
      await open?.dispose();
    }
  });
}

test("an idle moment runs the moved suffix again, once", async () => {
  await realWeights("qwen2.5-coder-0.5b");
  const open = await openModel({ model: "qwen2.5-coder-0.5b", home: "", threads: 0 });
  assert.ok(open !== null);
  // Longer than the rows that are run anew at every keystroke.
  const suffix = `\n    return total\n\n${"print(add(1, 2))\n".repeat(4)}`;
  const document: Omit<EditorDocument, "prefix"> = {
    ...{ file: null, path: "a.py", languageId: "python", suffix },
    ...{ multiline: "never", alignment: "off" },
  };
  await open.completeInline({ ...document, prefix: "def add(a, b):\n    # s\n    " });
  await open.completeInline({ ...document, prefix: "def add(a, b):\n    # s\n    to" });
  const pause = () =>
    open.work({ edits: [], touched: [], cursor: null }, { onActivity: () => assert.fail() });
  assert.ok((await pause()) > 0);
  assert.equal(await pause(), 0);
  await open.dispose();
});

for (const [cores, threads] of [
  [1, 2],
  [2, 2],
  [4, 3],
  [16, 4],
] as const) {
  test(`${cores} cores get ${threads} threads`, () =>
    assert.equal(defaultThreadCount(cores), threads));
}
