// Reads what there is at a path of one folder and keeps it in place of what was known. In: paths of the
// queue, texts of open editors, the disk. Out: states of files; what has no room waits in the queue.
import { CancelledError } from "../errors.ts";
import { parseDemonstrations } from "../selection/demonstrations.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { FolderListing } from "./folder-listing.ts";
import type { FoundFile, ReadFiles } from "./read-files.ts";
import type { Mark, ReadingQueue } from "./reading-queue.ts";

/** Told while files are read. */
export type ReadProgress = (done: number, total: number) => void;

export interface PathReaderParts {
  readonly workspace: Workspace;
  readonly listing: FolderListing;
  readonly queue: ReadingQueue;
  readonly files: ReadFiles;
  /** Of open editors, by path. */
  readonly texts: ReadonlyMap<string, string>;
  /** Told of a file on which something broke; the others are read all the same. */
  readonly onFailure: (error: unknown) => void;
}

interface LookOptions {
  readonly signal: AbortSignal | undefined;
  /** Asked for by name, and read whatever the limit. */
  readonly isNamed: boolean;
}

export class PathReader {
  readonly #parts: PathReaderParts;

  constructor(parts: PathReaderParts) {
    this.#parts = parts;
  }

  /** Whatever the limit. @throws CancelledError */
  async readNamed(path: string, signal: AbortSignal | undefined): Promise<void> {
    const { queue } = this.#parts;
    if (!queue.unread.has(path)) queue.mark(path, true);
    await this.#read(path, { signal, isNamed: true });
  }

  /** Returns how many there were. @throws CancelledError */
  async readAll(
    paths: readonly string[],
    onProgress: ReadProgress,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    for (const [done, path] of paths.entries()) {
      onProgress(done, paths.length);
      await this.#read(path, { signal, isNamed: false });
    }
    return paths.length;
  }

  async #read(path: string, options: LookOptions): Promise<void> {
    const { queue, files, onFailure } = this.#parts;
    const mark = queue.unread.get(path);
    if (mark === undefined) return; // Another has read it.
    const found = await this.#look(path, mark, options).catch((error: unknown) => {
      if (error instanceof CancelledError) throw error;
      onFailure(new Error(`workspace: ${path} cannot be read`, { cause: error }));
      return { skipped: "failed" } as const;
    });
    if (queue.unread.get(path) !== mark) return; // It was changed or read meanwhile.
    if (found === "waits") return queue.wait(path);
    if (found !== null && !("skipped" in found)) this.#makeRoom(path);
    files.forget(path);
    queue.drop(path);
    if (found === null) return;
    if (!("skipped" in found)) queue.keep(path);
    files.keep(path, found);
  }

  #makeRoom(path: string): void {
    const { queue, files } = this.#parts;
    const furthest = queue.furthestFor(path);
    if (furthest === null) return;
    files.forget(furthest);
    queue.wait(furthest);
  }

  /**
   * What there is at a path; null for nothing and for a folder, whose files are marked; `waits` for a
   * file that came up and has no room.
   */
  async #look(
    path: string,
    { isUnseen }: Mark,
    { signal, isNamed }: LookOptions,
  ): Promise<FoundFile | "waits" | null> {
    const { workspace, queue, files, texts } = this.#parts;
    const text = texts.get(path);
    const file = workspace.absolute(path);
    const kind = text === undefined ? await workspace.kindOf(file) : "file";
    files.forget(`${path}/`);
    if (kind === null) return null;
    if (kind === "link" || kind === "hung") return { skipped: kind };
    if (kind === "other") return { skipped: "not-a-file" };
    if (kind === "folder") return await this.#lookBelow(path, signal);
    const isAsked = text !== undefined || isNamed || queue.hasRoom(path);
    if (isUnseen && !isAsked) return "waits";
    if (isDemonstrationFile(path)) return await this.#parseDemonstrations(file, text);
    return await workspace.read(file, { text, signal });
  }

  async #lookBelow(path: string, signal: AbortSignal | undefined): Promise<null> {
    const { listing } = this.#parts;
    listing.forget(path);
    await listing.listBelow(path, { signal });
    return null;
  }

  async #parseDemonstrations(file: string, text: string | undefined): Promise<FoundFile> {
    const source = await this.#parts.workspace.readText(file, text);
    if ("skipped" in source) return source;
    return parseDemonstrations(source.text);
  }
}

export function isDemonstrationFile(path: string): boolean {
  return path.endsWith(".pith.md");
}
