// One workspace folder, read into a ranking of its spans: first what the file at hand most likely
// needs, then the rest, a file at a time, so that a keystroke may break in. Texts of open editors
// stand in for what the disk has. It runs no model.
import { throwIfCancelled } from "../errors.ts";
import type { RankedSpan, SpanQuery } from "../selection/span-index.ts";
import type { CutOptions } from "../workspace/cut.ts";
import {
  importFolders,
  type RelatedFile,
  type RelatedQuery,
  relatedFiles,
  resolveImports,
} from "../workspace/related-files.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import {
  type ListedPath,
  type SkippedFile,
  type Span,
  Workspace,
  type WorkspaceOptions,
} from "../workspace/workspace.ts";
import { FolderListing, folderOf, isBelow, listingLimits } from "./folder-listing.ts";
import { Guests, type GuestText } from "./guests.ts";
import { isDemonstrationFile, PathReader, type ReadProgress } from "./path-reader.ts";
import {
  type PlacedDemonstration,
  type PlacedProblem,
  ReadFiles,
  type SkippedPath,
} from "./read-files.ts";
import { ReadingOrder } from "./reading-order.ts";
import { fileLimit, ReadingQueue } from "./reading-queue.ts";

/** Folders that are listed before the first files are read. */
const firstFolders = 500;

/**
 * Why something that was asked for gave no memory: `empty`, for no text that can become one, or
 * `demonstrations`, which become memories where they are used.
 */
export type NothingReason = SkipReason | "empty" | "demonstrations";

/** A limit that was reached, and what it kept out. */
export interface ReachedLimit {
  /** `files`: known and not read; `names`, `folders`: not even listed. */
  readonly kind: "files" | "names" | "folders";
  readonly limit: number;
  readonly left: number;
}

export interface FolderOptions extends WorkspaceOptions {
  readonly cutting: CutOptions;
  /** Told of a file on which something broke; the others are read all the same. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

export class FolderIndex {
  readonly #workspace: Workspace;
  readonly #order = new ReadingOrder();
  readonly #listing: FolderListing;
  readonly #files = new ReadFiles();
  readonly #guests = new Guests();
  /** Of open editors, by path. */
  readonly #texts = new Map<string, string>();
  readonly #queue = new ReadingQueue(this.#order, (path) => this.#texts.has(path));
  /** Read a second time, the file system having answered; a third time when they change. */
  readonly #retried = new Set<string>();
  readonly #reader: PathReader;

  private constructor(workspace: Workspace, onFailure: (error: unknown) => void = () => {}) {
    this.#workspace = workspace;
    this.#listing = new FolderListing({
      ...{ workspace, order: this.#order },
      onEntry: (entry) => this.#take(entry),
    });
    this.#reader = new PathReader({
      ...{ workspace, listing: this.#listing, queue: this.#queue },
      ...{ files: this.#files, texts: this.#texts, onFailure },
    });
  }

  /** @throws Error when there is no such folder. */
  static async open(folder: string, options: FolderOptions): Promise<FolderIndex> {
    const { cutting, onFailure, ...reading } = options;
    return new FolderIndex(await Workspace.open(folder, cutting, reading), onFailure);
  }

  /** The real path of the folder. */
  get folder(): string {
    return this.#workspace.folder;
  }

  /** Whether every file within the limits has been read as it is now. */
  get isRead(): boolean {
    return this.#listing.isDone && this.#queue.isDone;
  }

  /** Those that were reached; what is not read yet is not left out. */
  get reachedLimits(): ReachedLimit[] {
    return this.isRead ? this.limitsBelow("") : [];
  }

  /** The same of what is at and below `path`, after all of it was read. */
  limitsBelow(path: string): ReachedLimit[] {
    const left = [...this.#queue.unread.keys()].filter((each) => isBelow(each, path)).length;
    const { files, folders } = this.#listing.left;
    const { sources, texts } = listingLimits;
    const all: ReachedLimit[] = [
      { kind: "files", limit: fileLimit, left },
      { kind: "names", limit: sources + texts, left: files },
      { kind: "folders", limit: listingLimits.folders, left: folders },
    ];
    return all.filter(({ left }) => left > 0);
  }

  /** Of the file at `path` alone. */
  spansOf(path: string): readonly Span[] {
    return this.#files.spansOf(path);
  }

  /** Of the file at `path`, or of all files below it; "" is the folder itself. */
  spansIn(path: string): Span[] {
    return this.#files.spansIn(path);
  }

  /** What was left out at or below `path`. */
  skippedIn(path: string): SkippedPath[] {
    return this.#files.skippedIn(path);
  }

  /**
   * Why no memory was made of what was asked for at `path`, after it was read; null for a folder of
   * demonstrations, which become memories where they are used.
   */
  async whyNothing(path: string): Promise<NothingReason | null> {
    const holds = ({ path: left }: SkippedPath) => isBelow(path, left.replace(/\/$/, ""));
    const [skipped] = this.skippedIn(path).filter(holds);
    if (skipped !== undefined) return skipped.reason;
    const files = this.#files.demonstrationFilesIn(path);
    if (files.length > 0) return files.some(([each]) => each === path) ? "demonstrations" : null;
    const kind = await this.#workspace.kindOf(this.#workspace.absolute(path));
    return kind === null ? "unreadable" : "empty";
  }

  get demonstrations(): PlacedDemonstration[] {
    return this.#files.demonstrations;
  }

  /** What is wrong with demonstration files at or below `path`. */
  problemsIn(path: string): PlacedProblem[] {
    return this.#files.problemsIn(path);
  }

  /** Why what is at `path` is no source of memories, null if it is one. */
  async reasonFor(path: string, kind: "file" | "folder" = "file"): Promise<SkipReason | null> {
    return await this.#workspace.reasonFor(this.#workspace.absolute(path), kind);
  }

  /** The text of an open editor; null when it was closed, and the disk counts again. */
  setText(path: string, text: string | null): void {
    if (text === null) this.#texts.delete(path);
    else this.#texts.set(path, text);
    this.#queue.mark(path, true);
  }

  /**
   * A file or folder on the disk was made, changed or deleted. Returns all paths that it means: of a
   * folder that came or went the editor names none of the files.
   */
  touch(path: string): string[] {
    const isFile = this.#files.isSpanned(path) || this.#queue.unread.has(path);
    if (!isFile) this.#workspace.forgetRules(this.#workspace.absolute(path));
    const paths = [path, ...(isFile ? [] : this.#knownBelow(path))];
    for (const each of paths) {
      this.#retried.delete(each);
      this.#queue.mark(each, true);
    }
    return paths;
  }

  /**
   * Takes note of what a document imports and names that stands at `path` and is not the file there.
   * It becomes no source of memories.
   * @throws CancelledError
   */
  async receive(path: string, guest: GuestText, signal?: AbortSignal): Promise<void> {
    const { text, languageId } = guest;
    const syntax = await this.#workspace.readSyntax(text, languageId, signal);
    this.#guests.receive(path, guest, syntax.imports);
  }

  /** The document at `path` is the file itself. */
  dismiss(path: string): void {
    this.#guests.dismiss(path);
  }

  /**
   * Reads the file and those it most likely needs: what it imports, then those beside it.
   * @throws CancelledError
   */
  async readAround(path: string, onProgress: ReadProgress, signal?: AbortSignal): Promise<void> {
    this.#use(path);
    await this.#listing.listOne(folderOf(path));
    if (this.#queue.unread.has(path) || !this.#files.isSpanned(path))
      await this.#reader.readNamed(path, signal);
    await this.#listing.listBelow("", { signal, count: firstFolders });
    if (!this.#listing.isDone || this.#isCut) await this.#listImported(path, signal);
    await this.#readRelated(path, onProgress, signal);
  }

  /**
   * Reads what is left, as far as there is room. Returns how many files were read.
   * @throws CancelledError
   */
  async readRest(onProgress: ReadProgress, signal?: AbortSignal): Promise<number> {
    return await this.#readAllBelow("", onProgress, signal);
  }

  /**
   * Reads what is left of the file at `path`, whatever the limit, or of all files below it. Returns
   * how many were read.
   * @throws CancelledError
   */
  async readBelow(path: string, onProgress: ReadProgress, signal?: AbortSignal): Promise<number> {
    this.#use(path);
    const isKnown = this.#files.isSpanned(path) && !this.#queue.unread.has(path);
    if (path !== "" && !isKnown && !this.#listing.isFolder(path)) {
      onProgress(0, 1);
      await this.#reader.readNamed(path, signal);
    }
    return await this.#readAllBelow(path, onProgress, signal);
  }

  /** Reads what is left of demonstration files. */
  async readDemonstrations(): Promise<void> {
    await this.#listing.listBelow("", {});
    const paths = [...this.#queue.unread.keys()].filter(isDemonstrationFile);
    await this.#reader.readAll(paths, () => {}, undefined);
  }

  /** What the file at `path` imports, after it was read. */
  importsFrom(path: string): RelatedQuery {
    return this.#relatedQuery(path);
  }

  /** Whether something at the top of the folder bears this name, as far as is known. */
  holds(name: string): boolean {
    return (
      this.#listing.isFolder(name) || this.#files.isSpanned(name) || this.#queue.unread.has(name)
    );
  }

  /**
   * Reads the files at those of the places that there are, whatever the limit; returns their paths.
   * @throws CancelledError
   */
  async readPlaces(places: readonly string[], signal?: AbortSignal): Promise<string[]> {
    for (const each of new Set(places.map(folderOf))) await this.#listing.listOne(each);
    for (const path of places)
      if (this.#queue.unread.has(path)) await this.#reader.readNamed(path, signal);
    return places.filter((path) => this.#files.isSpanned(path));
  }

  /** Every span, for a file of another folder that imports from this one; `path` is from here. */
  rankImported(
    path: string,
    { before, after }: Pick<SpanQuery, "before" | "after">,
    { names, paths }: { readonly names: readonly string[]; readonly paths: readonly string[] },
  ): RankedSpan<Span>[] {
    return this.#files.rank({ path, before, after, importedNames: names, importedPaths: paths });
  }

  /** Every span of other files that any ranking knows, the best first. */
  rank(path: string, { before, after }: Pick<SpanQuery, "before" | "after">): RankedSpan<Span>[] {
    const query = this.#relatedQuery(path);
    return this.#files.rank({
      ...{ path, before, after },
      importedNames: query.imports.flatMap(({ names }) => names),
      importedPaths: resolveImports(query, this.#known()),
    });
  }

  /** What came to be used decides what is read; the order holds until something else is. */
  #use(path: string): void {
    this.#order.use(path, this.#texts.keys());
    this.#queue.renew();
  }

  /** The file system may have come back; what is slow each time is not waited for at each pause. */
  #retryHung(): void {
    for (const { path: skipped, reason } of this.#files.skippedIn("")) {
      const path = skipped.replace(/\/$/, "");
      if (reason !== "hung" || this.#retried.has(path)) continue;
      if (this.#workspace.isHung(this.#workspace.absolute(path))) continue;
      this.#retried.add(path);
      this.#queue.mark(path, true);
    }
  }

  #take(entry: ListedPath | SkippedFile): void {
    const { path } = entry;
    if (!("skipped" in entry)) this.#queue.find(path);
    else this.#files.keep(path, entry);
  }

  /** What is known at and below a folder. */
  #knownBelow(path: string): string[] {
    if (!this.#listing.isFolder(path) && !this.#files.isSkippedFolder(path)) return [];
    const unread = [...this.#queue.unread.keys()].filter((each) => isBelow(each, path));
    const below = [...this.#files.pathsIn(path), ...unread];
    return below.map((each) => each.replace(/\/$/, ""));
  }

  /** Whether the listing left out what an import may name. */
  get #isCut(): boolean {
    const { files, folders } = this.#listing.left;
    return files + folders > 0;
  }

  /** The folders that the file's imports may lead to. */
  async #listImported(path: string, signal: AbortSignal | undefined): Promise<void> {
    for (const folder of importFolders(this.#relatedQuery(path))) {
      throwIfCancelled(signal);
      await this.#listing.listOne(folder);
    }
  }

  async #readRelated(
    path: string,
    onProgress: ReadProgress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const related = relatedFiles(this.#relatedQuery(path), this.#known());
    const unread = related.filter((each) => this.#queue.unread.has(each.path));
    // What is imported was named; the rest takes no place of what lies as near.
    const isNamed = ({ why, path }: RelatedFile): boolean =>
      why === "import" || this.#queue.hasRoom(path);
    const paths = unread.filter(isNamed).map((each) => each.path);
    await this.#reader.readAll(paths, onProgress, signal);
  }

  async #readAllBelow(
    path: string,
    onProgress: ReadProgress,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    this.#retryHung();
    await this.#listing.listBelow(path, { signal });
    for (let count = 0; ; ) {
      const paths = this.#queue.wanted(path);
      if (paths.length === 0) return count;
      count += await this.#reader.readAll(paths, onProgress, signal);
    }
  }

  #relatedQuery(path: string): RelatedQuery {
    return { path, ...(this.#guests.at(path) ?? this.#files.namesIn(path)) };
  }

  /** All files with the identifiers of those that were read. */
  #known(): ReadonlyMap<string, ReadonlySet<string>> {
    const none: ReadonlySet<string> = new Set();
    return new Map([
      ...[...this.#queue.unread.keys()].map((path) => [path, none] as const),
      ...this.#files.identifiers,
    ]);
  }
}
