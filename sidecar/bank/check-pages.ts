// Whether a database file can be opened at all. LMDB maps the file and trusts it: a page that was cut
// off or overwritten ends the process by a signal or an assertion. So, before it is opened, every
// page that leads to an entry is looked at: that it is there, is itself, and stays within itself.
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
  transaction: 152,
};
/** Bytes of a node before its key: low u16, high u16, flags u16, key length u16. */
const nodeLength = 8;
const nodeFlags = { overflow: 1, table: 2 } as const;
/** Bytes of a table's description; its root is the last field. */
const tableLength = 48;
/** A tree of this depth would hold more than any disk. */
const mostDepth = 32;
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
      const error = walkAll(file, before);
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
  readonly roots: readonly bigint[];
}

/** The newer of the two at the start of the file. */
function readMeta(file: number): Meta | null {
  if (fstatSync(file).size === 0) return null;
  const metas = [0, 1].map((number): Meta => {
    const page = readPage(file, BigInt(number));
    const isMeta =
      page.readUInt32LE(metaOffsets.magic) === magic &&
      page.readUInt32LE(metaOffsets.version) === dataVersion &&
      page.readUInt32LE(metaOffsets.pageLength) === pageLength;
    if (!isMeta) throw new FormatError(`bank: page ${number} is no head of a database`);
    return {
      transaction: page.readBigUInt64LE(metaOffsets.transaction),
      roots: [metaOffsets.freeRoot, metaOffsets.mainRoot].map((at) => page.readBigUInt64LE(at)),
    };
  });
  return metas.reduce((newest, meta) => (meta.transaction > newest.transaction ? meta : newest));
}

function walkAll(file: number, { roots }: Meta): FormatError | null {
  try {
    for (const root of roots) walkTree(file, root, 0);
    return null;
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

function walkTree(file: number, number: bigint, depth: number): void {
  if (number === noPage) return; // An empty tree.
  check(depth < mostDepth, number, "is deeper than any tree");
  const page = readPage(file, number);
  const kind = page.readUInt16LE(18);
  check(kind === flags.branch || kind === flags.leaf, number, `is of kind ${kind}`);
  const [lower, upper] = [headLength + page.readUInt16LE(20), headLength + page.readUInt16LE(22)];
  const isRoom = lower <= upper && upper <= pageLength;
  check(isRoom, number, `has its room from ${lower} to ${upper}`);
  for (let at = headLength; at < lower; at += 2) {
    const start = headLength + page.readUInt16LE(at);
    check(start >= upper && start + nodeLength <= pageLength, number, `has an entry at ${start}`);
    const keyEnd = start + nodeLength + page.readUInt16LE(start + 6);
    check(keyEnd <= pageLength, number, `has a key up to ${keyEnd}`);
    if (kind === flags.branch) walkTree(file, childOf(page, start), depth + 1);
    else checkValue(file, { page, number, start, valueStart: keyEnd, depth });
  }
}

interface Leaf {
  readonly page: Buffer;
  readonly number: bigint;
  readonly start: number;
  readonly valueStart: number;
  readonly depth: number;
}

function checkValue(file: number, { page, number, start, valueStart, depth }: Leaf): void {
  const kind = page.readUInt16LE(start + 4);
  const length = page.readUInt32LE(start);
  if (kind & nodeFlags.overflow) {
    check(valueStart + 8 <= pageLength, number, `has a value at ${valueStart}`);
    checkOverflow(file, page.readBigUInt64LE(valueStart), length);
    return;
  }
  check(valueStart + length <= pageLength, number, `has a value up to ${valueStart + length}`);
  if (!(kind & nodeFlags.table)) return;
  check(length === tableLength, number, `describes a table in ${length} bytes`);
  walkTree(file, page.readBigUInt64LE(valueStart + tableLength - 8), depth + 1);
}

/** A value of several pages: the first says how many, and the file reaches to the end of the last. */
function checkOverflow(file: number, number: bigint, length: number): void {
  const page = readPage(file, number);
  check(page.readUInt16LE(18) === flags.overflow, number, "does not hold a long value");
  const pages = page.readUInt32LE(20);
  check(
    headLength + length <= pages * pageLength,
    number,
    `has ${pages} pages for ${length} bytes`,
  );
  const end = (Number(number) + pages) * pageLength;
  check(end <= fstatSync(file).size, number, `reaches to byte ${end}, behind the end`);
}

/** A branch keeps 48 bits of the page's number, in the fields that are length and flags of a leaf. */
function childOf(page: Buffer, start: number): bigint {
  return BigInt(page.readUInt32LE(start)) + (BigInt(page.readUInt16LE(start + 4)) << 32n);
}

function readPage(file: number, number: bigint): Buffer {
  const page = Buffer.alloc(pageLength);
  const read =
    number > 2n ** 40n ? 0 : readSync(file, page, 0, pageLength, Number(number) * pageLength);
  check(read === pageLength, number, "is behind the end of the file");
  check(page.readBigUInt64LE(0) === number || number < 2n, number, "is another one");
  return page;
}

function check(isRight: boolean, number: bigint, problem: string): asserts isRight {
  if (!isRight) throw new FormatError(`bank: page ${number} ${problem}`);
}
