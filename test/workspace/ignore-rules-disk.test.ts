// How often rules ask the disk, and what holds while it does not answer.
import assert from "node:assert/strict";
import * as host from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Disk, type DiskCalls } from "../../sidecar/workspace/disk.ts";
import { IgnoreRules } from "../../sidecar/workspace/ignore-rules.ts";
import type { SkipReason } from "../../sidecar/workspace/skip-reason.ts";
import { scratchFolder } from "./scratch-folder.ts";

test("each folder is listed once and each rule file read once, and then the disk is left alone", async (context) => {
  const folder = await scratchFolder(context, {
    ".gitignore": "a\n",
    "x/.gitignore": "b\n",
    "x/y/.aiexclude": "c\n",
  });
  const calls: string[] = [];
  const disk = diskThat(async (call) => void calls.push(call));
  const rules = await IgnoreRules.open(folder, [], disk);
  const ask = async (): Promise<void> => {
    for (const path of ["a", "b", "x/a", "x/b", "x/y/a", "x/y/c", "x/y/z"])
      await rules.reasonFor(join(folder, path), "file");
  };
  calls.length = 0;
  await ask();
  assert.equal(calls.filter((call) => call === "readdir").length, 3);
  assert.equal(calls.filter((call) => call === "open").length, 3);
  calls.length = 0;
  await ask();
  assert.deepEqual(calls, []);
});

test("where the disk does not answer nothing is known, and it is asked again", async (context) => {
  const folder = await scratchFolder(context, { "x/.gitignore": "a\n", "x/y/b": "" });
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const disk = diskThat((call, path) => (call === "readdir" && path.endsWith("x") ? gate : null));
  const rules = await IgnoreRules.open(folder, [], disk);
  const ask = (path: string): Promise<SkipReason | null> =>
    rules.reasonFor(join(folder, path), "file");
  assert.equal(await ask("x/b"), "hung");
  assert.equal(await ask("x/y/b"), "hung");
  assert.equal(await ask("b"), null);
  letGo();
  while (disk.isHung(join(folder, "x"))) await new Promise(setImmediate);
  assert.equal(await ask("x/y/b"), null);
  assert.equal(await ask("x/a"), "ignored");
});

/** The host's, each call behind what it is told to wait for. */
function diskThat(wait: (call: string, path: string) => Promise<void> | null): Disk {
  const calls: DiskCalls = {
    lstat: (path) => then("lstat", path, () => host.lstat(path)),
    stat: (path) => then("stat", path, () => host.stat(path)),
    realpath: (path) => then("realpath", path, () => host.realpath(path)),
    readdir: (path, options) => then("readdir", path, () => host.readdir(path, options)),
    open: (path, flags) => then("open", path, () => host.open(path, flags)),
  };
  async function then<Answer>(
    call: string,
    path: string,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    await wait(call, path);
    return await ask();
  }
  return new Disk(calls, { answerMs: 1_000, calls: 3 });
}
