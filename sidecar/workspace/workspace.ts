// One folder of the user's as spans. In: paths, and the texts of open editors. Out: spans with what
// they define, or why there are none. It reads the disk and writes nothing.
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfCancelled, UnsupportedError } from "../errors.ts";
import { type CutOptions, cutText, type Piece } from "./cut.ts";
import { type Disk, type EntryKind, HungError, hostDisk } from "./disk.ts";
import { IgnoreRules } from "./ignore-rules.ts";
import { isWithin, pathWithin } from "./is-within.ts";
import { reasonByName } from "./name-reason.ts";
import {
  byteLimit,
  checkSource,
  type Encodings,
  type ReadingOptions,
  readSource,
} from "./read-source.ts";
import { findSecrets, type SecretLines } from "./secrets.ts";
import type { SkipReason } from "./skip-reason.ts";
import { grammarOf, languageOf } from "./syntax/languages.ts";
import { type Definition, type Import, type Syntax, SyntaxReader } from "./syntax/syntax.ts";

export interface Span {
  /** Relative to the workspace folder, with `/`: what stands in the span's header. */
  readonly path: string;
  readonly language: string;
  /** Lines of the file from 0, the end exclusive. */
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
  /** Names whose definition begins in the span. */
  readonly defines: readonly string[];
}

export interface SpannedFile {
  readonly path: string;
  readonly spans: readonly Span[];
  readonly imports: readonly Import[];
  /** Lines that were kept out, each with its reason. */
  readonly withheld: readonly (SecretLines & { readonly reason: "secret" })[];
}

export interface SkippedFile {
  readonly path: string;
  readonly skipped: SkipReason;
}

/** Relative to the workspace folder; of a folder with a `/` at its end. */
export interface ListedPath {
  readonly path: string;
  readonly kind: "file" | "folder";
}

export interface WholeFile {
  readonly path: string;
  readonly text: string;
}

export interface ReadOptions {
  /** The text of an open editor, in place of what the disk has. */
  readonly text?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WorkspaceOptions extends ReadingOptions {
  /** Patterns as in `.gitignore` (the setting `pith.exclude`); default none. */
  readonly exclude?: readonly string[] | undefined;
}

interface WorkspaceParts {
  readonly rules: IgnoreRules;
  readonly cutting: CutOptions;
  readonly reading: { readonly disk: Disk; readonly encodings: Encodings };
}

export class Workspace {
  /** The real path, which no link is part of. */
  readonly folder: string;
  readonly #rules: IgnoreRules;
  readonly #cutting: CutOptions;
  readonly #reading: WorkspaceParts["reading"];
  readonly #disk: Disk;
  readonly #reader = new SyntaxReader();

  private constructor(folder: string, { rules, cutting, reading }: WorkspaceParts) {
    this.folder = folder;
    this.#rules = rules;
    this.#cutting = cutting;
    this.#reading = reading;
    this.#disk = reading.disk;
  }

  /** @throws UnsupportedError where there is no such folder, HungError */
  static async open(
    folder: string,
    cutting: CutOptions,
    { exclude = [], disk = hostDisk, encodings = {} }: WorkspaceOptions = {},
  ): Promise<Workspace> {
    const real = await disk.realPath(folder);
    if (real === null) throw new UnsupportedError(`folder ${folder}: cannot be read`);
    const rules = await IgnoreRules.open(real, exclude, disk);
    return new Workspace(real, { rules, cutting, reading: { disk, encodings } });
  }

  /** As spans name it: relative to the folder, with `/`. */
  shown(path: string): string {
    return pathWithin(this.folder, path);
  }

  absolute(shown: string): string {
    return join(this.folder, ...shown.split("/"));
  }

  /** Why the rules keep what is at an absolute path from becoming memories; null if they do not. */
  async reasonFor(path: string, kind: "file" | "folder" = "file"): Promise<SkipReason | null> {
    return isWithin(path, this.folder) ? await this.#rules.reasonFor(path, kind) : "outside";
  }

  /** To be called when a folder, by its absolute path, was made or deleted with all that it holds. */
  forgetRules(path: string): void {
    this.#rules.forget(path);
  }

  /** What is at an absolute path, of a link the link itself; null for nothing. */
  async kindOf(path: string): Promise<EntryKind | "hung" | null> {
    return await orHung(this.#disk.kindOf(path));
  }

  /** Whether the file system still owes an answer about what is at an absolute path. */
  isHung(path: string): boolean {
    return this.#disk.isHung(path);
  }

  /**
   * The spans of the file at an absolute path.
   * @throws CancelledError when `signal` fires.
   */
  async read(path: string, { text, signal }: ReadOptions = {}): Promise<SpannedFile | SkippedFile> {
    const read = await this.#read(path, text);
    return "skipped" in read ? read : await this.#span(read.path, read.text, signal);
  }

  /** What a text says that is no file's. @throws CancelledError when `signal` fires. */
  async readSyntax(text: string, languageId: string, signal?: AbortSignal): Promise<Syntax> {
    const isShort = text.length <= byteLimit;
    return await this.#reader.read(text, isShort ? grammarOf(languageId, "") : null, signal);
  }

  /** The text of the file at an absolute path, unless there is a reason to leave it out. */
  async readText(path: string, text?: string): Promise<WholeFile | SkippedFile> {
    const read = await this.#read(path, text);
    if ("skipped" in read) return read;
    const secrets = await findSecrets(read.text, read.path);
    if (secrets === null) return { path: read.path, skipped: "unchecked" };
    return secrets.length === 0 ? read : { path: read.path, skipped: "secret" };
  }

  async #read(path: string, text: string | undefined): Promise<WholeFile | SkippedFile> {
    const real = await orHung(this.#disk.realPath(path));
    if (real === "hung") return { path: this.shown(path), skipped: "hung" };
    if (real === null && text === undefined)
      return { path: this.shown(path), skipped: "unreadable" };
    // A link may have a harmless name; what counts is where it leads.
    const place = real ?? path;
    const shown = this.shown(place);
    const reason = await this.reasonFor(place);
    if (reason !== null) return { path: shown, skipped: reason };
    const source =
      text === undefined ? await readSource(place, this.#reading) : checkSource(place, text);
    if ("skipped" in source) return { path: shown, skipped: source.skipped };
    return { path: shown, text: source.text };
  }

  /**
   * What there is in one folder, by its absolute path, in the order of names, and what is left out of
   * it by rules or by its name; of a folder the path ends in `/`, and nothing in it is looked at.
   */
  async *list(folder: string = this.folder): AsyncGenerator<ListedPath | SkippedFile> {
    const entries = (await orHung(this.#disk.list(folder))) ?? "unreadable";
    if (typeof entries === "string")
      return yield { path: this.#shownFolder(folder), skipped: entries };
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const kind = entry.kind === "folder" ? "folder" : "file";
      const shown = kind === "folder" ? this.#shownFolder(path) : this.shown(path);
      const reason = (await this.#reasonToSkip(path, kind)) ?? reasonByKind[entry.kind];
      yield reason === null ? { path: shown, kind } : { path: shown, skipped: reason };
    }
  }

  #shownFolder(path: string): string {
    return `${this.shown(path)}/`;
  }

  /** By the name first, which costs a hundredth of what the rules do: there may be very many. */
  async #reasonToSkip(path: string, kind: "file" | "folder"): Promise<SkipReason | null> {
    const named = kind === "file" ? reasonByName(path) : null;
    return named ?? (await this.#rules.reasonFor(path, kind));
  }

  async #span(
    path: string,
    text: string,
    signal: AbortSignal | undefined,
  ): Promise<SpannedFile | SkippedFile> {
    const secrets = await findSecrets(text, path);
    if (secrets === null) return { path, skipped: "unchecked" };
    const { id, grammar } = languageOf(path);
    await nextTurn(); // A keystroke may have come in.
    const syntax = await this.#reader.read(text, grammar, signal);
    await nextTurn();
    throwIfCancelled(signal);
    const pieces = cutText(text, syntax.borders, this.#cutting);
    const spans = pieces
      .filter((piece) => piece.text.trim() !== "" && !secrets.some((lines) => meets(lines, piece)))
      .map((piece) => ({ path, language: id, ...piece, defines: definedIn(piece, syntax) }));
    const withheld = secrets.map((lines) => ({ ...lines, reason: "secret" as const }));
    return { path, spans, imports: syntax.imports, withheld };
  }
}

const reasonByKind = {
  ...{ file: null, folder: null },
  link: "link",
  other: "not-a-file",
} as const satisfies Record<EntryKind, SkipReason | null>;

async function orHung<Answer>(asked: Promise<Answer>): Promise<Answer | "hung"> {
  return await asked.catch((error: unknown) => {
    if (error instanceof HungError) return "hung";
    throw error;
  });
}

interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}

function meets(a: LineRange, b: LineRange): boolean {
  return a.startLine < b.endLine && b.startLine < a.endLine;
}

function definedIn({ startLine, endLine }: Piece, { definitions }: Syntax): string[] {
  const isInside = ({ line }: Definition): boolean => startLine <= line && line < endLine;
  return [...new Set(definitions.filter(isInside).map(({ name }) => name))];
}
