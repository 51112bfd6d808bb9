// A file system that does not answer: it is given up, remembered, and costs no one else anything.
import assert from "node:assert/strict";
import { Dirent } from "node:fs";
import * as host from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Disk, type DiskCalls, HungError } from "../../sidecar/workspace/disk.ts";
import { scratchFolder } from "./scratch-folder.ts";

const answerMs = 10;

/** The host's calls, of which those for paths that end in `hangs` return when they are let go. */
function hanging(): DiskCalls & { letGo(): void; readonly asked: string[] } {
  const asked: string[] = [];
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const wait = async (path: string): Promise<void> => {
    asked.push(path.slice(path.lastIndexOf("/") + 1));
    if (/hangs\d?$/.test(path)) await gate;
  };
  return {
    asked,
    letGo,
    lstat: (path) => wait(path).then(() => host.lstat(path)),
    stat: (path) => wait(path).then(() => host.stat(path)),
    realpath: (path) => wait(path).then(() => host.realpath(path)),
    readdir: (path, options) => wait(path).then(() => host.readdir(path, options)),
    open: (path, flags) => wait(path).then(() => host.open(path, flags)),
  };
}

test("each kind of call is given up, and asked again when it has returned", async (context) => {
  const folder = await scratchFolder(context, { "hangs/a": "", b: "b" });
  const path = join(folder, "hangs");
  const kinds: [string, (disk: Disk) => Promise<unknown>, unknown][] = [
    ["kindOf", (disk) => disk.kindOf(path), "folder"],
    ["realPath", (disk) => disk.realPath(path), path],
    ["list", (disk) => disk.list(path), [{ name: "a", kind: "file" }]],
  ];
  for (const [label, ask, expected] of kinds) {
    const calls = hanging();
    const disk = new Disk(calls, { answerMs, calls: 3 });
    await assert.rejects(ask(disk), HungError, label);
    await assert.rejects(ask(disk), /earlier call has not returned/);
    assert.equal(calls.asked.length, 1);
    assert.equal(disk.isHung(join(path, "a")), true);
    assert.equal(disk.isHung(join(folder, "b")), false);
    calls.letGo();
    await new Promise(setImmediate);
    while (disk.isHung(path)) await new Promise(setImmediate);
    assert.deepEqual(await ask(disk), expected, label);
  }
});

test("a read that hangs is a reason, and its file is closed when it returns", async (context) => {
  const folder = await scratchFolder(context, { a: "text" });
  let isClosed = false;
  let letRead = () => {};
  const reading = new Promise<void>((resolve) => {
    letRead = resolve;
  });
  const open: DiskCalls["open"] = async (path, flags) => {
    const file = await host.open(path, flags);
    const [read, close] = [file.read.bind(file), file.close.bind(file)];
    return Object.assign(file, {
      read: (...given: Parameters<typeof read>) => reading.then(() => read(...given)),
      close: () => {
        isClosed = true;
        return close();
      },
    });
  };
  const disk = new Disk({ ...host, open }, { answerMs, calls: 3 });
  assert.deepEqual(await disk.readBytes(join(folder, "a"), 10), { skipped: "hung" });
  assert.equal(isClosed, false);
  letRead();
  while (disk.isHung(join(folder, "a"))) await new Promise(setImmediate);
  assert.equal(isClosed, true);
});

test("however often a path that hangs is asked for, it is asked for once", async (context) => {
  const folder = await scratchFolder(context, { b: "" });
  const calls = hanging();
  const disk = new Disk(calls, { answerMs, calls: 3 });
  const asked = Array.from({ length: 8 }, () => disk.kindOf(join(folder, "hangs")));
  for (const each of await Promise.allSettled(asked)) assert.equal(each.status, "rejected");
  assert.equal(calls.asked.length, 1);
  assert.equal(await disk.kindOf(join(folder, "b")), "file");
});

test("so many that hang leave one thread to others, and nothing waits for them", async (context) => {
  const folder = await scratchFolder(context, { b: "b" });
  const calls = hanging();
  const disk = new Disk(calls, { answerMs, calls: 3 });
  const asked = Array.from({ length: 8 }, (_, at) => disk.kindOf(join(folder, `hangs${at}`)));
  for (const each of await Promise.allSettled(asked)) assert.equal(each.status, "rejected");
  assert.equal(calls.asked.length, 3);
  assert.deepEqual(await disk.readBytes(join(folder, "b"), 10), { skipped: "hung" });
  calls.letGo();
  while (disk.isHung(folder)) await new Promise(setImmediate);
  assert.equal(await disk.kindOf(join(folder, "b")), "file");
});

test("an answer that lies there when the event loop comes back is in time", async (context) => {
  const folder = await scratchFolder(context, { b: "" });
  const disk = new Disk(host, { answerMs, calls: 3 });
  const asked = disk.kindOf(join(folder, "b"));
  await Promise.resolve();
  const end = performance.now() + 5 * answerMs;
  while (performance.now() < end);
  assert.equal(await asked, "file");
});

test("where a file system does not list kinds each entry is asked for its own", async (context) => {
  const folder = await scratchFolder(context, { "a/b": "", c: "" });
  const readdir = async (path: string) => {
    const names = await host.readdir(path);
    return names.map((name) => Object.assign(new UnknownDirent(), { name }));
  };
  const disk = new Disk({ ...host, readdir: readdir as DiskCalls["readdir"] });
  assert.deepEqual(await disk.list(folder), [
    { name: "a", kind: "folder" },
    { name: "c", kind: "file" },
  ]);
});

/** Of a file system that lists names alone: every `is…` says no. */
class UnknownDirent extends Dirent {}
