// The memories of the editor. In: the folders of the workspace, what is edited in them, and a place
// in the code. Out: what stands in front of the near text there, and why. A selection is made in
// pauses only, and stays until the next one, so that a keystroke finds the cached prompt as it was.
import { join } from "node:path";
import type { Completer } from "../completion/complete.ts";
import { defaults } from "../completion/defaults.ts";
import type { LaidMemories, Memories } from "../completion/memories.ts";
import { CancelledError, throwIfCancelled } from "../errors.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import type { Span } from "../workspace/workspace.ts";
import type { SkippedPath } from "./folder-index.ts";
import {
  type FolderSettings,
  Folders,
  type FoundFile,
  isReadAlike,
  type Touched,
} from "./folders.ts";
import { type KeptText, keptText, shownCounts } from "./kept-texts.ts";
import { type BankFacts, MemoryBank, type MemoryBankOptions } from "./memory-bank.ts";
import { MemorySets } from "./memory-sets.ts";
import { type Cursor, nearTextOf, type ProjectTokenizer } from "./near-text.ts";
import {
  PieceEncoder,
  type PieceOptions,
  storedCounts,
  type WantedPiece,
  wantedPieces,
} from "./piece-encoder.ts";
import {
  type Candidate,
  candidateOf,
  candidatesFor,
  describeMemory,
  planMemories,
  type SelectedMemory,
  sharesOf,
} from "./selection.ts";
import { dropStale } from "./stale-memories.ts";

export interface ProjectSettings extends FolderSettings {
  readonly isEnabled: boolean;
  /** Positions for all memories. */
  readonly budget: number;
  /** Whether a span may stand in front with the entries alone that matter most. */
  readonly isCompressed: boolean;
  /** Bytes of the bank on the disk. */
  readonly bankLimit: number;
}

/** What has happened since the last time. */
export interface Changes {
  /** Texts of open editors by absolute path; null: closed. */
  readonly edits: readonly { readonly file: string; readonly text: string | null }[];
  /** Absolute paths of what was made, changed or deleted on the disk. */
  readonly touched: readonly string[];
}

export interface PauseWork extends Changes {
  /** Where the last completion was asked for. */
  readonly cursor: Cursor | null;
}

/** The idle work, as people are told of it. */
export type MemoryActivity =
  | { readonly kind: "resting" }
  | { readonly kind: "reading"; readonly done: number; readonly total: number }
  | { readonly kind: "encoding"; readonly done: number; readonly total: number };

export interface WorkOptions {
  readonly onActivity: (activity: MemoryActivity) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What was selected for a file, the best first. */
export interface Selection {
  /** Absolute path; null before the first selection. */
  readonly file: string | null;
  readonly budget: number;
  readonly memories: readonly SelectedMemory[];
}

/** A file or folder, or lines of a file. */
export interface Target {
  /** Absolute. */
  readonly file: string;
  readonly range?: LineRange | undefined;
}

/** Lines from 0, the end exclusive. */
export interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}

export interface CompressReport {
  readonly files: number;
  readonly spans: number;
  readonly tokens: number;
  /** At the finest ratio that is stored. */
  readonly positions: number;
  readonly skipped: readonly SkippedPath[];
}

export interface ProjectParts {
  readonly memories: Memories;
  readonly completer: Completer;
  readonly tokenizer: ProjectTokenizer;
  /** Of the bank: its folder, and the model that its memories are of. */
  readonly bank: Pick<MemoryBankOptions, "folder" | "model" | "shape">;
  /** Told of what went wrong without stopping anything. */
  readonly onFailure: (error: unknown) => void;
}

interface RuledOptions extends WorkOptions {
  /** Under which the folder was opened, see `#rules`. */
  readonly rules: number;
}

export class Project {
  readonly folders: Folders;
  readonly #parts: ProjectParts;
  readonly #sets = new MemorySets();
  readonly #encoder: PieceEncoder;
  /** Files whose memories may be stale. */
  readonly #changed = new Set<string>();
  #settings: ProjectSettings = {
    ...{ folders: [], exclude: [], isEnabled: false, isCompressed: true },
    ...{ budget: 0, bankLimit: 0 },
  };
  /** The last change of the bank; the next waits for it. */
  #banking: Promise<void> = Promise.resolve();
  readonly #providing = new Set<Promise<void>>();
  #purging = new AbortController();
  /** How often it has changed what may be read. */
  #rules = 0;

  constructor(parts: ProjectParts) {
    this.#parts = parts;
    this.folders = new Folders((text) => parts.tokenizer.encode(text).length);
    this.#encoder = new PieceEncoder(parts.memories);
  }

  /** What was selected under other settings is gone; what was read stays where it is still true. */
  configure(settings: ProjectSettings): void {
    const last = this.#settings;
    const isBankOther = settings.bankLimit !== last.bankLimit;
    this.folders.configure(settings);
    if (isBankOther) this.#banking = this.#banking.then(() => this.#openBank(settings.bankLimit));
    if (isBankOther || !isReadAlike(settings, last)) this.#renewRules();
    this.#settings = settings;
    this.#sets.clear();
  }

  /** What stands in front of the file's near text until the next pause. */
  laidFor(file: string | null): LaidMemories {
    return this.#sets.of(file).laid;
  }

  /** What was selected for the file, the best first. */
  selectedFor(file: string | null): SelectedMemory[] {
    return this.#sets.of(file).planned.map(describeMemory);
  }

  /** What was selected last. */
  get selection(): Selection {
    const { file, budget, planned } = this.#sets.last;
    return { file, budget, memories: planned.map(describeMemory) };
  }

  /** Why a file is kept from being read; null if it is not. */
  async reasonFor(file: string | null): Promise<SkipReason | null> {
    const place = file === null ? null : await this.folders.find(file);
    return place === null ? null : await place.folder.reasonFor(place.path);
  }

  async note({ edits, touched }: Changes): Promise<void> {
    const edited: string[] = [];
    for (const { file, text } of edits) edited.push(...(await this.folders.edit(file, text)));
    const all: Touched[] = [];
    for (const file of touched) all.push(await this.folders.touch(file));
    for (const file of [...edited, ...all.flatMap(({ paths }) => paths)]) this.#changed.add(file);
    if (all.some((each) => each.areRulesOther)) this.#renewRules();
    await this.#banking;
  }

  /**
   * Reads, selects, encodes and lays what serves the cursor, and runs the prompt with it: first from
   * the files that are most likely needed, then from all.
   * @throws CancelledError; what was done until then stays
   */
  async work({ cursor, ...changes }: PauseWork, options: WorkOptions): Promise<void> {
    await this.note(changes);
    const rules = this.#rules;
    const place = cursor === null ? null : await this.folders.find(cursor.file);
    if (cursor === null || place === null || !this.#settings.isEnabled) {
      await this.#parts.completer.refresh(this.laidFor(cursor?.file ?? null), options);
      return;
    }
    const onRead = (done: number, total: number) =>
      options.onActivity({ kind: "reading", done, total });
    await place.folder.readAround(place.path, onRead, options.signal);
    await this.#select(place, cursor, { ...options, rules });
    const count = await place.folder.readRest(onRead, options.signal);
    if (count > 0) await this.#select(place, cursor, { ...options, rules });
    const { bank } = this.#encoder;
    const { folders } = this;
    const { pieces: selected } = this.#sets.last;
    const parts = { folders, selected, pieces: this.#parts.memories };
    if (bank !== null) await dropStale(this.#changed, { bank, ...parts }, options.signal);
  }

  /**
   * Encodes the spans of files and folders, or of some of their lines, into the bank.
   * @throws UnsupportedError for what lies in no folder of the workspace; CancelledError
   */
  async compress(targets: readonly Target[], options: WorkOptions): Promise<CompressReport> {
    const rules = this.#rules;
    const { onActivity, signal } = options;
    const onRead = (done: number, total: number) => onActivity({ kind: "reading", done, total });
    const skipped = new Map<string, SkippedPath>();
    const wanted = new Map<Span, string>();
    for (const { file, range } of targets) {
      const { root, folder, path } = await this.folders.require(file);
      await folder.readBelow(path, onRead, signal);
      const spans = folder
        .spansIn(path)
        .filter((span) => range === undefined || meets(span, range));
      for (const span of spans) wanted.set(span, root);
      if (spans.length > 0 && range !== undefined) continue;
      for (const each of folder.skippedIn(path)) skipped.set(join(root, each.path), each);
    }
    const found = [...wanted].map(async ([span, root]) => {
      const candidate = await candidateOf(span, this.#parts.memories);
      return wantedPieces(root, candidate, storedCounts(candidate));
    });
    const pieces = (await Promise.all(found)).flat();
    await this.#provide(pieces, { ...options, rules });
    return {
      files: new Set(pieces.map(({ place }) => place.file)).size,
      spans: wanted.size,
      tokens: pieces.reduce((sum, { ids }) => sum + ids.length, 0),
      positions: pieces.reduce((sum, { count }) => sum + count, 0),
      skipped: [...skipped.values()],
    };
  }

  /**
   * What the memories of the spans that lie in these lines of a file keep.
   * @throws UnsupportedError for a file in no folder of the workspace; CancelledError
   */
  async keptTexts(
    { file, range }: { readonly file: string; readonly range: LineRange },
    options: WorkOptions,
  ): Promise<KeptText[]> {
    const rules = this.#rules;
    const { root, folder, path } = await this.folders.require(file);
    await folder.readAround(path, () => {}, options.signal);
    const { memories, tokenizer } = this.#parts;
    const texts: KeptText[] = [];
    for (const span of folder.spansIn(path).filter((each) => meets(each, range))) {
      const candidate = await candidateOf(span, memories);
      // Lines may have moved since; other text has other pieces.
      const planned = this.#sets.last.planned.find(
        ({ candidate: { path: other, text }, counts }) =>
          other === path && text === span.text && counts.length > 0,
      );
      const counts = shownCounts(candidate.pieces, planned?.counts);
      await this.#provide(wantedPieces(root, candidate, counts), { ...options, rules });
      const { kind, startLine, endLine } = candidate;
      const bytesOf = (id: number) => tokenizer.bytesOf(id);
      const shown = { pieces: candidate.pieces, counts };
      texts.push(keptText({ kind, path, startLine, endLine }, shown, { memories, bytesOf }));
    }
    return texts;
  }

  async bankFacts(): Promise<BankFacts> {
    await this.#banking;
    const none = { memories: 0, byteLength: 0, limit: this.#settings.bankLimit };
    return (await this.#encoder.bank?.facts()) ?? none;
  }

  /** Deletes every memory, on the disk and in this process. What is being made ends as cancelled. */
  async purge(): Promise<void> {
    this.#purging.abort();
    this.#purging = new AbortController();
    await this.#banking;
    await Promise.allSettled(this.#providing);
    await this.#encoder.bank?.purge();
    this.#parts.memories.forget();
    this.#sets.clear();
  }

  /** Lets go of the bank's files. */
  async dispose(): Promise<void> {
    await this.#banking;
    await this.#encoder.bank?.close();
  }

  /** All that might stand in front of a place, the best first. @throws CancelledError */
  async rank(cursor: Cursor, signal?: AbortSignal): Promise<Candidate[]> {
    const place = await this.folders.find(cursor.file);
    if (place === null) return [];
    await place.folder.readAround(place.path, () => {}, signal);
    const { memories, tokenizer } = this.#parts;
    const near = nearTextOf(place.path, cursor, tokenizer);
    return candidatesFor(near, place.folder, memories);
  }

  async #select(
    { root, folder, path }: FoundFile,
    cursor: Cursor,
    options: RuledOptions,
  ): Promise<void> {
    const { memories, completer, tokenizer } = this.#parts;
    const { signal: purging } = this.#purging;
    const settings = this.#settings;
    const { budget, isCompressed } = settings;
    const finestRatio = isCompressed ? defaults.memory.finestRatio : 1;
    const near = nearTextOf(path, cursor, tokenizer);
    const candidates = await candidatesFor(near, folder, memories);
    const planned = planMemories(candidates, { budget, finestRatio });
    const pieces = planned.flatMap((each) => wantedPieces(root, each.candidate, each.counts));
    await this.#provide(pieces, options);
    const laid = await memories.layShares(sharesOf(planned), this.#encoding(options));
    throwIfCancelled(purging);
    if (settings !== this.#settings || options.rules !== this.#rules)
      throw new CancelledError("other settings or rules hold by now");
    this.#sets.keep({ file: cursor.file, laid, budget, planned, pieces });
    await completer.refresh(laid, options);
  }

  async #provide(pieces: readonly WantedPiece[], options: RuledOptions): Promise<void> {
    await this.#banking;
    const purging = this.#purging.signal;
    const { onEncode, ...rest } = this.#encoding(options);
    const providing = this.#encoder.provide(pieces, {
      ...rest,
      onEncode: (done, total) => {
        throwIfCancelled(purging);
        onEncode(done, total);
      },
    });
    this.#providing.add(providing);
    await providing.finally(async () => {
      this.#providing.delete(providing);
      // They may forbid what was just put into the bank.
      if (options.rules !== this.#rules) await this.#doubtBanked();
    });
  }

  #encoding({ onActivity, signal }: WorkOptions): PieceOptions {
    const onEncode = (done: number, total: number) => onActivity({ kind: "encoding", done, total });
    return { chunk: defaults.chunk.idle, signal, onEncode };
  }

  async #openBank(cap: number): Promise<void> {
    const { bank, onFailure } = this.#parts;
    await this.#encoder.bank?.close();
    // Without a bank memories are made anew in every process.
    this.#encoder.bank = await MemoryBank.open({ ...bank, cap, onFailure }).catch((error) => {
      onFailure(error);
      return null;
    });
  }

  /** Whatever was selected, is under way or banked may be forbidden now. */
  #renewRules(): void {
    this.#rules += 1;
    this.#sets.clear();
    this.#banking = this.#banking.then(() => this.#doubtBanked()).catch(this.#parts.onFailure);
  }

  /** Of all that is banked: other rules or folders may hold for any of it. */
  async #doubtBanked(): Promise<void> {
    for (const file of (await this.#encoder.bank?.files()) ?? []) this.#changed.add(file);
  }
}

function meets(a: LineRange, b: LineRange): boolean {
  return a.startLine < b.endLine && b.startLine < a.endLine;
}
