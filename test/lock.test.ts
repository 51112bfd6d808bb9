import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { threadId } from "node:worker_threads";
import { CancelledError } from "../sidecar/errors.ts";
import { LockWatch, tryLock, withLock } from "../sidecar/lock.ts";
import { scratchFolder } from "./catalogue/scratch-store.ts";

/** The number of a process that has ended. */
function endedProcess(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

test("callers run one after another, and the lock is gone afterwards", async (context) => {
  const folder = await scratchFolder(context);
  let inside = 0;
  const work = async (): Promise<void> => {
    inside++;
    assert.equal(inside, 1);
    await new Promise((waited) => setTimeout(waited, 20));
    inside--;
  };
  const lockFile = join(folder, "lock");
  await Promise.all([1, 2, 3].map(() => withLock(lockFile, {}, work)));
  assert.deepEqual(await readdir(folder), []);
});

test("a failure inside frees the lock", async (context) => {
  const lockFile = join(await scratchFolder(context), "lock");
  const failing = withLock(lockFile, {}, () => Promise.reject(new Error("inside")));
  await assert.rejects(failing, /inside/);
  assert.equal(await withLock(lockFile, {}, async () => "free"), "free");
});

test("who waits can be cancelled, and is told that it waits", async (context) => {
  const lockFile = join(await scratchFolder(context), "lock");
  const held = await tryLock(lockFile);
  let waits = 0;
  const waiting = withLock(
    lockFile,
    { signal: AbortSignal.timeout(100), onWait: () => void waits++ },
    async () => assert.fail("the lock is held"),
  );
  await assert.rejects(waiting, CancelledError);
  assert.ok(waits > 0);
  await held?.release();
});

const gone: [string, () => object][] = [
  ["whose process has ended", () => ({ pid: endedProcess() })],
  ["whose process number was given away again", () => ({ pid: process.pid, start: "1" })],
  ["that its thread could not remove", () => ({ pid: process.pid, thread: threadId })],
];
for (const [label, lock] of gone)
  test(`a lock ${label} is taken over at once`, async (context) => {
    const lockFile = join(await scratchFolder(context), "lock");
    await writeFile(lockFile, JSON.stringify({ ...lock(), host: hostname(), token: "old" }));
    assert.notEqual(await tryLock(lockFile), null);
  });

const unknown: [string, string][] = [
  ["of another machine", JSON.stringify({ pid: 1, host: "elsewhere", token: "t" })],
  [
    "of a machine of this name",
    JSON.stringify({ pid: 1, host: hostname(), machine: "m", token: "t" }),
  ],
  [
    "of another thread of this process",
    JSON.stringify({ pid: process.pid, host: hostname(), thread: threadId + 1, token: "t" }),
  ],
  ["half written", '{"pid": 1'],
];
for (const [label, text] of unknown)
  test(`a lock ${label} is taken over after 30 seconds of looks at it untouched`, async (context) => {
    const folder = await scratchFolder(context);
    const lockFile = join(folder, "lock");
    const hourAgo = Date.now() / 1000 - 3600;
    await writeFile(lockFile, text);
    await utimes(lockFile, hourAgo, hourAgo);
    let now = 0;
    context.mock.method(performance, "now", () => now);
    const watch = new LockWatch();
    const look = async (ms: number) => {
      now += ms;
      return await tryLock(lockFile, watch);
    };
    for (let ms = 0; ms < 20_000; ms += 1000) assert.equal(await look(1000), null);
    // A machine that slept for an hour saw nothing of it.
    assert.equal(await look(3_600_000), null);
    await utimes(lockFile, hourAgo + 2, hourAgo + 2);
    for (let ms = 0; ms <= 29_500; ms += 500) assert.equal(await look(500), null, `${ms}`);
    const lock = await look(1000);
    assert.notEqual(lock, null);
    await lock?.release();
    assert.deepEqual(await readdir(folder), []);
  });

const fresh: [string, string][] = [
  ["of a living process", JSON.stringify({ pid: process.pid, host: hostname(), token: "t" })],
  ["of another machine", JSON.stringify({ pid: endedProcess(), host: "elsewhere", token: "t" })],
  ["that is being written", ""],
];
for (const [label, text] of fresh)
  test(`a fresh lock ${label} is respected`, async (context) => {
    const lockFile = join(await scratchFolder(context), "lock");
    await writeFile(lockFile, text);
    assert.equal(await tryLock(lockFile), null);
    assert.equal(await tryLock(lockFile), null);
  });

test("a lock that was taken away is not removed from its new owner", async (context) => {
  const folder = await scratchFolder(context);
  const lockFile = join(folder, "lock");
  const old = await tryLock(lockFile);
  await writeFile(lockFile, JSON.stringify({ pid: process.pid, host: hostname(), token: "new" }));
  await old?.release();
  assert.deepEqual(await readdir(folder), ["lock"]);
});

test("a lock of a living process is respected, however long ago it was touched", async (context) => {
  const lockFile = join(await scratchFolder(context), "lock");
  const held = await tryLock(lockFile);
  await utimes(lockFile, 1, 1);
  assert.equal(await tryLock(lockFile), null);
  assert.equal(await tryLock(lockFile), null);
  await held?.release();
});

test("who lost its lock is told, and begins anew behind the one that took it", async (context) => {
  const folder = await scratchFolder(context);
  const lockFile = join(folder, "lock");
  context.mock.timers.enable({ apis: ["setInterval"] });
  let runs = 0;
  const result = withLock(lockFile, {}, async (lost) => {
    runs += 1;
    if (runs === 2) return "done";
    const ofOther = { pid: 1, host: "elsewhere", token: "theirs" };
    await writeFile(join(folder, "theirs"), JSON.stringify(ofOther));
    await rename(join(folder, "theirs"), lockFile);
    const told = once(lost, "abort");
    context.mock.timers.tick(2_000);
    await told;
    context.mock.timers.reset();
    setTimeout(() => void rm(lockFile), 100);
    throw new Error("broken off");
  });
  assert.equal(await result, "done");
  assert.deepEqual(await readdir(folder), []);
});

test("a failed release leaves nothing that its thread waits for", async (context) => {
  const lockFile = join(await scratchFolder(context), "lock");
  const held = await tryLock(lockFile);
  const text = await readFile(lockFile, "utf8");
  await held?.release();
  await writeFile(lockFile, text);
  assert.notEqual(await tryLock(lockFile), null);
});
