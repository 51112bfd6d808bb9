// Memories on the command line, on the real weights.
import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { randomAdapter } from "../support/random-adapter.ts";
import { preparedModel, realWeights } from "../support/weights.ts";
import { type Answer, checkBatch } from "./check-batch.ts";

before(async () => {
  await realWeights("smollm2-135m");
  await realWeights("qwen2.5-coder-0.5b");
});

const addition = "def add(a, b):\n    return";

test("fields of memories are admitted where no memory is asked for, and change nothing", async () => {
  const request = { op: "complete", prefix: addition, maxTokens: 6 };
  const context = [{ path: "src/a.py", text: "def subtract(a, b):\n    return a - b\n" }];
  const demonstrations = [{ text: "# nothing" }];
  const layout = { ratio: 12, contextBudget: 256, select: 8, layout: "former", conditional: true };
  const [plain, full] = await checkBatch([
    { id: 1, ...request },
    { id: 2, ...request, context, demonstrations, memory: "none", alignment: "off", ...layout },
  ]);
  assert.equal(full?.text, plain?.text);
  assert.deepEqual(full?.tokens, plain?.tokens);
});

const shapes = {
  path: "shapes/area.py",
  text: "def rectangle_area(width, height):\n    return width * height\n",
};
const use = { op: "score", prefix: "# The area of a field of 3 by 4.\narea = " };
const needed = { ...use, context: [shapes], target: "rectangle_area(3, 4)" };

test("memories lower the NLL of a line that needs them, kept ones in fewer positions", async () => {
  for (const model of ["smollm2-135m", "qwen2.5-coder-0.5b"]) {
    const [none, sink, raw, kept] = await checkBatch(
      [
        { id: 1, ...needed },
        { id: 2, ...needed, memory: "raw", context: [] },
        { id: 3, ...needed, memory: "raw" },
        { id: 4, ...needed, memory: "kept", ratio: 4 },
      ],
      model,
    );
    const gain = (sink?.nll ?? 0) - (raw?.nll ?? Number.NaN);
    const keptGain = (sink?.nll ?? 0) - (kept?.nll ?? Number.NaN);
    assert.ok(gain > 3, `${model}: raw gains ${gain}`);
    assert.ok(keptGain > gain / 2, `${model}: kept gains ${keptGain} of ${gain}`);
    assert.equal(none?.tokens?.contextBefore, 0);
    const length = raw?.tokens?.contextAfter ?? 0;
    assert.equal(raw?.tokens?.contextBefore, length);
    assert.equal(kept?.tokens?.contextBefore, length);
    assert.equal(kept?.tokens?.contextAfter, Math.ceil(length / 4));
  }
});

test("what was kept serves later requests of the run, unless it is cold", async () => {
  const asked = { ...needed, memory: "kept", ratio: 8 };
  const lines = [
    { id: 1, ...asked },
    { id: 2, ...asked, ratio: 4 },
  ];
  const [first, warm] = await checkBatch(lines);
  const rowsOf = (answer: Answer | undefined) => answer?.tokens?.computed ?? Number.NaN;
  assert.equal(rowsOf(warm), (warm?.tokens?.prefix ?? 0) + (warm?.targetTokens ?? 0) - 1);
  assert.equal(warm?.tokens?.reused, 4 + (warm?.tokens?.contextAfter ?? 0));
  assert.ok(rowsOf(first) > rowsOf(warm) + 2 * (first?.tokens?.contextBefore ?? 0));
  assert.ok((first?.ms?.compress ?? 0) > 0);
  const [, cold] = await checkBatch(lines, "smollm2-135m", ["--cold"]);
  assert.equal(rowsOf(cold), rowsOf(first));
  assert.ok(Math.abs((cold?.nll ?? 0) - (warm?.nll ?? 9)) < 1e-3);
});

test("op complete takes memories, demonstrations and alignment together", async () => {
  const asked = {
    ...{ op: "complete", prefix: "area = rectangle_ar", context: [shapes], maxTokens: 8 },
    ...{ demonstrations: [{ text: "side = 3" }, { text: "width = 4" }], stop: ["\n"] },
  };
  const [kept, budget, raw] = await checkBatch([
    { id: 1, ...asked, memory: "kept", ratio: 4, alignment: "exact" },
    { id: 2, ...asked, memory: "kept", contextBudget: 9, select: 1, alignment: "token" },
    { id: 3, ...asked, memory: "raw", contextBudget: 12 },
  ]);
  assert.match(kept?.text ?? "", /^ea\(/);
  assert.equal(budget?.tokens?.contextAfter, 9);
  assert.equal(raw?.tokens?.contextAfter, 12);
  assert.deepEqual([kept?.error, budget?.error, raw?.error], [undefined, undefined, undefined]);
});

test("embedded memories of an adapter's file stand in fewer positions, and serve later requests", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "pith-adapter-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "random.safetensors");
  const { sourceSha256: sha256, hyperparameters } = await preparedModel("smollm2-135m", "lossless");
  await writeFile(
    file,
    randomAdapter({ ...hyperparameters, sha256 }, { type: "F16", scale: 0.1, rank: 4 }),
  );
  const asked = { ...needed, memory: "embedded", ratio: 4 };
  const lines = [
    { id: 1, ...asked },
    { id: 2, ...asked, ratio: 8 },
    { id: 3, ...asked, conditional: true },
    { id: 4, ...asked },
  ];
  const [first, warm, asking, again] = await checkBatch(lines, "smollm2-135m", ["--adapter", file]);
  const before = first?.tokens?.contextBefore ?? Number.NaN;
  assert.equal(first?.tokens?.contextAfter, Math.ceil(before / 4) + 1);
  assert.equal(first?.tokens?.reused, 4 + Math.ceil(before / 4) + 1);
  assert.ok((first?.tokens?.computed ?? 0) > before);
  const own = (warm?.tokens?.prefix ?? 0) + (warm?.targetTokens ?? 0) - 1;
  assert.equal(warm?.tokens?.computed, Math.ceil(before / 8) + 1 + own);
  assert.notEqual(asking?.nll, first?.nll);
  assert.equal(again?.nll, first?.nll);
  const [refused] = await checkBatch(lines.slice(0, 1), "qwen2.5-coder-0.5b", ["--adapter", file]);
  assert.equal(refused?.error?.kind, "unsupported");
  assert.match(
    refused?.error?.message ?? "",
    new RegExp(`SHA-256 ${sha256}, the model has [0-9a-f]{64}`),
  );
});

test("the adapter of the checkout serves the model of the catalogue, not another file", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "pith-adapter-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const lines = [{ id: 1, ...needed, memory: "embedded", ratio: 4 }];
  const file = "sidecar/adapters/smollm2-135m/uni-plus-pool.safetensors";
  const [found] = await checkBatch(lines, "smollm2-135m");
  const [named] = await checkBatch(lines, "smollm2-135m", ["--adapter", file]);
  assert.equal(found?.nll, named?.nll);
  assert.equal(
    found?.tokens?.contextAfter,
    Math.ceil((found?.tokens?.contextBefore ?? Number.NaN) / 4) + 1,
  );
  const elsewhere = join(folder, "model.gguf");
  await symlink(await realWeights("smollm2-135m"), elsewhere);
  const both = [...lines, { id: 2, ...needed, op: "select", memory: "embedded" }];
  for (const refused of await checkBatch(both, elsewhere)) {
    assert.equal(refused.error?.kind, "unsupported");
    assert.match(
      refused.error?.message ?? "",
      /model\.gguf has no adapter; put one at .*model\.safetensors or, .* name it with --adapter/,
    );
  }
});

test("a long prefix is compressed where a layout says so", async () => {
  const prefix = `${"def scale(value):\n    return value * 2\n\n".repeat(60)}print(`;
  const asked = {
    op: "score",
    path: "a.py",
    prefix,
    target: "scale(2))",
    memory: "kept",
    ratio: 8,
  };
  const [whole, ...split] = await checkBatch([
    { id: 0, ...asked },
    ...["former", "latter", "concatenated"].map((layout) => ({ id: layout, ...asked, layout })),
  ]);
  const length = whole?.tokens?.prefix ?? Number.NaN;
  assert.ok(length > 600);
  for (const { id, nll, tokens } of split) {
    const { prefix: near = 0, contextBefore = 0, contextAfter = 0, reused } = tokens ?? {};
    // The header is not counted on its own; line ends are tokens that two parts may share.
    assert.ok(Math.abs(near + contextBefore - length) < 16, `${id}: ${near}, ${contextBefore}`);
    assert.ok(contextAfter >= contextBefore / 8 && contextAfter < contextBefore / 6, `${id}`);
    assert.ok((reused ?? 0) >= 4 + contextAfter);
    assert.ok(nll !== undefined && Number.isFinite(nll));
  }
});

test("op select ranks spans and demonstrations by what the code needs, without the model", async () => {
  const context = [
    { path: "src/noise.ts", text: "export function paintWall(colour: string): void {}\n" },
    {
      path: "src/shapes.ts",
      text: "export function rectangleArea(a: number): number { return a; }\n",
    },
    { text: "nothing of the kind" },
  ];
  const demonstrations = [{ text: "unrelated words" }, { text: "const area = rectangleArea(3);" }];
  const asked = {
    ...{ op: "select", path: "src/main.ts", context, demonstrations },
    prefix: 'import { rectangleArea } from "./shapes";\n\nconst field = rectangleArea(',
  };
  const [all, one, none, budget] = await checkBatch([
    { id: 1, ...asked },
    { id: 2, ...asked, select: 1, memory: "kept", ratio: 8 },
    { id: 3, ...asked, context: [], demonstrations: [] },
    { id: 4, ...asked, contextBudget: 20 },
  ]);
  const order = all?.selected?.map(({ kind, index }) => `${kind} ${index}`) ?? [];
  assert.deepEqual(order.slice(0, 2), ["span 1", "demonstration 1"]);
  assert.deepEqual([...order].sort(), [
    ...["demonstration 0", "demonstration 1", "span 0", "span 1", "span 2"],
  ]);
  const scores = all?.selected?.map(({ score }) => score) ?? [];
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  const shown = one?.selected?.filter(({ kind }) => kind === "demonstration");
  assert.deepEqual(
    shown?.map(({ index }) => index),
    [1],
  );
  const positionsOf = (answer: Answer | undefined) =>
    answer?.selected?.map(({ positions }) => positions) ?? [];
  const [whole = 0] = positionsOf(all);
  assert.equal(positionsOf(one)[0], Math.ceil(whole / 8));
  assert.deepEqual(positionsOf(budget).slice(0, 2), [Math.min(whole, 20), Math.max(0, 20 - whole)]);
  assert.deepEqual(none?.selected, []);
  assert.equal(all?.tokens?.computed, 0);
});
