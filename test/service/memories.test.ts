// What an answer says of the memories in front of it.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openModel } from "../../sidecar/service.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

const text = 'import { ringOf } from "./ring.ts";\n\nconst total = ringOf(';

async function open(context: TestContext) {
  const ring = "export function ringOf(thing: string): string {\n  return thing;\n}\n";
  const folder = await scratchFolder(context, { ".git/HEAD": "", "ring.ts": ring, "a.ts": text });
  const home = await scratchFolder(context, {});
  const model = join(home, "tiny.gguf");
  await writeFile(model, makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes);
  const opened = await openModel({ model, home, threads: 1 });
  assert.ok(opened !== null);
  context.after(() => opened.dispose());
  const settings = { folders: [folder], exclude: [], budget: 200, bankLimit: 1e8 };
  opened.project.configure({ ...settings, isEnabled: true, form: "kept" as const });
  const file = join(folder, "a.ts");
  const cursor = { file, languageId: "typescript", prefix: text, suffix: "" };
  await opened.work({ edits: [], touched: [], cursor }, { onActivity: () => {} });
  const document = { ...cursor, path: "a.ts", multiline: "never", alignment: "off" } as const;
  return { opened, document, settings };
}

test("an answer names the memories that it had, though others are laid meanwhile", async (context) => {
  const { opened, document, settings } = await open(context);
  const answering = opened.completeInline(document);
  await nextTurn();
  opened.project.configure({ ...settings, isEnabled: false, form: "kept" as const });
  const { memories, tokens } = await answering;
  assert.ok(tokens.contextAfter > 0);
  const positions = memories.reduce((sum, each) => sum + each.positions, 0);
  assert.equal(positions, tokens.contextAfter);
});

test("copying memories takes time of its own, in the completion that copies them", async (context) => {
  const { opened, document } = await open(context);
  const { ms: first } = await opened.completeInline(document);
  const { ms: second } = await opened.completeInline(document);
  assert.ok(first.attach > 0);
  assert.equal(second.attach, 0);
  for (const { plan, attach, prefill, decode, total } of [first, second]) {
    assert.ok(prefill > 0);
    assert.ok(Math.abs(plan + attach + prefill + decode - total) < 1e-6);
  }
});
