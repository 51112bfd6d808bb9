// The memories of the editor. In: the folders of the workspace, what is edited in them, and a place
// in the code. Out: what stands in front of the near text there, and why. A selection is made in
// pauses only, and stays until the next one, so that a keystroke finds the cached prompt as it was.
import { join } from "node:path";
import type { Completer } from "../completion/complete.ts";
import { defaults } from "../completion/defaults.ts";
import type { LaidMemories, Memories } from "../completion/memories.ts";
import type { VirtualForm } from "../completion/virtual-forms.ts";
import { CancelledError, errorKind, throwIfCancelled } from "../errors.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import type { Span } from "../workspace/workspace.ts";
import { BankKeeper } from "./bank-keeper.ts";
import type { ReachedLimit } from "./folder-index.ts";
import { Folders, type FoundFile, isReadAlike, type Touched } from "./folders.ts";
import { type KeptText, recollectTexts, type ShownSpan, shownSpan } from "./kept-texts.ts";
import { KnownReasons } from "./known-reasons.ts";
import type { BankFacts, MemoryBankOptions } from "./memory-bank.ts";
import { MemorySets } from "./memory-sets.ts";
import { type Cursor, nearTextOf, type ProjectTokenizer } from "./near-text.ts";
import { neighboursOf } from "./neighbours.ts";
import type { ReadProgress } from "./path-reader.ts";
import { providePieces, storedCounts, type WantedPiece, wantedPieces } from "./piece-encoder.ts";
import type { PlacedProblem, SkippedPath } from "./read-files.ts";
import type {
  Changes,
  CompressReport,
  LineRange,
  Lines,
  PauseWork,
  ProjectSettings,
  Selection,
  Target,
  WorkOptions,
} from "./request.ts";
import {
  type Candidate,
  candidateOf,
  candidatesFor,
  describeMemory,
  type Pieces,
  planMemories,
  type SelectedMemory,
  sharesOf,
} from "./selection.ts";
import { dropStale } from "./stale-memories.ts";

export interface ProjectParts {
  readonly memories: Memories;
  readonly completer: Completer;
  readonly tokenizer: ProjectTokenizer;
  /** Of the bank: its folder, and the model that its memories are of. */
  readonly bank: Pick<MemoryBankOptions, "folder" | "model">;
  /** Told of what went wrong without stopping anything. */
  readonly onFailure: (error: unknown) => void;
}

/** What a piece of work was begun with. */
interface Terms extends WorkOptions {
  readonly settings: ProjectSettings;
  readonly form: VirtualForm;
  /** Under which the folder was opened, see `#rules`. */
  readonly rules: number;
  /** Aborted by a purge. */
  readonly purging: AbortSignal;
}

/** How the model is run, so that a keystroke may break in. */
const idle = { chunk: defaults.chunk.idle } as const;

export class Project {
  readonly folders: Folders;
  readonly #parts: ProjectParts;
  readonly #sets = new MemorySets();
  readonly #reasons = new KnownReasons(async (file) => {
    const place = await this.folders.find(file);
    return place === null ? null : await place.folder.reasonFor(place.path);
  });
  readonly #bank: BankKeeper;
  /** Files whose memories may be stale. */
  readonly #changed = new Set<string>();
  #settings: ProjectSettings = {
    ...{ folders: [], exclude: [], isEnabled: false, form: "kept" },
    ...{ budget: 0, bankLimit: 0 },
  };
  /** Of all that is banked. Never fails. */
  #doubting: Promise<unknown> = Promise.resolve();
  /** How many are making memories. */
  #makers = 0;
  #purging = new AbortController();
  /** How often it has changed what may be read. */
  #rules = 0;

  constructor(parts: ProjectParts) {
    this.#parts = parts;
    this.#bank = new BankKeeper({ ...parts.bank, onFailure: parts.onFailure });
    const { tokenizer, onFailure } = parts;
    this.folders = new Folders((text) => tokenizer.encode(text).length, { onFailure });
  }

  /** What was selected under other settings is gone; what was read stays where it is still true. */
  configure(settings: ProjectSettings): void {
    const last = this.#settings;
    const isBankOther = settings.bankLimit !== last.bankLimit;
    this.folders.configure(settings);
    if (isBankOther) this.#bank.open(settings.bankLimit);
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

  /** What the limits of reading keep out of the selection for the file. */
  limitsFor(file: string | null): readonly ReachedLimit[] {
    return this.#sets.of(file).reachedLimits();
  }

  /** What was selected last. */
  get selection(): Selection {
    const { file, budget, planned } = this.#sets.last;
    return { file, budget, memories: planned.map(describeMemory) };
  }

  /** Why a file is kept from being read, as far as that can be known at a keystroke; null if it is not. */
  async reasonFor(file: string | null): Promise<SkipReason | "unknown" | null> {
    return file === null ? null : await this.#reasons.of(file);
  }

  async note({ edits, touched }: Changes): Promise<void> {
    const edited: string[] = [];
    for (const { file, text } of edits) edited.push(...(await this.folders.edit(file, text)));
    const all: Touched[] = [];
    for (const file of touched) all.push(await this.folders.touch(file));
    for (const file of [...edited, ...all.flatMap(({ paths }) => paths)]) this.#changed.add(file);
    if (all.some((each) => each.areRulesOther)) this.#renewRules();
    // A file that was opened, or is another now: the next keystroke in it knows what holds.
    for (const { file, text } of edits) if (text !== null) await this.#reasons.refresh(file);
    await this.#doubting;
  }

  /**
   * Reads, selects, encodes and lays what serves the cursor, and runs the prompt with it: first from
   * the files that are most likely needed, then from all. Where there can be no memories, why.
   * @throws CancelledError; what was done until then stays
   */
  async work({ cursor, ...changes }: PauseWork, options: WorkOptions): Promise<void> {
    this.#bank.mend();
    await this.note(changes);
    if (cursor !== null) await this.#reasons.refresh(cursor.file);
    const terms = await this.#beginPause(options);
    const place = cursor === null ? null : await this.folders.find(cursor.file);
    if (cursor === null || place === null || terms === null) {
      const file = cursor?.file ?? null;
      await this.#parts.completer.refresh({ file, memories: this.laidFor(file) }, options);
      return;
    }
    const onRead = (done: number, total: number) =>
      options.onActivity({ kind: "reading", done, total });
    await readFor(place, cursor, onRead, options.signal);
    await this.#select(place, cursor, terms);
    const count = await place.folder.readRest(onRead, options.signal);
    if (count > 0) await this.#select(place, cursor, terms);
    const { folders } = this;
    const { form } = terms;
    const { pieces: selected } = this.#sets.last;
    const parts = { folders, selected, form, pieces: this.#piecesOf(form) };
    await this.#bank.use(async (bank) => {
      if (bank !== null) await dropStale(this.#changed, { bank, ...parts }, options.signal);
    });
  }

  /**
   * Encodes the spans of files and folders, or of some of their lines, into the bank.
   * @throws UnsupportedError for what lies in no folder of the workspace, or where the form needs an
   * adapter and there is none; CancelledError
   */
  async compress(targets: readonly Target[], options: WorkOptions): Promise<CompressReport> {
    const terms = await this.#begin(options);
    const { form, onActivity, signal } = terms;
    const onRead = (done: number, total: number) => onActivity({ kind: "reading", done, total });
    const skipped = new Map<string, SkippedPath>();
    const problems = new Map<string, PlacedProblem[]>();
    const nothing: CompressReport["nothing"][number][] = [];
    const limits = new Map<string, () => readonly ReachedLimit[]>();
    const wanted = new Map<Span, string>();
    for (const { file, range } of targets) {
      const { root, folder, path } = await this.folders.require(file);
      await folder.readBelow(path, onRead, signal);
      problems.set(file, folder.problemsIn(path));
      const spans = folder
        .spansIn(path)
        .filter((span) => range === undefined || meets(span, range));
      for (const span of spans) wanted.set(span, root);
      limits.set(join(root, path), () => folder.limitsBelow(path));
      const why = spans.length === 0 ? await folder.whyNothing(path) : null;
      if (why !== null) nothing.push({ path: path || root, reason: why });
      if (spans.length > 0 && range !== undefined) continue;
      for (const each of folder.skippedIn(path)) skipped.set(join(root, each.path), each);
    }
    const found = [...wanted].map(async ([span, root]) => {
      const candidate = await candidateOf(span, this.#piecesOf(form));
      return wantedPieces(root, candidate, storedCounts(candidate));
    });
    const pieces = (await Promise.all(found)).flat();
    return await this.#make(pieces, terms, async () => ({
      files: new Set(pieces.map(({ place }) => place.file)).size,
      spans: wanted.size,
      tokens: pieces.reduce((sum, { ids }) => sum + ids.length, 0),
      positions: pieces.reduce((sum, { count }) => sum + count + form.markTokens, 0),
      ...{ skipped: [...skipped.values()], problems: [...problems.values()].flat(), nothing },
      limits: [...limits].flatMap(([folder, reached]) =>
        reached().map((each) => ({ folder, ...each })),
      ),
    }));
  }

  /**
   * What the memories of the spans that lie in these lines hold of them.
   * @throws as `compress` does
   */
  async keptTexts(wanted: readonly Lines[], options: WorkOptions): Promise<KeptText[]> {
    const terms = await this.#begin(options);
    const { form, onActivity, signal } = terms;
    const shown: ShownSpan[] = [];
    const pieces: WantedPiece[] = [];
    for (const { file, range } of wanted) {
      const { root, folder, path } = await this.folders.require(file);
      await folder.readAround(path, () => {}, signal);
      for (const span of folder.spansIn(path).filter((each) => meets(each, range))) {
        const candidate = await candidateOf(span, this.#piecesOf(form));
        const each = shownSpan(candidate, this.#sets.last.planned);
        const counts = each.shares.map(({ count }) => count);
        shown.push(each);
        pieces.push(...wantedPieces(root, candidate, counts));
      }
    }
    const { tokenizer } = this.#parts;
    const onPiece = (done: number, total: number) => {
      throwIfCancelled(terms.purging);
      // What a kept memory holds is read off; only embedded ones take a while.
      if (terms.settings.form === "embedded") onActivity({ kind: "decoding", done, total });
    };
    return await this.#make(pieces, terms, () =>
      recollectTexts(shown, { form, tokenizer }, { ...idle, signal, onPiece }),
    );
  }

  async bankFacts(): Promise<BankFacts> {
    return await this.#bank.facts();
  }

  /**
   * Deletes every memory, on the disk and in this process. What is being made ends as cancelled.
   * @throws Error where some stay on the disk
   */
  async purge(): Promise<void> {
    this.#purging.abort();
    this.#purging = new AbortController();
    try {
      await this.#bank.purge();
    } finally {
      this.#parts.memories.forget();
      this.#sets.clear();
    }
  }

  /** Lets go of the bank's files, until it is configured again. Never fails. */
  async dispose(): Promise<void> {
    this.#settings = { ...this.#settings, bankLimit: 0 };
    await this.#bank.close();
  }

  /** All that might stand in front of a place, the best first. @throws CancelledError */
  async rank(cursor: Cursor, signal?: AbortSignal): Promise<Candidate[]> {
    const place = await this.folders.find(cursor.file);
    if (place === null) return [];
    await readFor(place, cursor, () => {}, signal);
    const { memories, tokenizer } = this.#parts;
    const near = nearTextOf(place.path, cursor, tokenizer);
    const neighbours = await neighboursOf(place, this.folders, signal);
    return candidatesFor(near, place.folder, memories, neighbours);
  }

  async #select({ root, folder, path }: FoundFile, cursor: Cursor, terms: Terms): Promise<void> {
    const { memories, completer, tokenizer } = this.#parts;
    const { settings, form, signal } = terms;
    const { budget } = settings;
    const finestRatio = settings.form === "raw" ? 1 : defaults.memory.finestRatio;
    const near = nearTextOf(path, cursor, tokenizer);
    const neighbours = await neighboursOf({ root, folder, path }, this.folders, signal);
    const candidates = await candidatesFor(near, folder, this.#piecesOf(form), neighbours);
    const { leastRatio, markTokens } = form;
    const planned = planMemories(candidates, { budget, finestRatio, leastRatio, markTokens });
    const pieces = planned.flatMap((each) => wantedPieces(root, each.candidate, each.counts));
    const laid = await this.#make(pieces, terms, () =>
      memories.layShares(sharesOf(planned), form, { ...idle, signal }),
    );
    if (settings !== this.#settings || terms.rules !== this.#rules)
      throw new CancelledError("other settings or rules hold by now");
    const reachedLimits = () => folder.reachedLimits;
    this.#sets.keep({ file: cursor.file, laid, budget, planned, pieces, reachedLimits });
    await completer.refresh({ file: cursor.file, memories: laid }, terms);
  }

  /**
   * Makes memories of pieces, and then uses them. A purge waits for both.
   * @throws CancelledError, also where they were purged meanwhile
   */
  async #make<Result>(
    pieces: readonly WantedPiece[],
    { form, rules, purging, onActivity, signal }: Terms,
    use: () => Promise<Result>,
  ): Promise<Result> {
    const onEncode = (done: number, total: number) => {
      throwIfCancelled(purging);
      onActivity({ kind: "encoding", done, total });
    };
    this.#makers += 1;
    try {
      const result = await this.#bank.use(async (bank) => {
        await providePieces(pieces, { form, bank }, { ...idle, signal, onEncode });
        return await use();
      });
      throwIfCancelled(purging);
      return result;
    } finally {
      this.#makers -= 1;
      if (this.#makers === 0) await form.rest();
      // They may forbid what was just put into the bank.
      if (rules !== this.#rules) await this.#doubtBanked();
    }
  }

  /** @throws UnsupportedError, FormatError or LimitError where the form needs an adapter and none serves */
  async #begin(options: WorkOptions): Promise<Terms> {
    const settings = this.#settings;
    const start = { settings, rules: this.#rules, purging: this.#purging.signal };
    // Raw text stands there as all of its keys and values.
    const name = settings.form === "embedded" ? "embedded" : "kept";
    return { ...options, ...start, form: await this.#parts.memories.formOf(name) };
  }

  /** null where memories are off, or cannot be made, which is told: completions do without. */
  async #beginPause(options: WorkOptions): Promise<Terms | null> {
    if (!this.#settings.isEnabled) return null;
    return await this.#begin(options).catch((error: Error) => {
      if (errorKind(error) === "internal") this.#parts.onFailure(error);
      options.onActivity({ kind: "unavailable", message: error.message });
      return null;
    });
  }

  /** Cut as the form has them. */
  #piecesOf({ pieceTokens }: VirtualForm): Pieces {
    const { memories } = this.#parts;
    return {
      piecesOf: (span) => memories.piecesOf(span, pieceTokens),
      piecesOfDemonstrations: (texts) => memories.piecesOfDemonstrations(texts, pieceTokens),
    };
  }

  /** Whatever was selected, is under way or banked may be forbidden now. */
  #renewRules(): void {
    this.#rules += 1;
    this.#sets.clear();
    this.#reasons.clear();
    this.#doubting = Promise.all([this.#doubting, this.#doubtBanked()]);
  }

  /** Of all that is banked: other rules or folders may hold for any of it. */
  async #doubtBanked(): Promise<void> {
    const files = await this.#bank.use(async (bank) => await bank?.files());
    for (const file of files ?? []) this.#changed.add(file);
  }
}

async function readFor(
  { folder, path }: FoundFile,
  { isElsewhere = false, languageId, prefix, suffix }: Cursor,
  onRead: ReadProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!isElsewhere) folder.dismiss(path);
  else await folder.receive(path, { text: `${prefix}${suffix}`, languageId }, signal);
  await folder.readAround(path, onRead, signal);
}

function meets(a: LineRange, b: LineRange): boolean {
  return a.startLine < b.endLine && b.startLine < a.endLine;
}
