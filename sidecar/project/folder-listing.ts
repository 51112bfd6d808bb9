// What a folder holds, looked at one folder after the other, the nearest to the files in use first.
// In: a workspace. Out: names of files that may be read, and what is left out. It goes on where it was
// broken off, and has limits of its own, so that a folder of millions of files costs little.
import { posix } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfCancelled } from "../errors.ts";
import { isSourceName } from "../workspace/syntax/languages.ts";
import type { ListedPath, SkippedFile, Workspace } from "../workspace/workspace.ts";
import type { ReadingOrder } from "./reading-order.ts";

/**
 * Names that are kept and folders that are looked into: some ten megabytes, and some ten seconds of
 * pauses. Of texts that are no sources fewer, so that they take no place of a source's.
 */
export const listingLimits = { sources: 50_000, texts: 10_000, skipped: 20_000, folders: 20_000 };

/** Entries between which others may take their turn: a millisecond or two. */
const entriesATurn = 64;

export interface FolderListingOptions {
  readonly workspace: Workspace;
  readonly order: ReadingOrder;
  /** Told of every file, and of everything that is left out; all are relative to the folder. */
  readonly onEntry: (entry: ListedPath | SkippedFile) => void;
  readonly limits?: typeof listingLimits;
}

export class FolderListing {
  readonly #options: FolderListingOptions;
  readonly #limits: typeof listingLimits;
  /** Folders that are still to be looked into, and those that were; "" is the folder itself. */
  readonly #pending = new Set([""]);
  readonly #listed = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  #counts = { sources: 0, texts: 0, skipped: 0 };
  #leftFiles = 0;

  constructor(options: FolderListingOptions) {
    this.#options = options;
    this.#limits = options.limits ?? listingLimits;
  }

  /** Whether all was looked at that the limits admit. */
  get isDone(): boolean {
    return this.#pending.size === 0 || this.#isFull;
  }

  /** What the limits kept out: names of files, and folders that were not looked into. */
  get left(): { readonly files: number; readonly folders: number } {
    return { files: this.#leftFiles, folders: this.#isFull ? this.#pending.size : 0 };
  }

  /** Whether it is a folder, as far as is known. */
  isFolder(path: string): boolean {
    return this.#listed.has(path) || this.#pending.has(path);
  }

  /**
   * Looks into all folders at and below `path`, or into `count` of them.
   * @throws CancelledError; the next call goes on from there
   */
  async listBelow(
    path: string,
    {
      signal,
      count = Number.POSITIVE_INFINITY,
    }: { signal?: AbortSignal | undefined; count?: number },
  ): Promise<void> {
    await this.#enter(path);
    for (let done = 0; done < count && !this.#isFull; ) {
      const nearest = this.#nearest(path);
      if (nearest.length === 0) return;
      for (const folder of nearest.slice(0, count - done)) {
        throwIfCancelled(signal);
        if (!this.#isFull) await this.#list(folder);
        done += 1;
      }
    }
  }

  /** Looks into this one folder, whatever the limits. */
  async listOne(folder: string): Promise<void> {
    await this.#enter(folder);
    if (this.#pending.has(folder)) await this.#list(folder, true);
  }

  /** What is at and below `path` may be another by now. */
  forget(path: string): void {
    for (const folders of [this.#listed, this.#pending])
      for (const each of folders) if (isBelow(each, path)) folders.delete(each);
  }

  get #isFull(): boolean {
    return this.#listed.size >= this.#limits.folders;
  }

  /** Makes a folder known whose parents have not been looked into, unless the rules leave it out. */
  async #enter(folder: string): Promise<void> {
    if (this.isFolder(folder)) return;
    const { workspace, onEntry } = this.#options;
    const absolute = workspace.absolute(folder);
    if ((await workspace.kindOf(absolute)) !== "folder") return;
    const reason = await workspace.reasonFor(absolute, "folder");
    if (reason === null) this.#pending.add(folder);
    else onEntry({ path: `${folder}/`, skipped: reason });
  }

  /** Those of the least distance. */
  #nearest(path: string): string[] {
    let least = Number.POSITIVE_INFINITY;
    let nearest: string[] = [];
    for (const folder of this.#pending) {
      if (!isBelow(folder, path)) continue;
      const distance = this.#options.order.distanceOf(folder);
      if (distance < least) nearest = [];
      least = Math.min(least, distance);
      if (distance === least) nearest.push(folder);
    }
    return nearest;
  }

  /** Of two that want the same folder the second waits for the first. */
  async #list(folder: string, isNamed = false): Promise<void> {
    const underWay = this.#underWay.get(folder) ?? this.#look(folder, isNamed);
    this.#underWay.set(folder, underWay);
    try {
      await underWay;
    } finally {
      this.#underWay.delete(folder);
    }
  }

  async #look(folder: string, isNamed: boolean): Promise<void> {
    const { workspace, onEntry } = this.#options;
    let count = 0;
    for await (const entry of workspace.list(workspace.absolute(folder))) {
      if (++count % entriesATurn === 0) await nextTurn();
      if ("kind" in entry && entry.kind === "folder") this.#find(entry.path.slice(0, -1));
      else if (this.#hasRoom(entry) || isNamed) onEntry(entry);
      else if ("kind" in entry) this.#leftFiles += 1;
    }
    this.#pending.delete(folder);
    this.#listed.add(folder);
  }

  #find(folder: string): void {
    if (!this.#listed.has(folder)) this.#pending.add(folder);
  }

  #hasRoom(entry: ListedPath | SkippedFile): boolean {
    if (entry.path.endsWith("/")) return true;
    const kind = "skipped" in entry ? "skipped" : isSourceName(entry.path) ? "sources" : "texts";
    if (this.#counts[kind] >= this.#limits[kind]) return false;
    this.#counts[kind] += 1;
    return true;
  }
}

/** Of paths within a folder: whether the first is the second or lies in it; "" is the folder itself. */
export function isBelow(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

/** The folder that holds what is at `path`; "" is the folder itself. */
export function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === "." ? "" : folder;
}
