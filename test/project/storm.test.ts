// The project under everything at once: settings, edits, pauses, purges, compressing and looking in
// random order and at the same time, over an engine that is slow and fails. Whatever comes, every call
// settles, nothing goes wrong behind anyone's back, and afterwards the project is as good as new.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Bank } from "../../sidecar/bank/bank.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import { createRandom } from "../../sidecar/engine/random.ts";
import { CancelledError } from "../../sidecar/errors.ts";
import type { ProjectSettings } from "../../sidecar/project/request.ts";
import { holdEngine } from "../support/held-engine.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { openWindow, type TinyWindow } from "./tiny-window.ts";

const seeds = [1, 2, 3, 4, 5, 6];
const steps = 70;
const madeToFail = "engine: made to fail";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const here = 'import { a } from "./a.ts";\n\nconst total = a(';
const textOf = (name: string, number: number) =>
  `export function ${name}(one: number): number {\n  return one + ${number};\n}\n`;
const names = ["a", "b", "c", "d"];
const files = {
  ".git/HEAD": "",
  "here.ts": here,
  ...Object.fromEntries(names.map((name) => [`${name}.ts`, textOf(name, 1)])),
};

/** Numbers from 0 up to `count`, the end exclusive. */
type Draw = (count: number) => number;

/** Takes some turns of the event loop for every run, and fails in one of `failsIn`; 0: never. */
function slow(engine: Engine, draw: Draw, fate: { failsIn: number }): Engine {
  return holdEngine(engine, async () => {
    for (let turns = draw(4); turns > 0; turns -= 1) await nextTurn();
    if (fate.failsIn > 0 && draw(fate.failsIn) === 0) throw new Error(madeToFail);
  });
}

/** One of the things that may happen; undefined: nothing to wait for. */
function step({ project, settings }: TinyWindow, draw: Draw): Promise<unknown> | undefined {
  const folder = settings.folders[0] ?? "";
  const file = join(folder, `${names[draw(names.length)]}.ts`);
  const range = { startLine: 0, endLine: 3 };
  const signal = draw(3) === 0 ? AbortSignal.timeout(draw(20)) : undefined;
  const options = { onActivity: () => {}, signal };
  const text = textOf("edited", draw(5));
  const cursor = { file: join(folder, "here.ts"), languageId: "", prefix: here, suffix: "" };
  switch (draw(9)) {
    case 0:
      project.configure(otherSettings(settings, draw));
      return undefined;
    case 1:
      return project.note({ edits: [{ file, text: draw(2) === 0 ? text : null }], touched: [] });
    case 2:
      return writeFile(file, text).then(() => project.note({ edits: [], touched: [file] }));
    case 3:
      return project.purge();
    case 4:
      return project.compress([{ file }], options);
    case 5:
      return project.keptTexts([{ file, range }], options);
    case 6:
      return draw(4) === 0 ? project.dispose() : project.bankFacts();
    default:
      return project.work({ edits: [], touched: [], cursor }, options);
  }
}

function otherSettings(settings: ProjectSettings, draw: Draw): ProjectSettings {
  return {
    ...settings,
    form: (["kept", "embedded", "raw"] as const)[draw(3)] ?? "kept",
    budget: 20 + draw(3) * 30,
    exclude: draw(3) === 0 ? ["b.ts"] : [],
    bankLimit: [1e8, 2e8, 0][draw(3)] ?? 0,
    isEnabled: draw(5) > 0,
  };
}

/** What a pause under plain settings lays in front, in its numbers; equally good ones in any order. */
async function plainMemories({ project, settings }: TinyWindow): Promise<unknown[]> {
  project.configure({ ...settings, budget: 1_000 });
  const file = join(settings.folders[0] ?? "", "here.ts");
  const edits = names.map((name) => ({ file: join(file, `../${name}.ts`), text: null }));
  const touched = edits.map((each) => each.file);
  const cursor = { file, languageId: "", prefix: here, suffix: "" };
  await project.work({ edits, touched, cursor }, { onActivity: () => {} });
  const blocks = project.laidFor(file).blocks.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return blocks.map(({ key, open }) => [key, open()]);
}

async function bankedIn(folder: string): Promise<number> {
  const bank = await Bank.open(folder, { cap: 1e8 });
  const { length } = await bank.list();
  await bank.close();
  return length;
}

async function runStorm(context: TestContext, seed: number): Promise<void> {
  const random = createRandom(seed);
  const draw: Draw = (count) => Math.floor(random() * count);
  const place = {
    folder: await scratchFolder(context, files),
    bank: await scratchFolder(context, {}),
  };
  const fate = { failsIn: 12 };
  const window = openWindow(context, { ...tiny, engine: slow(tiny.engine, draw, fate) }, place);
  const calls: Promise<unknown>[] = [];
  for (let count = 0; count < steps; count += 1) {
    const call = step(window, draw);
    if (call !== undefined) calls.push(call);
    call?.catch(() => {}); // Looked at below.
    for (let turns = draw(12); turns > 0; turns -= 1) await nextTurn();
  }
  const isExpected = (error: unknown) =>
    error instanceof CancelledError || `${error}`.includes(madeToFail);
  for (const end of await Promise.allSettled(calls))
    assert.ok(
      end.status === "fulfilled" || isExpected(end.reason),
      `${(end as { reason: Error }).reason?.stack}`,
    );
  fate.failsIn = 0;
  await window.project.purge();
  await window.project.bankFacts();
  assert.equal(await bankedIn(place.bank), 0, "a purge leaves nothing");
  const found = await plainMemories(window);
  const fresh = openWindow(context, tiny, { ...place, bank: await scratchFolder(context, {}) });
  const expected = await plainMemories(fresh);
  assert.ok(expected.length > 1);
  assert.deepEqual(found, expected);
  await window.project.dispose();
  assert.ok((await bankedIn(place.bank)) > 0, "the bank serves again");
  assert.deepEqual(
    window.failures.filter((each) => !each.includes(madeToFail)),
    [],
  );
}

for (const seed of seeds)
  test(`after a storm the project is as good as new: seed ${seed}`, {
    timeout: 60_000,
  }, async (context) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      await runStorm(context, seed);
      await nextTurn();
    } finally {
      process.off("unhandledRejection", note);
    }
    assert.deepEqual(unhandled, []);
  });
