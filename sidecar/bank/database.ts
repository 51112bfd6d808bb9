// The file under the bank: an LMDB environment with its tables. A commit is on the disk before it
// counts (no overlapping sync), so what is checked at the next start is what was committed.
// Processes open, close and delete it one after another: the last to close destroys the mutexes that
// it shares with one that is opening, which would end that one by an abort inside LMDB.
import { existsSync } from "node:fs";
import { chmod, mkdir, open as openFile, readdir, rm } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { open, type RootDatabase, type Database as Table } from "lmdb";
import { CancelledError, FormatError } from "../errors.ts";
import { unfinished, withLock } from "../lock.ts";
import { checkPages, pageLength } from "./check-pages.ts";

export const fileName = "memories.mdb";

type Bytes = Table<Buffer, Buffer>;

export interface Database {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** key [32] -> frame { header, payload } */
  readonly payloads: Bytes;
  /** key [32] -> frame: record.ts */
  readonly records: Bytes;
  /** key [32] -> time of the last use f64, cost f64, space [8], SHA-256 of the path [32] */
  readonly entries: Bytes;
  /** space [8], key [32] -> sign bits u32 */
  readonly signs: Bytes;
  /** SHA-256 of the path [32], key [32] -> startLine u32, endLine u32 */
  readonly places: Bytes;
  /** "bytes", "generation" -> f64 */
  readonly meta: Bytes;
}

const lockName = "opening.lock";
/** Opening takes milliseconds, and a second where a gigabyte is checked: who is longer has stopped. */
const patienceMs = 10_000;
/** More than LMDB writes to begin with, as a file it does not survive. */
const firstRoom = 65_536;

/**
 * Makes the folder (mode 700) and the file (mode 600) where they are missing. A file that is no
 * database, or has a damaged page, is deleted and made anew; `onDamage` is told.
 *
 * @throws Error where the disk is full or the files may not be written, and what is there stays; where
 * another process has been opening them for long
 */
export async function openDatabase(
  folder: string,
  onDamage: (error: FormatError) => void,
): Promise<Database> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return exclusively(folder, async () => {
    try {
      return await openChecked(folder);
    } catch (cause) {
      if (isRefusal(cause)) throw cause;
      // A bank is a cache of what the sources say: to begin again loses time, nothing else.
      const problem = cause instanceof Error ? cause.message : String(cause);
      onDamage(
        new FormatError(`bank: ${fileName} is unreadable and made anew: ${problem}`, { cause }),
      );
      await deleteFiles(folder);
      return await openChecked(folder);
    }
  });
}

/**
 * Never fails. While another process does not come to an end of opening, the files stay open until
 * this one ends: it would not survive a close.
 */
export async function closeDatabase(folder: string, { root }: Database): Promise<void> {
  await exclusively(folder, () => root.close()).catch(() => {});
}

/** For other processes that have it open it is gone at their next call. */
export async function deleteDatabase(folder: string, { root }: Database): Promise<void> {
  await exclusively(folder, async () => {
    await root.close();
    await deleteFiles(folder);
  });
}

/**
 * Without the lock where none can be had: in a folder that is gone, which holds nothing that others
 * could open, and on a disk that is full, which a purge may be about to empty.
 */
async function exclusively<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (!existsSync(folder)) return await work();
  let isHeld = false;
  const signal = AbortSignal.timeout(patienceMs);
  const holding = withLock(join(folder, lockName), { signal }, () => {
    isHeld = true;
    return work();
  });
  return await holding.catch((error: unknown) => {
    if (isHeld) throw error;
    if (!(error instanceof CancelledError)) return work();
    throw new Error(`bank: another process has kept ${lockName} for ${patienceMs / 1000} seconds`);
  });
}

async function deleteFiles(folder: string): Promise<void> {
  const isLeft = (name: string) => name.startsWith(lockName) && name.endsWith(unfinished);
  const left = (await readdir(folder)).filter(isLeft);
  for (const name of [fileName, `${fileName}-lock`, ...left])
    await rm(join(folder, name), { force: true });
}

/** Whether it is the system that said no, and nothing is known to be wrong with the file. */
function isRefusal(error: unknown): boolean {
  const { errno } = constants;
  const { code } = error as { code?: unknown };
  // Node names the system's errors, LMDB has their numbers and its own below zero.
  const number = typeof code === "string" ? errno[code as keyof typeof errno] : code;
  return refusals.some((name) => errno[name] === number);
}

const refusals = [
  ...(["ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM"] as const),
  ...(["EMFILE", "ENFILE", "ENOMEM"] as const),
];

async function openChecked(folder: string): Promise<Database> {
  const path = join(folder, fileName);
  for (const file of [path, `${path}-lock`]) await claim(file);
  checkPages(path);
  const encodings = { encoding: "binary", keyEncoding: "binary" } as const;
  const shape = { noSubdir: true, maxDbs: 8, pageSize: pageLength, overlappingSync: false };
  const root: RootDatabase<Buffer, Buffer> = open({ path, ...shape, ...encodings });
  const table = (name: string): Bytes => root.openDB({ name, ...encodings });
  try {
    return {
      root,
      payloads: table("payloads"),
      records: table("records"),
      entries: table("entries"),
      signs: table("signs"),
      places: table("places"),
      meta: table("meta"),
    };
  } catch (error) {
    await root.close();
    throw error;
  }
}

/**
 * Made before LMDB makes it, which lets the whole machine read, and ends the process where there is no
 * room for its beginning.
 */
async function claim(file: string): Promise<void> {
  const handle = await openFile(file, "a", 0o600);
  try {
    await handle.chmod(0o600);
    if ((await handle.stat()).size > 0) return;
    try {
      await handle.appendFile(Buffer.alloc(firstRoom));
    } finally {
      await handle.truncate(0);
    }
  } finally {
    await handle.close();
  }
}
