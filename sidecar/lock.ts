// One process at a time, by a lock file. The holder touches it while it works; a lock whose process
// is gone, or which nobody has touched for long (its process number may have been given away, or
// belong to another machine that shares the folder), is taken over.
import { randomUUID } from "node:crypto";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { throwIfCancelled } from "./errors.ts";

const touchMs = 2_000;
/** Fifteen missed touches: a machine that slept in between is rarer than a process that died. */
const staleMs = 30_000;
const pollMs = 200;

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called at every look while another process holds the lock. */
  onWait?: (() => void | Promise<void>) | undefined;
}

interface Lock {
  pid: number;
  host: string;
  token: string;
}

/**
 * Runs `work` while no other process, and no other caller in this one, runs it under the same lock.
 *
 * @throws CancelledError when `signal` fires while waiting.
 */
export async function withLock<T>(
  lockFile: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  let lock = await tryLock(lockFile);
  while (lock === null) {
    await options.onWait?.();
    await delay(pollMs, undefined, { signal: options.signal }).catch(() => {});
    throwIfCancelled(options.signal);
    lock = await tryLock(lockFile);
  }
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** The lock, or null when it is held. */
export async function tryLock(lockFile: string): Promise<{ release(): Promise<void> } | null> {
  const lock: Lock = { pid: process.pid, host: hostname(), token: randomUUID() };
  if (!(await writeExclusively(lockFile, JSON.stringify(lock)))) {
    if (await isStale(lockFile)) await breakStale(lockFile);
    return null;
  }
  const touching = setInterval(() => void touch(lockFile), touchMs);
  touching.unref();
  return {
    release: async () => {
      clearInterval(touching);
      if ((await readLock(lockFile))?.token === lock.token) await rm(lockFile, { force: true });
    },
  };
}

async function writeExclusively(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    // A full disk may have made it and not taken its text: it would look like one just being written.
    await rm(file, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Between finding a lock stale and removing it, another process may have replaced it by a fresh one.
 * So the finding is made again under a lock of its own, which lives for a moment only.
 */
async function breakStale(lockFile: string): Promise<void> {
  const breaking = `${lockFile}.break`;
  if (!(await writeExclusively(breaking, ""))) {
    if ((await ageMs(breaking)) > staleMs) await rm(breaking, { force: true });
    return;
  }
  if (await isStale(lockFile)) await rm(lockFile, { force: true });
  await rm(breaking, { force: true });
}

async function isStale(lockFile: string): Promise<boolean> {
  const age = await ageMs(lockFile);
  if (age > staleMs) return true;
  const lock = await readLock(lockFile);
  // An empty file is one that is being written at this moment.
  return lock !== null && lock.host === hostname() && !isAlive(lock.pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function ageMs(file: string): Promise<number> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch {
    return 0; // Gone: the next try decides.
  }
}

async function readLock(lockFile: string): Promise<Lock | null> {
  try {
    return JSON.parse(await readFile(lockFile, "utf8"));
  } catch {
    return null; // Gone, or half written.
  }
}

async function touch(lockFile: string): Promise<void> {
  const now = new Date();
  await utimes(lockFile, now, now).catch(() => {}); // Gone: somebody broke it, `release` will see.
}
