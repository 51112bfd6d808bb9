// Whether a database file can be opened at all. LMDB maps the file and trusts it: a page that was cut
// off or overwritten ends the process by a signal or an assertion. So, before it is opened, every
// page that leads to an entry is looked at: that it is there, is itself, is used once, and stays
// within itself.
// Layouts: MDB_page_header, MDB_meta, MDB_db, MDB_node, MDB_ovpage of lmdb's mdb.c, data version 2,
// little-endian, 64 bits. Values are not read: they have checksums of their own.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { FormatError } from "../errors.ts";

export const pageLength = 4096;

const magic = 0xbeefc0de;
const dataVersion = 2;
/**
 * Bytes of a page's header: number u64, transaction u64, u16, flags u16, lower u16, upper u16. Offsets
 * within a page count from its end (PAGEBASE).
 */
const headLength = 24;
const flags = { branch: 1, leaf: 2, overflow: 4 } as const;
const metaOffsets = {
  magic: 24,
  version: 28,
  pageLength: 48,
  freeRoot: 88,
  mainRoot: 136,
  lastPage: 144,
  transaction: 152,
};
/** Bytes of a node before its key: low u16, high u16, flags u16, key length u16. */
const nodeLength = 8;
const nodeFlags = { overflow: 1, table: 2 } as const;
/** Bytes of a table's description: u32, kind u16, depth u16, four counts u64, root u64. */
const tableLength = 48;
/** Bytes of what stands in place of a long value. */
const overflowLength = 24;
/** 4 TB: LMDB never counted on more. */
const mostPages = 2n ** 30n;
const noPage = 0xffff_ffff_ffff_ffffn;
/** While other processes write, the newest state may change under the look; then it starts anew. */
const mostTries = 20;

/**
 * Returns for an empty file, which LMDB makes a database of.
 * @throws FormatError that says which page is wrong.
 */
export function checkPages(path: string): void {
  const file = openSync(path, "r");
  try {
    for (let tries = 1; ; tries += 1) {
      const before = readMeta(file);
      if (before === null) return;
      const error = findError(new PageWalk(file, before), before);
      if (error === null) return;
      // Pages of the newest state are not written over before a newer one is there.
      const isNewest = readMeta(file)?.transaction === before.transaction;
      if (isNewest || tries === mostTries) throw error;
    }
  } finally {
    closeSync(file);
  }
}

interface Meta {
  readonly transaction: bigint;
  readonly freeRoot: bigint;
  readonly mainRoot: bigint;
  readonly lastPage: number;
}

/** The newer of the two at the start of the file. */
function readMeta(file: number): Meta | null {
  if (fstatSync(file).size === 0) return null;
  const metas = [0, 1].map((number): Meta => {
    const page = Buffer.alloc(pageLength);
    const length = readSync(file, page, 0, pageLength, number * pageLength);
    const isMeta =
      length === pageLength &&
      page.readUInt32LE(metaOffsets.magic) === magic &&
      page.readUInt32LE(metaOffsets.version) === dataVersion &&
      page.readUInt32LE(metaOffsets.pageLength) === pageLength;
    if (!isMeta) throw new FormatError(`bank: page ${number} is no head of a database`);
    const lastPage = page.readBigUInt64LE(metaOffsets.lastPage);
    check(lastPage < mostPages, number, `counts ${lastPage} pages`);
    return {
      transaction: page.readBigUInt64LE(metaOffsets.transaction),
      freeRoot: page.readBigUInt64LE(metaOffsets.freeRoot),
      mainRoot: page.readBigUInt64LE(metaOffsets.mainRoot),
      lastPage: Number(lastPage),
    };
  });
  return metas.reduce((newest, meta) => (meta.transaction > newest.transaction ? meta : newest));
}

function findError(walk: PageWalk, { freeRoot, mainRoot }: Meta): FormatError | null {
  try {
    walk.tree(mainRoot, "bytes");
    walk.tree(freeRoot, "numbers");
    return null;
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

/** How the keys of a tree are sorted; those of the list of free pages are numbers. */
type Keys = "bytes" | "numbers";

interface Leaf {
  readonly page: Buffer;
  readonly number: bigint;
  readonly start: number;
  readonly valueStart: number;
}

/** One pass over the pages of a state. Each may be met once only. */
class PageWalk {
  readonly #file: number;
  readonly #size: number;
  readonly #transaction: bigint;
  readonly #met: Uint8Array; // [pages]

  constructor(file: number, { lastPage, transaction }: Meta) {
    this.#file = file;
    this.#size = fstatSync(file).size;
    this.#transaction = transaction;
    this.#met = new Uint8Array(lastPage + 1);
  }

  /** Returns the depth. */
  tree(number: bigint, keys: Keys): number {
    if (number === noPage) return 0; // An empty tree.
    this.#claim(number, 1n);
    const page = this.#readHead(number, pageLength);
    const kind = page.readUInt16LE(18);
    check(kind === flags.branch || kind === flags.leaf, number, `is of kind ${kind}`);
    const [lower, upper] = [headLength + page.readUInt16LE(20), headLength + page.readUInt16LE(22)];
    const isRoom = lower <= upper && upper <= pageLength;
    check(isRoom, number, `has its room from ${lower} to ${upper}`);
    let depth = 0; // below
    let last: Buffer | null = null; // key
    for (let at = headLength; at < lower; at += 2) {
      const start = headLength + page.readUInt16LE(at);
      check(start >= upper && start + nodeLength <= pageLength, number, `has an entry at ${start}`);
      const valueStart = start + nodeLength + page.readUInt16LE(start + 6);
      check(valueStart <= pageLength, number, `has a key up to ${valueStart}`);
      const key = page.subarray(start + nodeLength, valueStart);
      const isSorted = keys === "numbers" || last === null || last.compare(key) < 0;
      check(isSorted, number, `has the key at ${start} out of order`);
      last = key;
      if (kind === flags.branch) depth = this.tree(childOf(page, start), keys);
      else this.#value({ page, number, start, valueStart });
    }
    return depth + 1;
  }

  /** @throws FormatError when a page was met before, or is none of the database's. */
  #claim(number: bigint, count: bigint): void {
    const end = number + count;
    check(number >= 2n && end <= this.#met.length, number, `is none of ${this.#met.length}`);
    for (let at = Number(number); at < Number(end); at += 1) {
      check(this.#met[at] === 0, at, "is used twice");
      this.#met[at] = 1;
    }
  }

  #value({ page, number, start, valueStart }: Leaf): void {
    const kind = page.readUInt16LE(start + 4);
    const length = page.readUInt32LE(start);
    const inPage = kind & nodeFlags.overflow ? overflowLength : length;
    check(valueStart + inPage <= pageLength, number, `has a value up to ${valueStart + inPage}`);
    const value = page.subarray(valueStart, valueStart + inPage);
    if (kind & nodeFlags.overflow) this.#overflow(value, length);
    else if (kind & nodeFlags.table) {
      check(length === tableLength, number, `describes a table in ${length} bytes`);
      const isPlain = value.readUInt32LE(0) === 0 && value.readUInt16LE(4) === 0;
      check(isPlain, number, "describes a table of another kind");
      const [depth, stated] = [
        this.tree(value.readBigUInt64LE(tableLength - 8), "bytes"),
        value.readUInt16LE(6),
      ];
      check(depth === stated, number, `describes a tree of depth ${stated}, not ${depth}`);
    }
  }

  /** A value of several pages: `place` is its first page u64, a transaction u64, their count u64. */
  #overflow(place: Buffer, length: number): void {
    const [number, count] = [place.readBigUInt64LE(0), place.readBigUInt64LE(16)];
    this.#claim(number, count);
    const start = Number(number) * pageLength;
    const isRoom = headLength + length <= Number(count) * pageLength;
    check(isRoom, number, `has ${count} pages for ${length} bytes`);
    const end = start + headLength + length;
    check(end <= this.#size, number, `reaches to byte ${end} of ${this.#size}`);
    const head = this.#readHead(number, headLength);
    const isSame =
      head.readUInt16LE(18) === flags.overflow && head.readUInt32LE(20) === Number(count);
    check(isSame, number, `is no value of ${count} pages`);
  }

  /** `length` bytes of a page, after a look at its number and transaction. */
  #readHead(number: bigint, length: number): Buffer {
    const page = Buffer.alloc(length);
    const read = readSync(this.#file, page, 0, length, Number(number) * pageLength);
    check(read === length, number, "is behind the end of the file");
    check(page.readBigUInt64LE(0) === number, number, "is another one");
    const transaction = page.readBigUInt64LE(8);
    check(transaction <= this.#transaction, number, `is of transaction ${transaction}`);
    return page;
  }
}

/** A branch keeps 48 bits of the page's number, in the fields that are length and flags of a leaf. */
function childOf(page: Buffer, start: number): bigint {
  return BigInt(page.readUInt32LE(start)) + (BigInt(page.readUInt16LE(start + 4)) << 32n);
}

function check(isRight: boolean, number: number | bigint, problem: string): asserts isRight {
  if (!isRight) throw new FormatError(`bank: page ${number} ${problem}`);
}
