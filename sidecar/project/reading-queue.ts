// Which files of a folder are still to be read, and which have the room that there is. In: paths that
// were found, changed, read or came to be used. Out: what to read next. No disk.
import { isBelow } from "./folder-listing.ts";
import type { ReadingOrder } from "./reading-order.ts";

/**
 * Files of a folder beyond which none becomes spans: they would take seconds to rank. What turns out
 * to be no source of memories does not count. One that is nearer to the files in use, or that was
 * asked for by name, takes the place of the furthest.
 */
export const fileLimit = 4_000;

/** That the text at a path is not known; another mark says that it has changed since. */
export interface Mark {
  /** Not yet looked at: it may be a folder or gone. */
  readonly isUnseen: boolean;
}

export class ReadingQueue {
  readonly #order: ReadingOrder;
  readonly #isOpen: (path: string) => boolean;
  readonly #unread = new Map<string, Mark>();
  /** Files that were read and count against the limit. */
  readonly #files = new Set<string>();
  /** Whether all was read that has room. */
  #isSettled = false;

  /** `isOpen`: whether an editor has the file open. */
  constructor(order: ReadingOrder, isOpen: (path: string) => boolean) {
    this.#order = order;
    this.#isOpen = isOpen;
  }

  /** What to read may be another now, because something else is in use. */
  renew(): void {
    this.#isSettled = false;
  }

  get isDone(): boolean {
    return this.#isSettled || this.#unread.size === 0;
  }

  /** Paths that are not read, also those that there is no room for. */
  get unread(): ReadonlyMap<string, Mark> {
    return this.#unread;
  }

  mark(path: string, isUnseen: boolean): void {
    this.#unread.set(path, { isUnseen });
    this.#isSettled = false;
  }

  /** Of a file that was met in its folder: nothing new if it is known. */
  find(path: string): void {
    if (!this.#files.has(path) && !this.#unread.has(path)) this.mark(path, false);
  }

  hasRoom(path: string): boolean {
    return this.#files.has(path) || this.#files.size < fileLimit;
  }

  /** It has been read, and became spans or demonstrations. */
  keep(path: string): void {
    this.#unread.delete(path);
    this.#files.add(path);
  }

  drop(path: string): void {
    this.#unread.delete(path);
    this.#files.delete(path);
  }

  /** It came up, or had to go, and waits for room. */
  wait(path: string): void {
    this.#files.delete(path);
    this.#unread.set(path, { isUnseen: false });
  }

  /** What has to go for `path`; null where there is room: of the furthest what was read longest ago. */
  furthestFor(path: string): string | null {
    if (this.hasRoom(path)) return null;
    let furthest: string | null = null;
    for (const each of this.#files)
      if (!this.#isOpen(each) && (furthest === null || this.#order.isNearer(furthest, each)))
        furthest = each;
    return furthest;
  }

  /** What is to be read at and below `path`: all that has room, and what is nearer than what has it. */
  wanted(path: string): string[] {
    if (this.#isSettled) return [];
    const all = [...this.#unread.keys()].filter((each) => isBelow(each, path));
    const certain = all.filter((each) => this.#isCertain(each));
    const others = this.#order.sorted(all.filter((each) => !this.#isCertain(each)));
    const coming = certain.filter((each) => this.#isOpen(each) && !this.#files.has(each)).length;
    const room = Math.max(0, fileLimit - this.#files.size - coming);
    const worthy = others.slice(0, this.#countWorthy(others, room));
    if (path === "" && certain.length + worthy.length === 0) this.#isSettled = true;
    return [...certain, ...worthy];
  }

  /** How many of them, the nearest first, have room or are nearer than what would have to go. */
  #countWorthy(others: readonly string[], room: number): number {
    if (others.length <= room) return others.length;
    const going = [...this.#files].filter((each) => !this.#isOpen(each));
    const furthest = this.#order.sorted(going).toReversed();
    const isWorthy = (each: string, index: number): boolean => {
      const last = furthest[index];
      return last !== undefined && this.#order.isNearer(each, last);
    };
    const end = others.slice(room).findIndex((each, index) => !isWorthy(each, index));
    return end < 0 ? others.length : room + end;
  }

  /** Whether a path is looked at whether or not there is room. */
  #isCertain(path: string): boolean {
    const isUnseen = this.#unread.get(path)?.isUnseen === true;
    return isUnseen || this.#files.has(path) || this.#isOpen(path);
  }
}
