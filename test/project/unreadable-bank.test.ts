// A bank that cannot be read, in part or at all: told once, and made up for by encoding again.
import assert from "node:assert/strict";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { Bank } from "../../sidecar/bank/bank.ts";
import { fileName } from "../../sidecar/bank/database.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { Project } from "../../sidecar/project/project.ts";
import { cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const here = "const total = one() + two(";
const files = {
  "here.ts": here,
  "one.ts": "export function one(): number {\n  return 1;\n}\n",
  "two.ts": "export function two(): number {\n  return 2;\n}\n",
};

/** A window on `folder` and `bank`; `failures` are messages. */
async function open(context: TestContext, { folder, bank }: { folder: string; bank: string }) {
  const { engine, tokenizer, loadGrams, loadAdapter } = tiny;
  const layout = readLayout(tokenizer);
  const parts = { vocabulary: tokenizer, layout, cut, loadGrams, loadAdapter };
  const memories = new Memories(engine, parts);
  const completer = new Completer(engine, tokenizer, defaults.alignment.limits, memories);
  const failures: string[] = [];
  const project = new Project({
    ...{ memories, completer, tokenizer, onFailure: (error: unknown) => failures.push(`${error}`) },
    bank: { folder: bank, model: "tiny" },
  });
  context.after(() => project.dispose());
  const settings = { folders: [folder], exclude: [], budget: 200, bankLimit: 1e8 };
  project.configure({ ...settings, isEnabled: true, form: "kept" as const });
  const cursor = { file: join(folder, "here.ts"), languageId: "", prefix: here, suffix: "" };
  /** Returns how many pieces were encoded. */
  const pause = async (touched: readonly string[] = []): Promise<number> => {
    let encoded = 0;
    const onActivity = ({ kind }: { kind: string }) => {
      if (kind === "encoding") encoded += 1;
    };
    await project.work({ edits: [], touched, cursor }, { onActivity });
    return encoded;
  };
  return { project, pause, failures, file: cursor.file };
}

test("a damaged memory is told once and encoded again", async (context) => {
  const places = { folder: await scratchFolder(context, files), bank: "" };
  places.bank = await scratchFolder(context, {});
  const first = await open(context, places);
  assert.equal(await first.pause(), 2);
  await first.project.dispose();
  await damageFirst(places.bank);
  const second = await open(context, places);
  assert.equal(await second.pause(), 1);
  assert.ok(second.project.laidFor(second.file).contextAfter > 0);
  assert.match(
    second.failures.join("\n"),
    /^FormatError: bank: payload \w+ does not have its checksum$/,
  );
  await second.project.dispose();
  const third = await open(context, places);
  assert.deepEqual([await third.pause(), third.failures], [0, []]);
});

test("a bank whose folder is gone fails once, and pauses go on", async (context) => {
  const places = { folder: await scratchFolder(context, files), bank: "" };
  places.bank = await scratchFolder(context, {});
  const { project, pause, failures, file } = await open(context, places);
  await project.bankFacts();
  await rm(places.bank, { recursive: true });
  await symlink(join(places.folder, "gone/bank"), places.bank);
  assert.equal(await pause(), 2);
  assert.ok(project.laidFor(file).contextAfter > 0);
  const rules = join(places.folder, ".aiignore");
  await writeFile(rules, "two.ts\n");
  await pause([rules]);
  const paths = project.selection.memories.map(({ path }) => path);
  assert.ok(paths.includes("one.ts") && !paths.includes("two.ts"), paths.join());
  assert.match(failures.join("\n"), /^Error: E[A-Z]+: [^\n]* mkdir [^\n]*$/);
});

/** Changes a byte in the payload of one memory. */
async function damageFirst(folder: string): Promise<void> {
  const bank = await Bank.open(folder, { cap: 1e8 });
  const [entry] = await bank.list();
  const found = await bank.get(entry?.key ?? "");
  await bank.close();
  assert.ok(found !== null);
  const file = join(folder, fileName);
  const content = await readFile(file);
  const at = content.indexOf(found.payload.subarray(0, 64));
  content[at] = (content[at] ?? 0) ^ 1;
  await writeFile(file, content);
}
