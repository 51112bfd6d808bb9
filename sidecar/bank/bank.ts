// The Demonstration Bank: memories on disk, from one start to the next and for all windows of the
// editor at once. It stores what it is given and knows nothing of how memories are made. Every
// change is one LMDB transaction, so a process killed at any moment leaves the state before or after
// it. Memories are recoverable source code: the folder is its owner's alone.
import { statSync } from "node:fs";
import { join } from "node:path";
import { FormatError, LimitError } from "../errors.ts";
import {
  closeDatabase,
  type Database,
  deleteDatabase,
  fileName,
  openDatabase,
} from "./database.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { lineHashes } from "./line-hashes.ts";
import type { MemoryId } from "./memory-id.ts";
import { bytesOf, decodeRecord, encodeRecord, type MemoryRecord } from "./record.ts";
import { SignCache, type SignTable } from "./sign-cache.ts";
import {
  costOf,
  type Edit,
  editPlaces,
  type NewEntry,
  nextGeneration,
  type Place,
  readBytes,
  readEntries,
  readEntriesOf,
  readGeneration,
  readPlace,
  removeEntry,
  touchEntries,
  writeEntry,
} from "./transactions.ts";

/** What the bank keeps; the header is its maker's, and JSON. */
export interface BankedMemory {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
  /** [hidden] */
  readonly pooled: Float32Array;
  /** [ceil(hidden / 32)] */
  readonly signBits: Uint32Array;
}

export interface MemorySource extends Place {
  /** Absolute. */
  readonly path: string;
  readonly language: string;
  /** What it is a memory of, or of a part of; hashes of its lines are stored. */
  readonly text: string;
}

export interface NewMemory {
  readonly id: MemoryId;
  readonly memory: BankedMemory;
  readonly source: MemorySource;
}

/** What a file has to do with memories now. */
export interface PresentText {
  /** Whose memories are all known. */
  readonly space: string;
  readonly keys: Iterable<string>;
  /** Of memories of other spaces, which may be cut in other ways. */
  readonly texts: readonly string[];
}

export interface BankEntry extends Omit<MemorySource, "text"> {
  readonly key: string;
  readonly byteLength: number;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
}

export interface BankOptions {
  /** Bytes that all memories may take, by whole pages; the least recently used goes first. */
  readonly cap: number;
  /** Told of entries and files that were dropped because they were damaged. */
  readonly onDamage?: (error: FormatError) => void;
  /** Milliseconds since the epoch. `Date.now` unless given. */
  readonly now?: () => number;
}

export class Bank {
  readonly #folder: string;
  readonly #cap: number;
  readonly #onDamage: (error: FormatError) => void;
  readonly #now: () => number;
  #database: Database;
  #file: bigint; // the inode that is open; -1: none
  #isClosed = false;
  #generation = -1; // that the caches are of
  readonly #caches = new Map<string, SignCache>();
  readonly #touched = new Map<string, number>(); // written with the next change
  #dropping: Promise<unknown> = Promise.resolve();
  /** Opens, closes and deletes the database one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, options: BankOptions, database: Database, file: bigint) {
    this.#folder = folder;
    this.#cap = options.cap;
    this.#onDamage = options.onDamage ?? (() => {});
    this.#now = options.now ?? Date.now;
    this.#database = database;
    this.#file = file;
  }

  static async open(folder: string, options: BankOptions): Promise<Bank> {
    const database = await openDatabase(folder, options.onDamage ?? (() => {}));
    return new Bank(folder, options, database, inodeOf(folder) ?? 0n);
  }

  /** Null when it is not there. @throws FormatError when it was damaged; it is dropped. */
  async get(key: string): Promise<BankedMemory | null> {
    const database = await this.#current();
    const bytes = Buffer.from(key, "hex");
    const [payload, record] = [database.payloads.get(bytes), database.records.get(bytes)];
    if (payload === undefined || record === undefined) return null;
    this.#touched.set(key, this.#now());
    try {
      const { json: header, bytes: kept } = decodeFrame(payload, `payload ${key}`);
      const { pooled, signBits } = decodeRecord(record, `record ${key}`);
      return { header, payload: kept, pooled, signBits };
    } catch (error) {
      if (error instanceof FormatError) this.#drop(key, error);
      await this.#dropping;
      throw error;
    }
  }

  async has(key: string): Promise<boolean> {
    return (await this.#current()).entries.doesExist(Buffer.from(key, "hex"));
  }

  /** One memory: see `putAll`. */
  async put(id: MemoryId, memory: BankedMemory, source: MemorySource): Promise<void> {
    await this.putAll([{ id, memory, source }]);
  }

  /**
   * All in one change, as those of a file: on disk when the promise resolves, or none of them.
   * @throws LimitError for a memory that alone is above the cap; Error when the disk takes no more.
   */
  async putAll(memories: readonly NewMemory[]): Promise<void> {
    const entries = memories.map((each) => this.#entryOf(each));
    await this.#change(
      (database) => entries.flatMap((entry) => writeEntry(database, entry, this.#cap)),
      (evicted) => {
        // More at once than the cap holds: which of them stayed is best read.
        if (memories.some(({ id }) => evicted.includes(id.key))) this.#caches.clear();
        else
          for (const { id, memory } of memories)
            this.#caches.get(id.space)?.set(id.key, memory.signBits);
      },
    );
  }

  /** The sign bits of a space's memories, valid until the next call; null when there are none. */
  async signs(space: string): Promise<SignTable | null> {
    const database = await this.#current();
    const generation = readGeneration(database);
    if (generation !== this.#generation) this.#caches.clear();
    this.#generation = generation;
    const cache = this.#caches.get(space) ?? readSigns(database, space);
    if (cache === null) return null;
    this.#caches.set(space, cache);
    return cache;
  }

  /** For a key of the table at hand: null when it is gone, or damaged and therefore dropped. */
  pooled(key: string): Float32Array | null {
    const record = this.#database.records.get(Buffer.from(key, "hex"));
    if (record === undefined) return null;
    return this.#decodeRecord(key, record)?.pooled ?? null;
  }

  /** Drops memories whose lines were edited, and moves those behind. Returns how many went. */
  async applyEdit(path: string, edit: Edit): Promise<number> {
    return await this.#change((database) => editPlaces(database, path, edit));
  }

  /**
   * Drops of the memories of a file those of `space` that are not among `keys`, and those of other
   * spaces whose lines stand in none of `texts`. Returns how many went.
   */
  async retain(path: string, { space, keys, texts }: PresentText): Promise<number> {
    const entries = readEntriesOf(await this.#current(), path);
    const kept = new Set(keys);
    const own = entries.filter((entry) => entry.space === space && !kept.has(entry.key));
    const others = entries.filter((entry) => entry.space !== space);
    const present = others.length === 0 ? "" : texts.map(lineHashes).join("");
    const stale = [...own, ...others.filter(({ key }) => !this.#isIn(present, key))];
    await this.#dropping;
    if (stale.length === 0) return 0;
    return await this.#change((database) =>
      stale.map(({ key }) => key).filter((key) => removeEntry(database, key)),
    );
  }

  /** All entries, those used last first. */
  async list(): Promise<BankEntry[]> {
    const database = await this.#current();
    const entries = readEntries(database).sort((a, b) => b.lastUse - a.lastUse);
    const listed = entries.flatMap((facts): BankEntry[] => {
      const { key, lastUse, cost } = facts;
      const place = readPlace(database, facts);
      const frame = database.records.get(Buffer.from(key, "hex"));
      const record = frame && this.#decodeRecord(key, frame);
      if (place === null || !record) return [];
      return [
        { ...place, key, path: record.path, language: record.language, lastUse, byteLength: cost },
      ];
    });
    await this.#dropping;
    return listed;
  }

  /** What all memories take of the cap. */
  async byteLength(): Promise<number> {
    return readBytes(await this.#current());
  }

  /** Deletes every memory, the files with them; other processes begin anew with an empty bank. */
  async purge(): Promise<void> {
    const database = await this.#current();
    await this.#dropping;
    // Others that have the files open keep them until they look again: nothing is to be in them. On a
    // full disk even this cannot be written, and deleting the files is what makes room.
    await this.#change(() => clearTables(database)).catch(() => {});
    this.#caches.clear();
    await this.#inTurn(async () => {
      if (this.#isClosed) throw new Error("bank: it was closed");
      if (this.#file === -1n) return;
      await deleteDatabase(this.#folder, this.#database);
      this.#file = -1n; // None: the next call makes a new one.
    });
  }

  /** Never fails: where the times of last use cannot be written, they are lost. Nothing works after it. */
  async close(): Promise<void> {
    await this.#dropping;
    if (this.#file !== -1n && this.#touched.size > 0) await this.#change(() => []).catch(() => {});
    this.#isClosed = true;
    await this.#inTurn(() => this.#close());
  }

  /** The database that lies in the folder now: after a purge by another process it is a new one. */
  #current(): Promise<Database> {
    return this.#inTurn(async () => {
      if (this.#isClosed) throw new Error("bank: it was closed");
      const file = inodeOf(this.#folder);
      if (file !== null && file === this.#file) return this.#database;
      await this.#close();
      this.#database = await openDatabase(this.#folder, this.#onDamage);
      this.#file = inodeOf(this.#folder) ?? 0n;
      this.#caches.clear();
      this.#generation = -1;
      return this.#database;
    });
  }

  async #close(): Promise<void> {
    if (this.#file === -1n) return;
    this.#file = -1n;
    await closeDatabase(this.#folder, this.#database);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** One transaction; `work` returns the keys that went, whose number is the result. */
  async #change(
    work: (database: Database) => string[],
    added = (_removed: readonly string[]): void => {},
  ): Promise<number> {
    const database = await this.#current();
    const times = new Map(this.#touched);
    this.#touched.clear();
    const { generation, removed } = commit(database, () => {
      touchEntries(database, times);
      return { removed: work(database), generation: nextGeneration(database) };
    });
    // A table that was read since the transaction has all this already.
    if (generation === this.#generation + 1) {
      for (const cache of this.#caches.values()) for (const key of removed) cache.delete(key);
      added(removed);
    } else if (generation > this.#generation) this.#caches.clear();
    this.#generation = Math.max(generation, this.#generation);
    return removed.length;
  }

  #entryOf({ id, memory, source }: NewMemory): NewEntry {
    const { pooled, signBits, header, payload } = memory;
    const { path, language, text } = source;
    const entry = {
      ...id,
      path,
      place: source,
      record: encodeRecord({ path, language, lines: lineHashes(text), pooled, signBits }),
      payload: encodeFrame({ json: header, bytes: payload }),
      signBits: bytesOf(signBits),
      time: this.#now(),
    };
    const cost = costOf(entry);
    if (cost > this.#cap)
      throw new LimitError(`bank: a memory of ${cost} bytes exceeds the cap of ${this.#cap}`);
    return entry;
  }

  /** Whether the lines of a memory are some of `present`. */
  #isIn(present: string, key: string): boolean {
    const frame = this.#database.records.get(Buffer.from(key, "hex"));
    const record = frame && this.#decodeRecord(key, frame);
    return record ? record.lines !== "" && present.includes(record.lines) : false;
  }

  #decodeRecord(key: string, frame: Buffer): MemoryRecord | null {
    try {
      return decodeRecord(frame, `record ${key}`);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#drop(key, error);
      return null;
    }
  }

  #drop(key: string, error: FormatError): void {
    this.#onDamage(error);
    this.#touched.delete(key);
    const dropping = this.#change((database) => (removeEntry(database, key) ? [key] : []));
    this.#dropping = Promise.allSettled([this.#dropping, dropping]);
  }
}

/** Returns the keys that went. */
function clearTables(database: Database): string[] {
  const { payloads, records, entries, signs, places, meta } = database;
  const keys = readEntries(database).map(({ key }) => key);
  for (const table of [payloads, records, entries, signs, places, meta]) table.clearSync();
  return keys;
}

function readSigns(database: Database, space: string): SignCache | null {
  const start = Buffer.from(space, "hex");
  const end = Buffer.concat([start, Buffer.alloc(33, 0xff)]);
  let cache: SignCache | null = null;
  for (const { key, value } of database.signs.getRange({ start, end })) {
    const bits = new Uint32Array(new Uint8Array(value).buffer);
    cache ??= new SignCache(bits.length);
    cache.set(key.subarray(start.length).toString("hex"), bits);
  }
  return cache;
}

/**
 * In one go: of a transaction that lmdb makes in its own thread, a failure ends the process by
 * promises that nobody can catch.
 *
 * @throws Error when it cannot be written, as on a full disk; the state before it stays.
 */
function commit<T>(database: Database, work: () => T): T {
  try {
    return database.root.transactionSync(work);
  } catch (cause) {
    throw new Error("bank: the change could not be written", { cause });
  }
}

/** Not through Node's threads, which costs more than the call: every look-up asks. */
function inodeOf(folder: string): bigint | null {
  return statSync(join(folder, fileName), { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}
