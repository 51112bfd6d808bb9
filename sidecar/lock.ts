// One process at a time, by a lock file. On one machine a lock is its holder's for as long as the
// holder lives, however long it sleeps in between; of a holder on another machine that shares the
// folder nothing can be seen but that it touches the file, and a waiter who sees that stop for long
// takes the lock over. A holder that slept through that is told, and begins anew.
import { randomBytes } from "node:crypto";
import { constants, readFileSync, readlinkSync } from "node:fs";
import { link, open, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { throwIfCancelled } from "./errors.ts";

const touchMs = 2_000;
/** Fifteen missed touches, as a waiter counts them. */
const staleMs = 30_000;
const pollMs = 200;
/** A look counts for no more: between two of them the waiter may itself have slept. */
const longestLookMs = 1_000;

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called at every look while another holds the lock; whether it is known to live. */
  onWait?: ((isAlive: boolean) => void | Promise<void>) | undefined;
}

interface Lock {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
  /** What tells machines of one name apart; only where the system says it. */
  readonly machine?: string | undefined;
  /** Of the process: a number is given away again. Only where the system says it. */
  readonly start?: string | undefined;
  readonly thread?: number | undefined;
}

/** A lock file as it was found. */
interface Found {
  /** Its token; of a file without one its number and time. */
  readonly name: string;
  readonly lock: Partial<Lock>;
  readonly touchedMs: number;
}

interface HeldLock {
  /** Fires when it was found that another holds the lock. */
  readonly lost: AbortSignal;
  /** Never fails. */
  release(): Promise<void>;
}

/** Tokens of what this thread holds. */
const held = new Set<string>();
const machine = machineName();

/**
 * Runs `work` while no other process, and no other caller in this one, runs it under the same lock.
 * When the lock was lost, which takes another machine, `work` is told by its signal; it runs once
 * more, behind the one that took the lock over, if it fails then.
 *
 * @throws CancelledError when `signal` fires while waiting.
 */
export async function withLock<T>(
  lockFile: string,
  options: LockOptions,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  for (;;) {
    const lock = await waitForLock(lockFile, options);
    try {
      return await work(lock.lost);
    } catch (error) {
      throwIfCancelled(options.signal);
      if (!lock.lost.aborted) throw error;
    } finally {
      await lock.release();
    }
  }
}

async function waitForLock(lockFile: string, { signal, onWait }: LockOptions): Promise<HeldLock> {
  const watch = new LockWatch();
  for (;;) {
    const lock = await tryLock(lockFile, watch);
    if (lock !== null) return lock;
    await onWait?.(watch.isAlive);
    await delay(pollMs, undefined, { signal }).catch(() => {});
    throwIfCancelled(signal);
  }
}

/** The lock, or null when it is held; `watch` is that of earlier looks. */
export async function tryLock(
  lockFile: string,
  watch: LockWatch = new LockWatch(),
): Promise<HeldLock | null> {
  const found = await readLock(lockFile);
  if (found !== null) {
    if (!watch.isAbandoned(lockFile, found)) return null;
    await takeAway(lockFile, found, watch);
  }
  const token = await make(lockFile);
  return token === null ? null : hold(lockFile, token);
}

/** What a waiter has seen of locks, to judge those whose holders it cannot ask for. */
export class LockWatch {
  /** Of the last lock that was looked at. */
  isAlive = false;
  readonly #seen = new Map<string, { mark: string; atMs: number; unchangedMs: number }>();

  isAbandoned(file: string, { name, lock, touchedMs }: Found): boolean {
    const state = stateOf(lock);
    const now = performance.now();
    const mark = `${name} ${touchedMs}`;
    const last = this.#seen.get(file) ?? { mark, atMs: now, unchangedMs: 0 };
    const sinceMs = Math.min(now - last.atMs, longestLookMs);
    const unchangedMs = mark === last.mark ? last.unchangedMs + sinceMs : 0;
    this.#seen.set(file, { mark, atMs: now, unchangedMs });
    this.isAlive = state === "alive" || mark !== last.mark;
    return state === "gone" || (state === "unknown" && unchangedMs >= staleMs);
  }
}

/** Whether the holder lives, where that can be known. */
function stateOf({ pid, host, token, ...lock }: Partial<Lock>): "alive" | "gone" | "unknown" {
  if (pid === undefined || host !== hostname()) return "unknown";
  if (lock.machine !== undefined && lock.machine !== machine) return "unknown";
  const start = startOf(pid);
  const isOther = start !== "" && lock.start !== undefined && lock.start !== start;
  if (start === null || isOther) return "gone";
  if (pid !== process.pid || lock.thread === undefined) return "alive";
  // Another thread of this process may have ended without a word.
  if (lock.thread !== threadId) return "unknown";
  return held.has(token ?? "") ? "alive" : "gone";
}

/**
 * Removes a lock that was found abandoned. Whoever is first to make a file that is called by the
 * lock's token may do that, and looks once more before: a lock that another took meanwhile has another
 * token. One that died over it leaves a file that is taken away in the same manner.
 */
async function takeAway(lockFile: string, { name }: Found, watch: LockWatch): Promise<void> {
  const right = `${lockFile}.${name}`;
  const token = await make(right);
  if (token === null) {
    const other = await readLock(right);
    if (other !== null && watch.isAbandoned(right, other)) await takeAway(right, other, watch);
    return;
  }
  try {
    if ((await readLock(lockFile))?.name === name) await rm(lockFile, { force: true });
  } finally {
    await hold(right, token).release();
  }
}

function hold(lockFile: string, token: string): HeldLock {
  const lost = new AbortController();
  const touching = setInterval(() => void touch(lockFile, token, lost), touchMs);
  touching.unref();
  return {
    lost: lost.signal,
    release: async () => {
      clearInterval(touching);
      // What cannot be removed is known to be nobody's: to this thread, and once it has ended to all.
      await removeOwn(lockFile, token).catch(() => {});
      held.delete(token);
    },
  };
}

async function removeOwn(lockFile: string, token: string): Promise<void> {
  if ((await readLock(lockFile))?.name === token) await rm(lockFile, { force: true });
}

async function touch(lockFile: string, token: string, lost: AbortController): Promise<void> {
  try {
    if ((await readLock(lockFile))?.name !== token) lost.abort();
    else await utimes(lockFile, new Date(), new Date());
  } catch {
    // The folder cannot be reached: whose the lock is will be seen when it can.
  }
}

/** A lock file of this thread, whole from the moment on at which it is there; null where there is one. */
async function make(file: string): Promise<string | null> {
  const token = randomBytes(8).toString("hex");
  const { pid } = process;
  const start = startOf(pid) ?? undefined;
  const lock: Lock = { pid, host: hostname(), token, machine, start, thread: threadId };
  held.add(token);
  try {
    if (await writeExclusively(file, JSON.stringify(lock), token)) return token;
  } catch (error) {
    held.delete(token);
    throw error;
  }
  held.delete(token);
  return null;
}

async function writeExclusively(file: string, text: string, token: string): Promise<boolean> {
  const whole = `${file}.${token}${unfinished}`;
  try {
    await writeFile(whole, text, { flag: "wx", mode: 0o600 });
    await link(whole, file);
    return true;
  } catch (error) {
    const { code = "", syscall } = error as NodeJS.ErrnoException;
    const isSweptAway = code === "ENOENT" && syscall === "link";
    if (code === "EEXIST" || isSweptAway) return false;
    if (!linkless.has(code)) throw error;
    return await writeUnlinked(file, text);
  } finally {
    await rm(whole, { force: true });
  }
}

/** The ending of a lock's name until it is written; who dies over that leaves one. */
export const unfinished = ".new";

/** What file systems say that have no second names for a file. */
const linkless = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

async function writeUnlinked(file: string, text: string): Promise<boolean> {
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

/** null: there is none. @throws Error for what is no file, or may not be read */
async function readLock(lockFile: string): Promise<Found | null> {
  try {
    // Of a pipe in its place nobody need be at the other end.
    const handle = await open(lockFile, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const { ino, mtimeMs } = await handle.stat();
      const lock = parseLock(await handle.readFile("utf8"));
      return { name: lock.token ?? `${ino}-${Math.round(mtimeMs)}`, lock, touchedMs: mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function parseLock(text: string): Partial<Lock> {
  try {
    const lock: Partial<Lock> | null = JSON.parse(text);
    // A token becomes part of a name.
    return /^[\w-]+$/.test(lock?.token ?? "") ? { ...lock } : {};
  } catch {
    return {}; // Half written.
  }
}

/** When a process began, as the system counts; "" where it does not say, null when it is gone. */
function startOf(pid: number): string | null {
  if (process.platform !== "linux") return isRunning(pid) ? "" : null;
  try {
    // proc_pid_stat(5): behind the name in brackets the state is field 3, the start field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const hasEnded = fields[0] === "Z" || fields[0] === "X";
    return hasEnded ? null : (fields[19] ?? "");
  } catch {
    return isRunning(pid) ? "" : null; // Hidden from us, or gone.
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Of one start of one kernel, and what of its processes can be seen from here. */
function machineName(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined; // Only Linux has it.
  }
}
