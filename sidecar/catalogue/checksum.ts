// SHA-256 of files, remembered. In: a file. Out: its checksum, read anew only when size or time of
// change differ from those of the last reading, so that a verified model costs nothing at a start.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { throwIfCancelled } from "../errors.ts";
import type { Home } from "./home.ts";

export interface ChecksumOptions {
  signal?: AbortSignal | undefined;
  /** Bytes read so far, of all. */
  onProgress?: ((bytes: number, total: number) => void) | undefined;
}

interface ChecksumRecord {
  file: string;
  byteLength: number;
  mtimeMs: number;
  sha256: string;
}

/** The checksum of a file as it is now, from memory when the file has not changed. */
export async function checksumOf(
  home: Home,
  file: string,
  options: ChecksumOptions = {},
): Promise<string> {
  const known = await readRecord(home, file);
  const { size, mtimeMs } = await stat(file);
  if (known?.file === file && known.byteLength === size && known.mtimeMs === mtimeMs)
    return known.sha256;
  return readChecksum(home, file, options);
}

/** Reads the whole file, whatever is remembered, and remembers the result. */
export async function readChecksum(
  home: Home,
  file: string,
  options: ChecksumOptions = {},
): Promise<string> {
  const before = await stat(file);
  const sha256 = await hashFile(file, before.size, options);
  const after = await stat(file);
  // A file that changed meanwhile has no checksum worth remembering.
  if (after.mtimeMs === before.mtimeMs && after.size === before.size)
    await rememberChecksum(home, file, sha256);
  return sha256;
}

/** For a file whose checksum was read under another name. Where it cannot be kept it is read again. */
export async function rememberChecksum(home: Home, file: string, sha256: string): Promise<void> {
  const { size, mtimeMs } = await stat(file);
  await writeRecord(home, { file, byteLength: size, mtimeMs, sha256 }).catch(() => {});
}

export async function forgetChecksum(home: Home, file: string): Promise<void> {
  await rm(recordFile(home, file), { force: true });
}

async function hashFile(file: string, total: number, options: ChecksumOptions): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    throwIfCancelled(options.signal);
    hash.update(chunk);
    bytes += chunk.length;
    options.onProgress?.(bytes, total);
  }
  return hash.digest("hex");
}

async function readRecord(home: Home, file: string): Promise<ChecksumRecord | null> {
  try {
    return JSON.parse(await readFile(recordFile(home, file), "utf8"));
  } catch {
    return null; // Absent or damaged: the file is read again.
  }
}

/** Written aside and renamed, since two processes may remember the same file at once. */
async function writeRecord(home: Home, record: ChecksumRecord): Promise<void> {
  const target = recordFile(home, record.file);
  const aside = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await mkdir(join(home.models, "checksums"), { recursive: true, mode: 0o700 });
  try {
    await writeFile(aside, JSON.stringify(record), { mode: 0o600 });
    await rename(aside, target);
  } finally {
    await rm(aside, { force: true });
  }
}

function recordFile(home: Home, file: string): string {
  const path = createHash("sha256").update(file).digest("hex").slice(0, 16);
  return join(home.models, "checksums", `${basename(file)}.${path}.json`);
}
