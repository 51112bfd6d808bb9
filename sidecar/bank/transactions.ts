// The changes of the bank's tables. Each function runs within one transaction and leaves the tables
// agreeing with each other: an entry is in all of them or in none.
import { createHash } from "node:crypto";
import type { Database } from "./database.ts";

/** Where the text of a memory stands: lines from 0, the end exclusive. */
export interface Place {
  readonly startLine: number;
  readonly endLine: number;
}

/** `startLine` to `endLine` (exclusive, counted before it) became `lineDelta` lines more or fewer. */
export interface Edit extends Place {
  readonly lineDelta: number;
}

export interface NewEntry {
  /** Hexadecimal digits. */
  readonly key: string;
  readonly space: string;
  readonly path: string;
  readonly place: Place;
  readonly record: Buffer;
  readonly payload: Buffer;
  readonly signBits: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface EntryFacts {
  readonly key: string;
  readonly lastUse: number;
  /** Bytes on disk, by whole pages. */
  readonly cost: number;
  readonly space: string;
  readonly pathHash: Buffer;
}

/** Once over the cap, room for some entries more is made: the search for the oldest reads all. */
const lowWater = 0.95;
const pageLength = 4096;
const [bytesKey, generationKey] = [Buffer.from("bytes"), Buffer.from("generation")];

/** What an entry takes of the cap. */
export function costOf({ record, payload }: Pick<NewEntry, "record" | "payload">): number {
  const pages = [record, payload].map(({ length }) => Math.ceil(length / pageLength));
  return pages.reduce((sum, count) => sum + count * pageLength, 0);
}

/** In place of an entry with the same key. Returns the keys that had to go for it. */
export function writeEntry(database: Database, entry: NewEntry, cap: number): string[] {
  const cost = costOf(entry);
  removeEntry(database, entry.key);
  const evicted = evictTo(database, cap - cost);
  const key = Buffer.from(entry.key, "hex");
  const [space, pathHash] = [Buffer.from(entry.space, "hex"), hashOfPath(entry.path)];
  database.payloads.put(key, entry.payload);
  database.records.put(key, entry.record);
  database.entries.put(key, encodeEntry({ ...entry, lastUse: entry.time, cost, pathHash }));
  database.signs.put(Buffer.concat([space, key]), Buffer.from(entry.signBits));
  database.places.put(Buffer.concat([pathHash, key]), encodePlace(entry.place));
  writeBytes(database, readBytes(database) + cost);
  return evicted;
}

/** Whether it was there. */
export function removeEntry(database: Database, key: string): boolean {
  const bytes = Buffer.from(key, "hex");
  const found = database.entries.get(bytes);
  if (found === undefined) return false;
  const { cost, space, pathHash } = decodeEntry(bytes, found);
  database.payloads.remove(bytes);
  database.records.remove(bytes);
  database.entries.remove(bytes);
  database.signs.remove(Buffer.concat([Buffer.from(space, "hex"), bytes]));
  database.places.remove(Buffer.concat([pathHash, bytes]));
  writeBytes(database, readBytes(database) - cost);
  return true;
}

/** Removes what was used longest ago until no more than `cap` bytes are left. */
function evictTo(database: Database, cap: number): string[] {
  let total = readBytes(database);
  if (total <= cap) return [];
  const removed: string[] = [];
  for (const { key, cost } of readEntries(database).sort((a, b) => a.lastUse - b.lastUse)) {
    if (total <= lowWater * cap) break;
    removeEntry(database, key);
    removed.push(key);
    total -= cost;
  }
  return removed;
}

/** Removes what the edit touched and moves what stands behind it. Returns the keys that went. */
export function editPlaces(database: Database, path: string, edit: Edit): string[] {
  const removed: string[] = [];
  for (const { key, place, placeKey } of readPlaces(database, path)) {
    if (isTouched(place, edit)) {
      removeEntry(database, key);
      removed.push(key);
    } else if (place.startLine >= edit.endLine && edit.lineDelta !== 0) {
      const { startLine, endLine } = place;
      const moved = { startLine: startLine + edit.lineDelta, endLine: endLine + edit.lineDelta };
      database.places.put(placeKey, encodePlace(moved));
    }
  }
  return removed;
}

export function touchEntries(database: Database, times: ReadonlyMap<string, number>): void {
  for (const [key, lastUse] of times) {
    const bytes = Buffer.from(key, "hex");
    const found = database.entries.get(bytes);
    if (found === undefined) continue;
    database.entries.put(bytes, encodeEntry({ ...decodeEntry(bytes, found), lastUse }));
  }
}

export function readEntries(database: Database): EntryFacts[] {
  return [...database.entries.getRange({})].map(({ key, value }) => decodeEntry(key, value));
}

/** Those of a file. */
export function readEntriesOf(database: Database, path: string): EntryFacts[] {
  const keys = Array.from(readPlaces(database, path), ({ key }) => Buffer.from(key, "hex"));
  return keys.flatMap((key) => {
    const found = database.entries.get(key);
    return found === undefined ? [] : decodeEntry(key, found);
  });
}

export function readPlace(database: Database, { key, pathHash }: EntryFacts): Place | null {
  const found = database.places.get(Buffer.concat([pathHash, Buffer.from(key, "hex")]));
  return found === undefined ? null : decodePlace(found);
}

/** Raised by every transaction: other processes see by it that something changed. */
export function nextGeneration(database: Database): number {
  const generation = readGeneration(database) + 1;
  database.meta.put(generationKey, encodeNumber(generation));
  return generation;
}

export function readGeneration(database: Database): number {
  return database.meta.get(generationKey)?.readDoubleLE() ?? 0;
}

/** The sum of what all entries take of the cap. */
export function readBytes(database: Database): number {
  return database.meta.get(bytesKey)?.readDoubleLE() ?? 0;
}

function writeBytes(database: Database, bytes: number): void {
  database.meta.put(bytesKey, encodeNumber(bytes));
}

/** An insertion between two lines touches only what holds both. */
function isTouched(place: Place, edit: Edit): boolean {
  if (edit.startLine === edit.endLine)
    return place.startLine < edit.startLine && edit.startLine < place.endLine;
  return place.startLine < edit.endLine && edit.startLine < place.endLine;
}

function* readPlaces(
  database: Database,
  path: string,
): Generator<{ key: string; place: Place; placeKey: Buffer }> {
  const hash = hashOfPath(path);
  const end = Buffer.concat([hash, Buffer.alloc(33, 0xff)]);
  // All at once: the loop around changes the table.
  for (const { key, value } of [...database.places.getRange({ start: hash, end })])
    yield {
      key: key.subarray(hash.length).toString("hex"),
      place: decodePlace(value),
      placeKey: Buffer.from(key),
    };
}

function hashOfPath(path: string): Buffer {
  return createHash("sha256").update(path).digest();
}

function encodePlace({ startLine, endLine }: Place): Buffer {
  return Buffer.from(Uint32Array.of(startLine, endLine).buffer);
}

function decodePlace(value: Buffer): Place {
  return { startLine: value.readUInt32LE(0), endLine: value.readUInt32LE(4) };
}

function encodeEntry(entry: Omit<EntryFacts, "key">): Buffer {
  const numbers = Float64Array.of(entry.lastUse, entry.cost);
  return Buffer.concat([
    Buffer.from(numbers.buffer),
    Buffer.from(entry.space, "hex"),
    entry.pathHash,
  ]);
}

function decodeEntry(key: Buffer, value: Buffer): EntryFacts {
  return {
    key: key.toString("hex"),
    lastUse: value.readDoubleLE(0),
    cost: value.readDoubleLE(8),
    space: value.toString("hex", 16, 24),
    pathHash: Buffer.from(value.subarray(24, 56)),
  };
}

function encodeNumber(value: number): Buffer {
  return Buffer.from(Float64Array.of(value).buffer);
}
