import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CancelledError } from "../sidecar/errors.ts";
import { tryLock, withLock } from "../sidecar/lock.ts";
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

const stale: [string, () => object, number][] = [
  ["whose process has ended", () => ({ pid: endedProcess(), host: hostname() }), 0],
  ["untouched for long", () => ({ pid: process.pid, host: hostname() }), 60],
  ["of another machine, untouched for long", () => ({ pid: 1, host: "elsewhere" }), 60],
  ["half written long ago", () => ({}), 60],
];
for (const [label, lock, ageSeconds] of stale)
  test(`a lock ${label} is taken over`, async (context) => {
    const lockFile = join(await scratchFolder(context), "lock");
    await writeFile(lockFile, JSON.stringify({ ...lock(), token: "old" }));
    const time = Date.now() / 1000 - ageSeconds;
    await utimes(lockFile, time, time);
    const signal = AbortSignal.timeout(5_000);
    assert.equal(await withLock(lockFile, { signal }, async () => "taken"), "taken");
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
