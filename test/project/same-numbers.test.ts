// A memory is the same numbers in the process that made it, after it went from there, and after a
// restart; and what stands in front of one file never gets in front of another.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import type { MemoryActivity } from "../../sidecar/project/request.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { openWindow, type TinyWindow, type WindowPlace } from "./tiny-window.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const here = 'import { ringOf } from "./ring.ts";\n\nconst total = ringOf(';
const files = {
  ".git/HEAD": "",
  "ring.ts": "export function ringOf(thing: string): string {\n  return thing;\n}\n",
  "other.ts": "export const other = 12;\n",
  "here.ts": here,
};
const near = { prefix: here, suffix: "", languageId: "typescript" };
const document = {
  ...{ ...near, path: "here.ts" },
  ...{ multiline: "auto" as const, alignment: "exact" as const },
};

async function scratchPlace(context: TestContext): Promise<WindowPlace> {
  const folder = await scratchFolder(context, files);
  return { folder, bank: await scratchFolder(context, {}) };
}

/** A pause in `here.ts`, or in another file; returns how many pieces were encoded. */
async function pause({ project, settings }: TinyWindow, name = "here.ts"): Promise<number> {
  let encoded = 0;
  const onActivity = ({ kind }: MemoryActivity) => {
    if (kind === "encoding") encoded += 1;
  };
  const cursor = { ...near, file: join(settings.folders[0] ?? "", name) };
  await project.work({ edits: [], touched: [], cursor }, { onActivity });
  return encoded;
}

/** Everything that stands in front, and what the model makes of it. */
async function stateOf({ project, completer, settings }: TinyWindow): Promise<object> {
  const file = join(settings.folders[0] ?? "", "here.ts");
  const laid = project.laidFor(file);
  assert.ok(laid.contextAfter > 0);
  const { text, alignment } = await completer.completeInline(document, { memories: laid });
  return { blocks: laid.blocks.map(({ key, open }) => [key, open()]), text, alignment };
}

for (const form of ["kept", "embedded", "raw"] as const)
  test(`a ${form} memory is the same where it was made, read again and after a restart`, async (context) => {
    const place = await scratchPlace(context);
    const first = openWindow(context, tiny, place);
    first.project.configure({ ...first.settings, form });
    assert.ok((await pause(first)) > 0);
    const made = await stateOf(first);
    await first.project.dispose();
    const second = openWindow(context, tiny, place);
    second.project.configure({ ...second.settings, form });
    assert.equal(await pause(second), 0);
    assert.deepEqual(await stateOf(second), made);
    assert.deepEqual([...first.failures, ...second.failures], []);
  });

test("a pause in another file leaves the prompt of the last request as it is", async (context) => {
  const window = openWindow(context, tiny, await scratchPlace(context));
  const { project, completer, settings } = window;
  await pause(window);
  const file = join(settings.folders[0] ?? "", "here.ts");
  const memories = project.laidFor(file);
  const computed = async () =>
    (await completer.completeInline(document, { memories, file })).tokens.computed;
  await computed();
  const again = await computed();
  project.configure({ ...settings, isEnabled: false });
  const before = tiny.engine.counters.positions;
  await pause(window, "other.ts");
  assert.equal(tiny.engine.counters.positions - before, 0);
  assert.equal(await computed(), again);
});
