// What the workspace asks of the file system, so that no answer is waited for without end. In: paths.
// Out: what is there, null for nothing, or a HungError.
//
// Node runs such calls on the few threads that libuv has for the whole process, and one that hangs, on
// a network share that is gone or a file of a broken FUSE, holds its thread until it returns. So it
// is given up after a while, its path is asked for again only when it has returned, and at most all
// threads but one are held: with so many gone nothing more is asked, and the rest goes on.
import { constants, type Dirent, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isWithin } from "./is-within.ts";

/** `other`: a named pipe, a socket or a device, which nobody opens here. */
export type EntryKind = "file" | "folder" | "link" | "other";

export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
}

/** What is called of Node. */
export interface DiskCalls {
  lstat(path: string): Promise<Stats>;
  stat(path: string): Promise<Stats>;
  realpath(path: string): Promise<string>;
  readdir(path: string, options: { withFileTypes: true }): Promise<Dirent[]>;
  open(path: string, flags: number): Promise<FileHandle>;
}

/**
 * Milliseconds of one look or of the reading of one file. A disk that slept turns up within some five
 * seconds, a share answers within one; completions wait for none of it.
 */
export const answerLimitMs = 5_000;

/** Threads for file-system calls: libuv's documentation, "Thread pool work scheduling". */
const { UV_THREADPOOL_SIZE: threadCount = "4" } = process.env;

/** The file system did not answer in time, or still owes an answer about the place. */
export class HungError extends Error {
  override readonly name = "HungError";
}

/** What a file holds, or why it was not read. */
export type FileBytes =
  | { readonly bytes: Uint8Array }
  | { readonly skipped: "unreadable" | "not-a-file" | "too-large" | "hung" };

interface Limits {
  readonly answerMs: number;
  /** Calls that may be under way at once. */
  readonly calls: number;
}

export class Disk {
  readonly #calls: DiskCalls;
  readonly #limits: Limits;
  /** Paths of calls that have not returned. */
  readonly #underWay = new Set<string>();
  /** Those of them that were given up. */
  readonly #hung = new Set<string>();
  /** Called when a call returns or is given up. */
  #waiting: (() => void)[] = [];

  constructor(
    calls: DiskCalls = { lstat, stat, realpath, readdir, open },
    limits: Limits = { answerMs: answerLimitMs, calls: Math.max(1, Number(threadCount) - 1) },
  ) {
    this.#calls = calls;
    this.#limits = limits;
  }

  /** Whether the file system still owes an answer about the place, or about one that holds it. */
  isHung(path: string): boolean {
    for (const hung of this.#hung) if (isWithin(path, hung)) return true;
    return this.#hung.size >= this.#limits.calls;
  }

  /** Of a link the link itself; null for nothing. @throws HungError */
  async kindOf(path: string): Promise<EntryKind | null> {
    const found = await this.#ask(path, () => this.#calls.lstat(path));
    return found && (kindOf(found) ?? "other");
  }

  /** Where the path leads; null for nowhere. @throws HungError */
  async realPath(path: string): Promise<string | null> {
    return await this.#ask(path, () => this.#calls.realpath(path));
  }

  /** What a folder holds, in the order of names; null where it cannot be read. @throws HungError */
  async list(folder: string): Promise<Entry[] | null> {
    const found = await this.#ask(folder, () =>
      this.#calls.readdir(folder, { withFileTypes: true }),
    );
    const entries: Entry[] = [];
    for (const entry of found ?? []) {
      // Some file systems leave the kinds out of their lists.
      const kind = kindOf(entry) ?? (await this.kindOf(join(folder, entry.name)));
      if (kind !== null) entries.push({ name: entry.name, kind });
    }
    return found && entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** All of a regular file of at most `byteLimit` bytes; nothing else is opened. */
  async readBytes(path: string, byteLimit: number): Promise<FileBytes> {
    try {
      const read = await this.#ask(path, () => readWhole(path, byteLimit, this.#calls));
      return read ?? { skipped: "unreadable" };
    } catch (error) {
      if (error instanceof HungError) return { skipped: "hung" };
      throw error;
    }
  }

  /** null where the file system refuses. */
  async #ask<Answer>(path: string, call: () => Promise<Answer>): Promise<Answer | null> {
    await this.#enter(path);
    const running = call().catch(() => null);
    const returned = running.then(() => this.#leave(path));
    if (await isInTime(returned, this.#limits.answerMs)) return await running;
    this.#hung.add(path);
    this.#wake();
    throw new HungError(`${path}: no answer within ${this.#limits.answerMs} ms`);
  }

  /** One call at a time for a path, since each that hangs holds a thread. */
  async #enter(path: string): Promise<void> {
    for (;;) {
      if (this.isHung(path)) throw new HungError(`${path}: an earlier call has not returned`);
      const isFree = this.#underWay.size < this.#limits.calls && !this.#underWay.has(path);
      if (isFree) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#underWay.add(path);
  }

  #leave(path: string): void {
    this.#underWay.delete(path);
    this.#hung.delete(path);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each();
  }
}

/** The threads that it counts are those of the process, so there is one. */
export const hostDisk = new Disk();

type Kinds = Pick<
  Stats,
  | "isFile"
  | "isDirectory"
  | "isSymbolicLink"
  | "isFIFO"
  | "isSocket"
  | "isCharacterDevice"
  | "isBlockDevice"
>;

/** null: not told. */
function kindOf(found: Kinds): EntryKind | null {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "folder";
  if (found.isSymbolicLink()) return "link";
  const isDevice = found.isCharacterDevice() || found.isBlockDevice();
  return isDevice || found.isFIFO() || found.isSocket() ? "other" : null;
}

/**
 * To open a named pipe waits for its writer, and to open a device may do anything, so what it is is
 * asked before. By then it may be another: without waiting, and asked again. On Windows there is no
 * such flag, nor a pipe among files.
 */
async function readWhole(path: string, byteLimit: number, calls: DiskCalls): Promise<FileBytes> {
  if (!(await calls.stat(path)).isFile()) return { skipped: "not-a-file" };
  const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
  const file = await calls.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const found = await file.stat();
    if (!found.isFile()) return { skipped: "not-a-file" };
    if (found.size > byteLimit) return { skipped: "too-large" };
    const bytes = await readAtMost(file, found.size, byteLimit + 1);
    return bytes.length > byteLimit ? { skipped: "too-large" } : { bytes };
  } finally {
    await file.close();
  }
}

/** `size` may be less than there is: files of /proc have none, and others are being written. */
async function readAtMost(file: FileHandle, size: number, limit: number): Promise<Uint8Array> {
  let buffer = new Uint8Array(Math.min(size + 1, limit));
  let length = 0;
  for (let read = -1; read !== 0 && length < limit; length += read) {
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(2 * length + 4096, limit));
      larger.set(buffer);
      buffer = larger;
    }
    read = (await file.read(buffer, length, buffer.length - length)).bytesRead;
  }
  return buffer.subarray(0, length);
}

/** Where the event loop was blocked the answer may lie there when the time is up: one turn more. */
async function isInTime(returned: Promise<void>, limitMs: number): Promise<boolean> {
  let isReturned = false;
  const marked = returned.then(() => {
    isReturned = true;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([marked, late]);
  clearTimeout(timer);
  if (!isReturned) await nextTurn();
  return isReturned;
}
