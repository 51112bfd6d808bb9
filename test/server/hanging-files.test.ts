// A workspace with files that nobody may open and with a file system that does not answer: a real
// process, which completes, makes memories of the rest, says what was left out, and ends.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { CompressReport, Selection } from "../../sidecar/protocol.ts";
import { runPith } from "../cli/run-pith.ts";
import { realWeights } from "../support/weights.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { Editor } from "./editor.ts";

const files = {
  "src/a.py": "def one():\n    return 1\n",
  "src/b.py": "def two():\n    return 2\n",
};
const pauses = 6;

test("pipes, sockets and rule files that are pipes stand in nobody's way", async (context) => {
  const folder = await scratchFolder(context, files);
  execFileSync(
    "mkfifo",
    ["src/control.py", ".gitignore", "src/.cursorignore", "b.pith.md"].map((name) =>
      join(folder, name),
    ),
  );
  const server = createServer().listen(join(folder, "src/socket.py"));
  context.after(() => server.close());
  const editor = await openIn(context, folder);
  await checkCompletions(editor, folder);
  assert.deepEqual(await leftOut(editor, folder), [
    ...[".gitignore", "b.pith.md", "src/.cursorignore", "src/control.py", "src/socket.py"].map(
      (path) => `${path} not-a-file`,
    ),
  ]);
  assert.equal(await editor.stop(), 0);
  const home = await scratchFolder(context, {});
  const model = await realWeights("smollm2-135m");
  const outcome = await runPith(["compress", folder, "--folder", folder, "--model", model], {
    home,
  });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stdout, /2 files/);
  assert.match(outcome.stdout, /left out: src\/control\.py \(not-a-file\)/);
});

test("a folder of a file system that is silent costs its own memories", async (context) => {
  const folder = await scratchFolder(context, files);
  await mkdir(join(folder, "share"));
  const unmount = await mountSilent(join(folder, "share"));
  if (unmount === null) return context.skip("nobody may mount a file system here");
  try {
    const editor = await openIn(context, folder);
    await checkCompletions(editor, folder);
    assert.deepEqual(await leftOut(editor, folder), ["share/ hung"]);
    // Node cannot end by itself while a thread of it hangs.
    await editor.stop();
  } finally {
    await unmount(); // Before the folder is deleted, which would hang, too.
  }
});

test("a pipe, a file that hangs and 4,000 pictures together keep no source from its memories", async (context) => {
  const names = Array.from({ length: 4000 }, (_, index) => `assets/${index}.png`);
  const pictures = Object.fromEntries(names.map((name) => [name, "\x89PNG\r\n\x1a\n\0"]));
  const folder = await scratchFolder(context, { ...pictures, ...files });
  execFileSync("mkfifo", [join(folder, "src/control.py")]);
  const hanging = join(folder, "src/hanging.py");
  await writeFile(hanging, "");
  // Where nobody may mount, the others are proof enough to be worth running.
  const unmount = await mountSilent(hanging);
  try {
    const editor = await openIn(context, folder);
    await checkCompletions(editor, folder);
    const selection = await editor.request<Selection>("pith/memories/selection", undefined);
    const used = selection.memories.filter(({ positions }) => positions > 0);
    assert.deepEqual([...new Set(used.map(({ path }) => path))], ["src/b.py"]);
    const left = (await leftOut(editor, folder)).filter((each) => !each.startsWith("assets/"));
    const hung = unmount === null ? [] : ["src/hanging.py hung"];
    assert.deepEqual(left, ["src/control.py not-a-file", ...hung]);
    await editor.stop();
  } finally {
    await unmount?.();
  }
});

async function openIn(context: TestContext, folder: string): Promise<Editor> {
  const home = await scratchFolder(context, {});
  const model = await realWeights("smollm2-135m");
  const settings = { model, memories: { enable: true, budget: 512, form: "kept" as const } };
  const editor = await Editor.start({ settings, home, folder: pathToFileURL(folder).href });
  context.after(() => editor.process.kill("SIGKILL"));
  await editor.waitFor("ready");
  return editor;
}

/** At each of several pauses, with memories of the other source at the end. */
async function checkCompletions(editor: Editor, folder: string): Promise<void> {
  const uri = pathToFileURL(join(folder, "src/a.py")).href;
  const request = await editor.open(
    uri,
    "from b import two\n\ndef three():\n    return two() + $0",
  );
  for (let pause = 1; pause <= pauses; pause += 1) {
    await editor.complete(request);
    assert.notEqual((await editor.report(pause)).reason, "not-checked");
    await editor.rest();
  }
  assert.ok((await editor.report(pauses)).tokens.contextAfter > 0);
}

async function leftOut(editor: Editor, folder: string): Promise<string[]> {
  const targets = [{ uri: pathToFileURL(folder).href }];
  const report = await editor.request<CompressReport>("pith/memories/compress", {
    targets,
    token: "a",
  });
  assert.equal(report.files, 2);
  return report.skipped.map(({ path, reason }) => `${path} ${reason}`).sort();
}

/** null where that is not allowed. */
async function mountSilent(place: string): Promise<(() => Promise<void>) | null> {
  const mount = spawn("python3", ["test/support/silent-mount.py", place]);
  const said = await Promise.race([once(mount.stdout, "data"), once(mount, "close")]);
  if (!String(said[0]).startsWith("mounted")) return null;
  return async () => {
    mount.kill("SIGKILL");
    await once(mount, "close");
    execFileSync("umount", ["--lazy", place]);
  };
}
