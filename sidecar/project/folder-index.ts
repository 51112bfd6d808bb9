// One workspace folder, read into a ranking of its spans: first what the file at hand most likely
// needs, then the rest, a file at a time, so that a keystroke may break in. Texts of open editors
// stand in for what the disk has. It runs no model.
import { CancelledError, throwIfCancelled } from "../errors.ts";
import type { DemonstrationProblem } from "../selection/demonstration-problem.ts";
import {
  type Demonstration,
  type DemonstrationFile,
  parseDemonstrations,
} from "../selection/demonstrations.ts";
import { identifiersOf } from "../selection/identifiers.ts";
import { type RankedSpan, SpanIndex, type SpanQuery } from "../selection/span-index.ts";
import type { CutOptions } from "../workspace/cut.ts";
import type { Disk } from "../workspace/disk.ts";
import {
  importFolders,
  type RelatedFile,
  type RelatedQuery,
  relatedFiles,
  resolveImports,
} from "../workspace/related-files.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import type { Import } from "../workspace/syntax/syntax.ts";
import {
  type ListedPath,
  type SkippedFile,
  type Span,
  type SpannedFile,
  Workspace,
} from "../workspace/workspace.ts";
import { FolderListing, folderOf, isBelow, listingLimits } from "./folder-listing.ts";
import { ReadingOrder } from "./reading-order.ts";
import { fileLimit, type Mark, ReadingQueue } from "./reading-queue.ts";

/** Folders that are listed before the first files are read. */
const firstFolders = 500;

/** An example of a demonstration file and where it stands. */
export interface PlacedDemonstration extends Demonstration {
  /** Relative to the folder. */
  readonly path: string;
  /** Empty where it serves all. */
  readonly languages: readonly string[];
  readonly title: string | null;
}

/** What is wrong with a demonstration file. */
export interface PlacedProblem extends DemonstrationProblem {
  /** Relative to the folder. */
  readonly path: string;
}

export interface SkippedPath {
  readonly path: string;
  readonly reason: SkipReason;
}

/**
 * Why something that was asked for gave no memory: `empty`, for no text that can become one, or
 * `demonstrations`, which become memories where they are used.
 */
export type NothingReason = SkipReason | "empty" | "demonstrations";

/** A document at the place of a file that it is not: cells of a notebook, or one on no disk. */
interface Guest {
  readonly languageId: string;
  readonly imports: readonly Import[];
  readonly identifiers: ReadonlySet<string>;
}

/** Guests that are remembered. */
const guestLimit = 8;

/** A limit that was reached, and what it kept out. */
export interface ReachedLimit {
  /** `files`: known and not read; `names`, `folders`: not even listed. */
  readonly kind: "files" | "names" | "folders";
  readonly limit: number;
  readonly left: number;
}

type Found = DemonstrationFile | SpannedFile | { readonly skipped: SkipReason } | null;

interface LookOptions {
  readonly signal: AbortSignal | undefined;
  /** Asked for by name, and read whatever the limit. */
  readonly isNamed: boolean;
}

export interface GuestText {
  readonly text: string;
  readonly languageId: string;
}

/** Told while files are read. */
export type ReadProgress = (done: number, total: number) => void;

export interface FolderOptions {
  readonly cutting: CutOptions;
  readonly exclude: readonly string[];
  /** Default the host's. */
  readonly disk?: Disk | undefined;
  /** Told of a file on which something broke; the others are read all the same. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

export class FolderIndex {
  readonly #workspace: Workspace;
  readonly #order = new ReadingOrder();
  readonly #listing: FolderListing;
  readonly #index = new SpanIndex<Span>();
  readonly #imports = new Map<string, readonly Import[]>();
  readonly #identifiers = new Map<string, ReadonlySet<string>>();
  /** What is imported and named by documents that are none of the folder's files, by their place. */
  readonly #guests = new Map<string, Guest>();
  readonly #demonstrations = new Map<string, DemonstrationFile>();
  readonly #skipped = new Map<string, SkipReason>();
  /** Of open editors, by path. */
  readonly #texts = new Map<string, string>();
  readonly #queue = new ReadingQueue(this.#order, (path) => this.#texts.has(path));

  /** Read a second time, the file system having answered; a third time when they change. */
  readonly #retried = new Set<string>();
  readonly #onFailure: (error: unknown) => void;

  private constructor(workspace: Workspace, onFailure: (error: unknown) => void = () => {}) {
    this.#workspace = workspace;
    this.#onFailure = onFailure;
    this.#listing = new FolderListing({
      ...{ workspace, order: this.#order },
      onEntry: (entry) => this.#take(entry),
    });
  }

  /** @throws Error when there is no such folder. */
  static async open(folder: string, options: FolderOptions): Promise<FolderIndex> {
    const { cutting, exclude, disk, onFailure } = options;
    return new FolderIndex(await Workspace.open(folder, cutting, exclude, disk), onFailure);
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
    return this.#index.spansOf(path);
  }

  /** Of the file at `path`, or of all files below it; "" is the folder itself. */
  spansIn(path: string): Span[] {
    return this.#index.spans.filter((span) => isBelow(span.path, path));
  }

  /** What was left out at or below `path`. */
  skippedIn(path: string): SkippedPath[] {
    return [...this.#skipped]
      .filter(([each]) => isBelow(each, path) || isBelow(path, each.replace(/\/$/, "")))
      .map(([each, reason]) => ({ path: each, reason }));
  }

  /**
   * Why no memory was made of what was asked for at `path`, after it was read; null for a folder of
   * demonstrations, which become memories where they are used.
   */
  async whyNothing(path: string): Promise<NothingReason | null> {
    const holds = ({ path: left }: SkippedPath) => isBelow(path, left.replace(/\/$/, ""));
    const [skipped] = this.skippedIn(path).filter(holds);
    if (skipped !== undefined) return skipped.reason;
    if (this.#demonstrations.has(path)) return "demonstrations";
    if ([...this.#demonstrations.keys()].some((each) => isBelow(each, path))) return null;
    const kind = await this.#workspace.kindOf(this.#workspace.absolute(path));
    return kind === null ? "unreadable" : "empty";
  }

  get demonstrations(): PlacedDemonstration[] {
    return [...this.#demonstrations].flatMap(([path, { languages, title, demonstrations }]) =>
      demonstrations.map((each) => ({ ...each, path, languages, title })),
    );
  }

  /** What is wrong with demonstration files at or below `path`. */
  problemsIn(path: string): PlacedProblem[] {
    const files = [...this.#demonstrations].filter(([each]) => isBelow(each, path));
    return files.flatMap(([each, { problems }]) =>
      problems.map((problem) => ({ ...problem, path: each })),
    );
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
    const isFile = this.#identifiers.has(path) || this.#queue.unread.has(path);
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
  async receive(
    path: string,
    { text, languageId }: GuestText,
    signal?: AbortSignal,
  ): Promise<void> {
    const syntax = await this.#workspace.readSyntax(text, languageId, signal);
    this.#guests.delete(path);
    const identifiers = new Set(identifiersOf(text));
    this.#guests.set(path, { languageId, imports: syntax.imports, identifiers });
    for (const oldest of [...this.#guests.keys()].slice(0, -guestLimit))
      this.#guests.delete(oldest);
  }

  /** The document at `path` is the file itself. */
  dismiss(path: string): void {
    this.#guests.delete(path);
  }

  /**
   * Reads the file and those it most likely needs: what it imports, then those beside it.
   * @throws CancelledError
   */
  async readAround(path: string, onProgress: ReadProgress, signal?: AbortSignal): Promise<void> {
    this.#use(path);
    await this.#listing.listOne(folderOf(path));
    if (this.#queue.unread.has(path) || !this.#imports.has(path))
      await this.#readNamed(path, signal);
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
    const isKnown = this.#imports.has(path) && !this.#queue.unread.has(path);
    if (path !== "" && !isKnown && !this.#listing.isFolder(path)) {
      onProgress(0, 1);
      await this.#readNamed(path, signal);
    }
    return await this.#readAllBelow(path, onProgress, signal);
  }

  /** Reads what is left of demonstration files. */
  async readDemonstrations(): Promise<void> {
    await this.#listing.listBelow("", {});
    const paths = [...this.#queue.unread.keys()].filter(isDemonstrationFile);
    await this.#readAll(paths, () => {}, undefined);
  }

  /** What the file at `path` imports, after it was read. */
  importsFrom(path: string): RelatedQuery {
    return this.#relatedQuery(path);
  }

  /** Whether something at the top of the folder bears this name, as far as is known. */
  holds(name: string): boolean {
    return this.#listing.isFolder(name) || this.#imports.has(name) || this.#queue.unread.has(name);
  }

  /**
   * Reads the files at those of the places that there are, whatever the limit; returns their paths.
   * @throws CancelledError
   */
  async readPlaces(places: readonly string[], signal?: AbortSignal): Promise<string[]> {
    for (const each of new Set(places.map(folderOf))) await this.#listing.listOne(each);
    for (const path of places)
      if (this.#queue.unread.has(path)) await this.#readNamed(path, signal);
    return places.filter((path) => this.#imports.has(path));
  }

  /** Every span, for a file of another folder that imports from this one; `path` is from here. */
  rankImported(
    path: string,
    { before, after }: Pick<SpanQuery, "before" | "after">,
    { names, paths }: { readonly names: readonly string[]; readonly paths: readonly string[] },
  ): RankedSpan<Span>[] {
    return this.#index.rank({ path, before, after, importedNames: names, importedPaths: paths });
  }

  /** Every span of other files that any ranking knows, the best first. */
  rank(path: string, { before, after }: Pick<SpanQuery, "before" | "after">): RankedSpan<Span>[] {
    const query = this.#relatedQuery(path);
    return this.#index.rank({
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
    for (const [skipped, reason] of this.#skipped) {
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
    else if (!this.#isInSkipped(path)) this.#skipped.set(path, entry.skipped);
  }

  /** What is known at and below a folder. */
  #knownBelow(path: string): string[] {
    if (!this.#listing.isFolder(path) && !this.#skipped.has(`${path}/`)) return [];
    const { unread } = this.#queue;
    const known = [this.#identifiers, this.#demonstrations, this.#skipped, unread];
    const below = known.flatMap((files) => [...files.keys()].filter((each) => isBelow(each, path)));
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
    await this.#readAll(paths, onProgress, signal);
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
      count += await this.#readAll(paths, onProgress, signal);
    }
  }

  #makeRoom(path: string): void {
    const furthest = this.#queue.furthestFor(path);
    if (furthest === null) return;
    this.#forget(furthest);
    this.#queue.wait(furthest);
  }

  async #readNamed(path: string, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#queue.unread.has(path)) this.#queue.mark(path, true);
    await this.#read(path, signal, true);
  }

  async #readAll(
    paths: readonly string[],
    onProgress: ReadProgress,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    for (const [done, path] of paths.entries()) {
      onProgress(done, paths.length);
      await this.#read(path, signal);
    }
    return paths.length;
  }

  async #read(path: string, signal: AbortSignal | undefined, isNamed = false): Promise<void> {
    const mark = this.#queue.unread.get(path);
    if (mark === undefined) return; // Another has read it.
    const found = await this.#look(path, mark, { signal, isNamed }).catch((error: unknown) => {
      if (error instanceof CancelledError) throw error;
      this.#onFailure(new Error(`workspace: ${path} cannot be read`, { cause: error }));
      return { skipped: "failed" } as const;
    });
    if (this.#queue.unread.get(path) !== mark) return; // It was changed or read meanwhile.
    if (found === "waits") return this.#queue.wait(path);
    if (found !== null && !("skipped" in found)) this.#makeRoom(path);
    this.#forget(path);
    if (found === null) return;
    if (!("skipped" in found)) this.#queue.keep(path);
    if ("demonstrations" in found) this.#keepDemonstrations(path, found);
    else if ("spans" in found) this.#keep(path, found);
    else if (!this.#isInSkipped(path)) this.#skipped.set(path, found.skipped);
  }

  /**
   * What there is at a path; null for nothing and for a folder, whose files are marked; `waits` for a
   * file that came up and has no room.
   */
  async #look(path: string, { isUnseen }: Mark, options: LookOptions): Promise<Found | "waits"> {
    const text = this.#texts.get(path);
    const file = this.#workspace.absolute(path);
    const kind = text === undefined ? await this.#workspace.kindOf(file) : "file";
    this.#skipped.delete(`${path}/`);
    if (kind === null) return null;
    if (kind === "link" || kind === "hung") return { skipped: kind };
    if (kind === "other") return { skipped: "not-a-file" };
    if (kind === "folder") return await this.#lookBelow(path, options.signal);
    const isAsked = text !== undefined || options.isNamed || this.#queue.hasRoom(path);
    if (isUnseen && !isAsked) return "waits";
    if (isDemonstrationFile(path)) return await this.#parseDemonstrations(path, text);
    return await this.#workspace.read(file, { text, signal: options.signal });
  }

  async #lookBelow(path: string, signal: AbortSignal | undefined): Promise<null> {
    this.#listing.forget(path);
    await this.#listing.listBelow(path, { signal });
    return null;
  }

  async #parseDemonstrations(path: string, text: string | undefined): Promise<Found> {
    const source = await this.#workspace.readText(this.#workspace.absolute(path), text);
    if ("skipped" in source) return source;
    return parseDemonstrations(source.text);
  }

  #keep(path: string, { spans, imports }: SpannedFile): void {
    this.#imports.set(path, imports);
    this.#identifiers.set(path, new Set(spans.flatMap((span) => identifiersOf(span.text))));
    this.#index.setFile(path, spans);
  }

  #keepDemonstrations(path: string, file: DemonstrationFile): void {
    this.#demonstrations.set(path, file);
    if (file.demonstrations.length === 0) this.#skipped.set(path, "malformed");
  }

  #forget(path: string): void {
    this.#index.setFile(path, []);
    for (const files of [this.#imports, this.#identifiers, this.#demonstrations, this.#skipped])
      files.delete(path);
    this.#queue.drop(path);
  }

  /** Whether a folder that was left out holds it. */
  #isInSkipped(path: string): boolean {
    const names = path.split("/").slice(0, -1);
    return names.some((_, depth) => this.#skipped.has(`${names.slice(0, depth + 1).join("/")}/`));
  }

  #relatedQuery(path: string): RelatedQuery {
    const guest = this.#guests.get(path);
    if (guest !== undefined) return { path, ...guest };
    return {
      path,
      imports: this.#imports.get(path) ?? [],
      identifiers: this.#identifiers.get(path) ?? new Set<string>(),
    };
  }

  /** All files with the identifiers of those that were read. */
  #known(): ReadonlyMap<string, ReadonlySet<string>> {
    const none: ReadonlySet<string> = new Set();
    return new Map([
      ...[...this.#queue.unread.keys()].map((path) => [path, none] as const),
      ...this.#identifiers,
    ]);
  }
}

function isDemonstrationFile(path: string): boolean {
  return path.endsWith(".pith.md");
}
