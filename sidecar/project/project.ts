// The memories of the editor. In: the folders of the workspace, what is edited in them, and a place
// in the code. Out: what stands in front of the near text there, and why. A selection is made in
// pauses only, and stays until the next one, so that a keystroke finds the cached prompt as it was.
import { join, relative, sep } from "node:path";
import type { Completer } from "../completion/complete.ts";
import { defaults } from "../completion/defaults.ts";
import { type LaidMemories, type Memories, noMemories } from "../completion/memories.ts";
import { pieceTokens } from "../memory/kept-encoder.ts";
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";
import { isRuleFile } from "../workspace/ignore-rules.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import { FolderIndex, type PlacedDemonstration } from "./folder-index.ts";
import {
  type Candidate,
  candidatesFor,
  describeMemory,
  type NearText,
  planMemories,
  type SelectedMemory,
  sharesOf,
} from "./selection.ts";

export interface ProjectSettings {
  /** Absolute paths. */
  readonly folders: readonly string[];
  /** Patterns as in `.gitignore`. */
  readonly exclude: readonly string[];
  readonly isEnabled: boolean;
  /** Positions for all memories. */
  readonly budget: number;
}

/** What has happened since the last pause, and where the cursor is. */
export interface PauseWork {
  /** Texts of open editors by absolute path; null: closed. */
  readonly edits: readonly { readonly file: string; readonly text: string | null }[];
  /** Absolute paths of what was made, changed or deleted on the disk. */
  readonly touched: readonly string[];
  /** Where the last completion was asked for. */
  readonly cursor: Cursor | null;
}

export interface Cursor {
  /** Absolute path. */
  readonly file: string;
  readonly languageId: string;
  /** All the text before and behind the cursor. */
  readonly prefix: string;
  readonly suffix: string;
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

export interface ProjectParts {
  readonly memories: Memories;
  readonly completer: Completer;
  readonly tokenizer: ProjectTokenizer;
}

export interface ProjectTokenizer {
  encode(text: string): Uint32Array;
  bytesOf(id: number): Uint8Array;
}

interface MemorySet {
  readonly laid: LaidMemories;
  readonly selection: Selection;
}

const nothing: MemorySet = {
  laid: noMemories,
  selection: { file: null, budget: 0, memories: [] },
};

/** Tokens of the query (method.md section 2). */
const queryTokens = { before: 256, after: 64 };
/** Tokens of a span, so that its header fits into the piece with it. */
const spanTokens = pieceTokens - 16;
/** Files whose memories stay laid, those used last. */
const setLimit = 4;

export class Project {
  readonly #parts: ProjectParts;
  readonly #folders = new Map<string, Promise<FolderIndex | null>>();
  /** Of open editors, by absolute path. */
  readonly #texts = new Map<string, string>();
  readonly #sets = new Map<string, MemorySet>();
  #settings: ProjectSettings = { folders: [], exclude: [], isEnabled: false, budget: 0 };
  #last: MemorySet = nothing;

  constructor(parts: ProjectParts) {
    this.#parts = parts;
  }

  /** What was selected under other settings is gone; what was read stays where it is still true. */
  configure(settings: ProjectSettings): void {
    const isReadAlike = settings.exclude.join("\n") === this.#settings.exclude.join("\n");
    for (const folder of this.#folders.keys())
      if (!isReadAlike || !settings.folders.includes(folder)) this.#folders.delete(folder);
    this.#settings = settings;
    this.#sets.clear();
    this.#last = nothing;
  }

  /** What stands in front of the file's near text until the next pause. */
  laidFor(file: string | null): LaidMemories {
    return this.#setOf(file).laid;
  }

  /** The memories that stand there, the best first. */
  usedFor(file: string | null): SelectedMemory[] {
    return this.#setOf(file).selection.memories.filter(({ positions }) => positions > 0);
  }

  /** What was selected last. */
  get selection(): Selection {
    return this.#last.selection;
  }

  /** Why a file is kept from being read; null if it is not. */
  async reasonFor(file: string | null): Promise<SkipReason | null> {
    const place = file === null ? null : await this.#find(file);
    return place === null ? null : await place.folder.reasonFor(place.path);
  }

  /** With the absolute paths of their files. */
  async demonstrations(): Promise<(PlacedDemonstration & { readonly file: string })[]> {
    const lists = this.#settings.folders.map(async (root) => {
      const folder = await this.#open(root);
      return (folder?.demonstrations ?? []).map((each) => ({
        ...each,
        file: join(root, each.path),
      }));
    });
    return (await Promise.all(lists)).flat();
  }

  /**
   * Reads, selects, encodes and lays what serves the cursor, and runs the prompt with it: first from
   * the files that are most likely needed, then from all.
   * @throws CancelledError; what was done until then stays
   */
  async work({ edits, touched, cursor }: PauseWork, options: WorkOptions): Promise<void> {
    for (const { file, text } of edits) await this.#edit(file, text);
    for (const file of touched) await this.#touch(file);
    const place = cursor === null ? null : await this.#find(cursor.file);
    if (cursor === null || place === null || !this.#settings.isEnabled) {
      await this.#parts.completer.refresh(this.laidFor(cursor?.file ?? null), options);
      return;
    }
    const onRead = (done: number, total: number) =>
      options.onActivity({ kind: "reading", done, total });
    await place.folder.readAround(place.path, onRead, options.signal);
    await this.#select(place, cursor, options);
    const count = await place.folder.readRest(onRead, options.signal);
    if (count > 0) await this.#select(place, cursor, options);
  }

  /** All that might stand in front of a place, the best first. @throws CancelledError */
  async rank(cursor: Cursor, signal?: AbortSignal): Promise<Candidate[]> {
    const place = await this.#find(cursor.file);
    if (place === null) return [];
    await place.folder.readAround(place.path, () => {}, signal);
    return candidatesFor(this.#nearText(place.path, cursor), place.folder, this.#parts.memories);
  }

  async #select(
    { folder, path }: FoundFile,
    cursor: Cursor,
    { onActivity, signal }: WorkOptions,
  ): Promise<void> {
    const { memories, completer } = this.#parts;
    const { budget } = this.#settings;
    const { finestRatio } = defaults.memory;
    const candidates = candidatesFor(this.#nearText(path, cursor), folder, memories);
    const planned = planMemories(candidates, { budget, finestRatio });
    const shares = sharesOf(planned);
    const missing = shares.filter(({ ids, count }) => memories.find(ids, count) === null);
    const encoding = { chunk: defaults.chunk.idle, signal };
    for (const [done, share] of missing.toReversed().entries()) {
      onActivity({ kind: "encoding", done, total: missing.length });
      await memories.layShares([share], encoding);
    }
    const laid = await memories.layShares(shares, encoding);
    const { file } = cursor;
    this.#keep(file, { laid, selection: { file, budget, memories: planned.map(describeMemory) } });
    await completer.refresh(laid, { signal });
  }

  #keep(file: string, set: MemorySet): void {
    this.#sets.delete(file);
    this.#sets.set(file, set);
    this.#last = set;
    for (const oldest of [...this.#sets.keys()].slice(0, -setLimit)) this.#sets.delete(oldest);
  }

  #setOf(file: string | null): MemorySet {
    return (file === null ? undefined : this.#sets.get(file)) ?? nothing;
  }

  async #edit(file: string, text: string | null): Promise<void> {
    if (text === null) this.#texts.delete(file);
    else this.#texts.set(file, text);
    const place = await this.#find(file);
    place?.folder.setText(place.path, text);
  }

  async #touch(file: string): Promise<void> {
    const root = this.#rootOf(file);
    // Other rules may hold for any file now.
    if (root !== null && isRuleFile(file)) this.#folders.delete(root);
    const place = await this.#find(file);
    place?.folder.touch(place.path);
  }

  #nearText(path: string, { languageId, prefix, suffix }: Cursor): NearText {
    const { before, after } = queryTokens;
    const { tokenizer } = this.#parts;
    const last = tokenizer.encode(prefix.slice(-before * charactersPerToken)).slice(-before);
    const first = tokenizer.encode(suffix.slice(0, after * charactersPerToken)).slice(0, after);
    return { path, languageId, before: this.#decode(last), after: this.#decode(first) };
  }

  #decode(ids: Uint32Array): string {
    const bytes = Array.from(ids, (id) => this.#parts.tokenizer.bytesOf(id));
    return Buffer.concat(bytes).toString("utf8");
  }

  async #find(file: string): Promise<FoundFile | null> {
    const root = this.#rootOf(file);
    const folder = root === null ? null : await this.#open(root);
    if (root === null || folder === null) return null;
    return { folder, path: relative(root, file).split(sep).join("/") };
  }

  /** The innermost folder that holds the file. */
  #rootOf(file: string): string | null {
    const roots = this.#settings.folders.filter((root) => file.startsWith(withSeparator(root)));
    return roots.sort((a, b) => b.length - a.length)[0] ?? null;
  }

  #open(root: string): Promise<FolderIndex | null> {
    const opened = this.#folders.get(root) ?? this.#openFresh(root);
    this.#folders.set(root, opened);
    return opened;
  }

  /** null when it cannot be read: there are no memories of it then. */
  async #openFresh(root: string): Promise<FolderIndex | null> {
    const countTokens = (text: string) => this.#parts.tokenizer.encode(text).length;
    const cutting = { countTokens, limit: spanTokens };
    const { exclude } = this.#settings;
    const folder = await FolderIndex.open(root, { cutting, exclude }).catch(() => null);
    for (const [file, text] of this.#texts)
      if (this.#rootOf(file) === root)
        folder?.setText(relative(root, file).split(sep).join("/"), text);
    return folder;
  }
}

interface FoundFile {
  readonly folder: FolderIndex;
  /** Within the folder. */
  readonly path: string;
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
