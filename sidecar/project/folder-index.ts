// One workspace folder, read into a ranking of its spans: first what the file at hand most likely
// needs, then the rest, a file at a time, so that a keystroke may break in. Texts of open editors
// stand in for what the disk has. It runs no model.
import type { DemonstrationProblem } from "../selection/demonstration-problem.ts";
import {
  type Demonstration,
  type DemonstrationFile,
  parseDemonstrations,
} from "../selection/demonstrations.ts";
import { identifiersOf } from "../selection/identifiers.ts";
import { type RankedSpan, SpanIndex, type SpanQuery } from "../selection/span-index.ts";
import type { CutOptions } from "../workspace/cut.ts";
import { relatedFiles, resolveImports } from "../workspace/related-files.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import type { Import } from "../workspace/syntax/syntax.ts";
import { type Span, type SpannedFile, Workspace } from "../workspace/workspace.ts";

/**
 * Files of a folder beyond which none is read: their spans would take seconds to rank. One that is
 * worked in takes the place of another.
 */
export const fileLimit = 4_000;

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

type Found = DemonstrationFile | SpannedFile | { readonly skipped: SkipReason };

/** Told while files are read. */
export type ReadProgress = (done: number, total: number) => void;

export interface FolderOptions {
  readonly cutting: CutOptions;
  readonly exclude: readonly string[];
}

export class FolderIndex {
  readonly #workspace: Workspace;
  readonly #index = new SpanIndex<Span>();
  readonly #imports = new Map<string, readonly Import[]>();
  readonly #identifiers = new Map<string, ReadonlySet<string>>();
  readonly #demonstrations = new Map<string, DemonstrationFile>();
  readonly #skipped = new Map<string, SkipReason>();
  /** Of open editors, by path. */
  readonly #texts = new Map<string, string>();
  /** Files whose text is not known, in the order of names, each with what marked it so. */
  readonly #unread = new Map<string, symbol>();
  /** Files that count against the limit: found in the folder and to be read, or read. */
  readonly #files = new Set<string>();
  #isListed = false;

  private constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** @throws Error when there is no such folder. */
  static async open(folder: string, { cutting, exclude }: FolderOptions): Promise<FolderIndex> {
    return new FolderIndex(await Workspace.open(folder, cutting, exclude));
  }

  /** The real path of the folder. */
  get folder(): string {
    return this.#workspace.folder;
  }

  /** Whether every file has been read as it is now. */
  get isRead(): boolean {
    return this.#isListed && this.#unread.size === 0;
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
    this.#mark(path);
  }

  /**
   * A file or folder on the disk was made, changed or deleted. Returns all paths that it means: of a
   * folder that came or went the editor names none of the files.
   */
  touch(path: string): string[] {
    const paths = [path];
    if (!this.#identifiers.has(path)) {
      this.#workspace.forgetRules(this.#workspace.absolute(path));
      for (const files of [this.#identifiers, this.#demonstrations, this.#skipped])
        for (const each of files.keys())
          if (isBelow(each, path)) paths.push(each.replace(/\/$/, ""));
    }
    for (const each of paths) this.#mark(each);
    return paths;
  }

  /**
   * Reads the file and those it most likely needs: what it imports, then those beside it.
   * @throws CancelledError
   */
  async readAround(path: string, onProgress: ReadProgress, signal?: AbortSignal): Promise<void> {
    await this.#list(signal);
    if (this.#unread.has(path) || !this.#imports.has(path)) {
      this.#makeRoom(path);
      await this.#read(path, signal);
    }
    const related = relatedFiles(this.#relatedQuery(path), this.#known());
    await this.#readAll(
      related.map((each) => each.path).filter((each) => this.#unread.has(each)),
      onProgress,
      signal,
    );
  }

  /**
   * Reads what is left. Returns how many files were read.
   * @throws CancelledError
   */
  async readRest(onProgress: ReadProgress, signal?: AbortSignal): Promise<number> {
    return await this.readBelow("", onProgress, signal);
  }

  /**
   * Reads what is left of the file at `path`, or of all files below it. Returns how many were read.
   * @throws CancelledError
   */
  async readBelow(path: string, onProgress: ReadProgress, signal?: AbortSignal): Promise<number> {
    await this.#list(signal);
    for (let count = 0; ; ) {
      const paths = [...this.#unread.keys()].filter((each) => isBelow(each, path));
      if (paths.length === 0) return count;
      count += await this.#readAll(paths, onProgress, signal);
    }
  }

  /** Reads what is left of demonstration files. */
  async readDemonstrations(): Promise<void> {
    await this.#list(undefined);
    const paths = [...this.#unread.keys()].filter(isDemonstrationFile);
    await this.#readAll(paths, () => {}, undefined);
  }

  /** Every span of other files that any ranking knows, the best first. */
  rank(path: string, { before, after }: Pick<SpanQuery, "before" | "after">): RankedSpan<Span>[] {
    const imports = this.#imports.get(path) ?? [];
    return this.#index.rank({
      ...{ path, before, after },
      importedNames: imports.flatMap(({ names }) => names),
      importedPaths: resolveImports({ path, imports }, this.#known()),
    });
  }

  /** Once: the paths of all files that may be read. */
  async #list(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isListed) return;
    await this.#listBelow(this.folder, signal);
    this.#isListed = true;
  }

  async #listBelow(folder: string, signal: AbortSignal | undefined): Promise<void> {
    for await (const entry of this.#workspace.walk(folder, signal)) {
      if ("skipped" in entry) this.#skipped.set(entry.path, entry.skipped);
      else this.#markListed(this.#workspace.shown(entry.path));
    }
  }

  #markListed(path: string): void {
    if (!this.#hasRoom(path)) return;
    this.#files.add(path);
    this.#mark(path);
  }

  #hasRoom(path: string): boolean {
    return this.#files.has(path) || this.#files.size < fileLimit;
  }

  /** At the limit goes what no editor has open: first what was not read, then what was read longest ago. */
  #makeRoom(path: string): void {
    if (this.#hasRoom(path)) return;
    const oldest = [...this.#files].find((each) => !this.#texts.has(each));
    if (oldest !== undefined) this.#forget(oldest);
  }

  #mark(path: string): void {
    this.#unread.set(path, Symbol(path));
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

  async #read(path: string, signal: AbortSignal | undefined): Promise<void> {
    const mark = this.#unread.get(path);
    const found = await this.#look(path, signal);
    if (this.#unread.get(path) !== mark) return; // It was changed or read meanwhile.
    this.#forget(path);
    if (found === null) return;
    if (!("skipped" in found)) this.#files.add(path);
    if ("demonstrations" in found) this.#keepDemonstrations(path, found);
    else if ("spans" in found) this.#keep(path, found);
    else if (!this.#isInSkipped(path)) this.#skipped.set(path, found.skipped);
  }

  /**
   * What there is at a path; null for nothing, for a file beyond the limit, and for a folder, whose
   * files are marked.
   */
  async #look(path: string, signal: AbortSignal | undefined): Promise<Found | null> {
    const text = this.#texts.get(path);
    const file = this.#workspace.absolute(path);
    const kind = text === undefined ? await this.#workspace.kindOf(file) : "file";
    this.#skipped.delete(`${path}/`);
    if (kind === null) return null;
    if (kind === "link") return { skipped: "link" };
    if (kind === "folder") return await this.#lookBelow(path, signal);
    if (text !== undefined) this.#makeRoom(path);
    if (!this.#hasRoom(path)) return null;
    this.#files.add(path);
    if (isDemonstrationFile(path)) return await this.#parseDemonstrations(path, text);
    return await this.#workspace.read(file, { text, signal });
  }

  async #lookBelow(path: string, signal: AbortSignal | undefined): Promise<null> {
    const folder = this.#workspace.absolute(path);
    const reason = await this.#workspace.reasonFor(folder, "folder");
    if (reason === null) await this.#listBelow(folder, signal);
    else if (!this.#isInSkipped(path)) this.#skipped.set(`${path}/`, reason);
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
    this.#unread.delete(path);
    this.#files.delete(path);
  }

  /** Whether a folder that was left out holds it. */
  #isInSkipped(path: string): boolean {
    const names = path.split("/").slice(0, -1);
    return names.some((_, depth) => this.#skipped.has(`${names.slice(0, depth + 1).join("/")}/`));
  }

  #relatedQuery(path: string) {
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
      ...[...this.#unread.keys()].map((path) => [path, none] as const),
      ...this.#identifiers,
    ]);
  }
}

function isDemonstrationFile(path: string): boolean {
  return path.endsWith(".pith.md");
}

function isBelow(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}
