// The editor-free API: opens a model and answers with it. Wires the parts by hand: a GGUF file that
// the catalogue locates is prepared for the engine once, and the engine, the tokenizer and the
// completer are made from what was prepared. Knows neither connections nor documents.
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { preparedFolder } from "./catalogue/home.ts";
import { catalogue, defaultVariant } from "./catalogue/models.ts";
import { type LocatedModel, locateModel, openStore, type Store } from "./catalogue/store.ts";
import { Completer } from "./completion/complete.ts";
import { defaults } from "./completion/defaults.ts";
import { readLayout } from "./completion/layout.ts";
import { Memories } from "./completion/memories.ts";
import type {
  Completion,
  CompletionRequest,
  InlineCompletion,
  InlineDocument,
  Score,
  SelectRequest,
  TextSelection,
} from "./completion/request.ts";
import { type Ranker, selectTexts } from "./completion/select.ts";
import { Engine } from "./engine/engine.ts";
import { defaultThreadCount } from "./engine/threads.ts";
import { findUnderTrained } from "./engine/under-trained.ts";
import { FormatError, LimitError, UnsupportedError } from "./errors.ts";
import { openFileSource } from "./gguf/byte-source.ts";
import { withLock } from "./lock.ts";
import { type Adapter, type Backbone, readAdapter } from "./memory/adapter.ts";
import { FORMAT_VERSION, type Variant } from "./model/manifest.ts";
import { loadOutputGrams } from "./model/output-grams.ts";
import { loadPrepared, type PreparedModel, prepareModel } from "./model/prepare.ts";
import { rememberedIds } from "./model/remembered-ids.ts";
import type { ReachedLimit } from "./project/folder-index.ts";
import { Project } from "./project/project.ts";
import { refusalFor } from "./project/refusal.ts";
import type { PauseWork, WorkOptions } from "./project/request.ts";
import type { SelectedMemory } from "./project/selection.ts";
import { rankTexts } from "./text-ranker.ts";
import { Tokenizer } from "./tokenizer/tokenizer.ts";
import { idsByUse } from "./tokenizer/vocabulary.ts";
import { cutStatements } from "./workspace/statement-cutter.ts";
import { DocumentTrees } from "./workspace/syntax/document-trees.ts";
import { SyntaxReader } from "./workspace/syntax/syntax.ts";

export interface ModelChoice {
  /** A catalogue id, the id of a file that was added, or the path of a GGUF file. */
  readonly model: string;
  /** Where everything of Pith lies; "": `PITH_HOME`, else the platform's data folder. */
  readonly home: string;
  /** 0: max(2, min(4, physical cores - 1)). */
  readonly threads: number;
  /** Default the catalogue's choice, else lossless. */
  readonly variant?: Variant | undefined;
  /** A safetensors file; default the one beside the model's file with its name, else the checkout's. */
  readonly adapter?: string | undefined;
}

export type OpenProgress = { stage: "preparing"; fraction: number } | { stage: "loading" };

export interface OpenOptions {
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
  /** Told of what went wrong later without stopping anything, as in the bank. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ModelFacts {
  readonly id: string;
  readonly sha256: string;
  readonly variant: string;
  readonly threads: number;
  readonly ms: OpenTimes;
}

/** Milliseconds of each stage of an opening. */
export interface OpenTimes {
  /** Finding the file, and reading its checksum if it is new. */
  readonly locate: number;
  /** Preparing the model, or reading what was prepared. */
  readonly prepare: number;
  readonly tokenizer: number;
  readonly engine: number;
}

export type BatchRequest = CompletionRequest;
export type MemoryRequest = NonNullable<CompletionRequest["memory"]>;
export type { SelectRequest };
export type ScoreRequest = Parameters<Completer["score"]>[0];
/** An open model takes no time to load. */
export type BatchCompletion = WithLoad<Completion>;
export type BatchScore = WithLoad<Score>;
export type BatchSelection = WithLoad<TextSelection>;
export interface EditorDocument extends InlineDocument {
  /** Absolute path; null: on no disk, and no memories stand in front of it. */
  readonly file: string | null;
}
export type ShownCompletion = WithLoad<InlineCompletion> & {
  /** What was selected to stand in front of the near text, the best first. */
  readonly memories: readonly SelectedMemory[];
  /** What the limits of reading keep out of them; absent where none was reached. */
  readonly limits?: readonly ReachedLimit[];
};

type WithLoad<Answer extends { ms: object }> = Omit<Answer, "ms"> & {
  readonly ms: Answer["ms"] & { readonly load: number };
};

export interface TokenSplit {
  readonly ids: number[];
  /** The bytes of each token. */
  readonly pieces: Uint8Array[];
  /** Bytes that the vocabulary lacks and that are therefore in no piece. */
  readonly unencodable: number;
}

/**
 * Opens a model; null when it is not on this machine. The first time ever, the file is read for its
 * checksum and prepared, which takes seconds; later what was prepared is mapped.
 *
 * @throws UnsupportedError for an unknown id or a model of a kind that is not implemented;
 * FormatError or LimitError for a file that is damaged; CancelledError.
 */
export async function openModel(
  choice: ModelChoice,
  options: OpenOptions = {},
): Promise<OpenModel | null> {
  const lap = startLaps();
  const store = await openStore({ folder: choice.home });
  const located = await locateModel(store, choice.model, { signal: options.signal });
  if (located === null) return null;
  const locate = lap();
  const variant = choice.variant ?? defaultVariant(located.sha256);
  const prepared = await findPrepared(store, { located, variant }, options);
  const prepare = lap();
  options.onProgress?.({ stage: "loading" });
  const threads = choice.threads || defaultThreadCount();
  const tokenizer = Tokenizer.create(prepared.vocabulary);
  const times = { locate, prepare, tokenizer: lap() };
  const engine = await Engine.load(prepared.engine, { threads }).catch((error: unknown) => {
    tokenizer.dispose();
    throw error;
  });
  const ms = { ...times, engine: lap() };
  const { id, sha256 } = located;
  const loadAdapter = () => loadAdapterOf(located, choice.adapter, prepared.hyperparameters);
  const { onFailure = () => {} } = options;
  const parts = {
    ...{ engine, tokenizer, prepared, loadAdapter },
    ...{ bank: store.home.bank, onFailure },
  };
  try {
    return new OpenModel(parts, { id, sha256, variant, threads, ms });
  } catch (error) {
    tokenizer.dispose();
    await engine.dispose();
    throw error;
  }
}

interface OpenParts {
  /** Folder of the bank. */
  readonly bank: string;
  readonly onFailure: (error: unknown) => void;
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly prepared: PreparedModel;
  readonly loadAdapter: () => Promise<Adapter>;
}

/** One model, from its opening to `dispose`. Requests are answered one after another. */
export class OpenModel {
  readonly facts: ModelFacts;
  /** The memories of the workspace. */
  readonly project: Project;
  readonly #prepared: PreparedModel;
  readonly #engine: Engine;
  readonly #tokenizer: Tokenizer;
  readonly #memories: Memories;
  readonly #completer: Completer;
  readonly #syntax = new SyntaxReader();
  readonly #trees = new DocumentTrees();
  readonly #running = new Set<Promise<unknown>>();
  readonly #onFailure: (error: unknown) => void;

  constructor(opened: OpenParts, facts: ModelFacts) {
    const { engine, tokenizer, prepared, loadAdapter, bank, onFailure } = opened;
    this.#prepared = prepared;
    this.#onFailure = onFailure;
    this.facts = facts;
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    const layout = readLayout(tokenizer);
    const loadGrams = () => loadOutputGrams(prepared.outputGramsFile, prepared.hyperparameters);
    this.#memories = new Memories(engine, {
      ...{ vocabulary: tokenizer, layout, loadGrams, loadAdapter },
      cut: (span, limits) => cutStatements(this.#syntax, span, limits),
    });
    const { limits } = defaults.alignment;
    this.#completer = new Completer(engine, tokenizer, limits, this.#memories);
    this.project = new Project({
      ...{ memories: this.#memories, tokenizer, onFailure, completer: this.#completer },
      bank: { folder: bank, model: `${facts.sha256} ${facts.variant}` },
    });
  }

  /** From a cold cache, nothing approximate. @throws LimitError beyond the window; CancelledError */
  async complete(request: BatchRequest, signal?: AbortSignal): Promise<BatchCompletion> {
    return withLoad(await this.#track(this.#completer.complete(request, { signal })));
  }

  /** From a cold cache. @throws LimitError beyond the window; CancelledError */
  async score(request: ScoreRequest, signal?: AbortSignal): Promise<BatchScore> {
    return withLoad(await this.#track(this.#completer.score(request, { signal })));
  }

  /** Ranks context and demonstrations. @throws LimitError for too much text */
  async select(request: SelectRequest): Promise<BatchSelection> {
    const rank: Ranker = (query, texts) => rankTexts(this.#syntax, query, texts);
    const parts = { tokenizer: this.#tokenizer, memories: this.#memories, rank };
    return withLoad(await this.#track(selectTexts(parts, request)));
  }

  /** What to show at a cursor, or why nothing. @throws CancelledError */
  completeInline(document: EditorDocument, signal?: AbortSignal): Promise<ShownCompletion> {
    return this.#track(this.#completeInline(document, signal));
  }

  /** For idle time: what serves the next completion. Returns the rows run. @throws CancelledError */
  async work(work: PauseWork, options: WorkOptions): Promise<number> {
    const before = this.#engine.counters.positions;
    await this.#track(this.project.work(work, options));
    return this.#engine.counters.positions - before;
  }

  /** Work of the project that runs the model, waited for before the model is let go of. */
  ofProject<T>(ask: (project: Project) => Promise<T>): Promise<T> {
    return this.#track(ask(this.project));
  }

  splitTokens(text: string | Uint8Array): TokenSplit {
    const tokenizer = this.#tokenizer;
    const ids = typeof text === "string" ? tokenizer.encode(text) : tokenizer.encodeBytes(text);
    const { unencodable } = tokenizer;
    return { ids: [...ids], pieces: Array.from(ids, (id) => tokenizer.bytesOf(id)), unencodable };
  }

  /**
   * The ids of tokens that the model has hardly seen, nearest to the unused ones first. Found once a
   * model, which takes seconds, and remembered on the disk.
   * @throws CancelledError
   */
  underTrained(signal?: AbortSignal): Promise<number[]> {
    const { hiddenSize } = this.#engine.shape;
    const { vocabulary, engine } = this.#prepared;
    const rows = { hiddenSize, embed: (ids: ArrayLike<number>) => this.#engine.embed(ids) };
    const file = join(dirname(engine.embeddings.file), "under-trained.json");
    const find = () => findUnderTrained(rows, idsByUse(vocabulary), signal);
    return this.#track(rememberedIds(file, find));
  }

  /** Facts for a bug report. */
  describe(): Record<string, string> {
    const { id, sha256, variant, threads, ms } = this.facts;
    const { shape, cacheWay, counters } = this.#engine;
    return {
      // Of a file of the user's the name alone: its folders are nobody's business.
      model: basename(id),
      "model file": `SHA-256 ${sha256}`,
      variant,
      layers: `${shape.layerCount} of ${shape.hiddenSize}`,
      "context length": `${shape.contextLength}`,
      threads: `${threads}`,
      cache: cacheWay,
      "rows run": `${counters.positions} in ${counters.runs} runs`,
      opened: Object.entries(ms)
        .map(([stage, each]) => `${stage} ${Math.round(each)} ms`)
        .join(", "),
    };
  }

  /** After the requests that are still running. Never fails: what did not close is told. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.#running);
    for (const part of [this.project, this.#tokenizer, this.#engine])
      try {
        await part.dispose();
      } catch (error) {
        this.#onFailure(error);
      }
  }

  async #completeInline(document: EditorDocument, signal?: AbortSignal): Promise<ShownCompletion> {
    const { file } = document;
    // Both at once and before anything is waited for: a pause that ends may lay others.
    const memories = this.project.laidFor(file);
    const selected = this.project.selectedFor(file);
    const refusal = refusalFor(await this.project.reasonFor(file));
    // What cannot be parsed is completed all the same.
    const faults = this.#trees.open(document).catch(() => null);
    const options = { signal, memories, file, refusal, faults };
    const answer = withLoad(await this.#completer.completeInline(document, options));
    const limits = this.project.limitsFor(file);
    const shown = { ...answer, memories: answer.use === null ? [] : selected };
    return limits.length === 0 ? shown : { ...shown, limits };
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

/** What was prepared earlier, else prepares it now; another process that does so is waited for. */
async function findPrepared(
  { home }: Store,
  { located, variant }: { located: LocatedModel; variant: Variant },
  options: OpenOptions,
): Promise<PreparedModel> {
  const folder = preparedFolder(home, { sha256: located.sha256, variant, format: FORMAT_VERSION });
  const found = await loadWhole(folder);
  if (found !== null) return found;
  const { signal } = options;
  const onProgress = (fraction: number) => options.onProgress?.({ stage: "preparing", fraction });
  onProgress(0);
  return withLock(`${folder}.lock`, { signal }, async (lost) => {
    const made = await loadWhole(folder);
    if (made !== null) return made;
    const source = await openFileSource(located.file);
    try {
      const sourceSha256 = located.sha256;
      const signals = AbortSignal.any([lost, ...(signal ? [signal] : [])]);
      const preparing = { variant, sourceSha256, onProgress, signal: signals };
      return await prepareModel(source, folder, preparing);
    } catch (error) {
      throw explainFullDisk(error, folder);
    } finally {
      await source.close();
    }
  });
}

async function loadAdapterOf(
  { id, file, sha256 }: LocatedModel,
  named: string | undefined,
  shape: Omit<Backbone, "sha256">,
): Promise<Adapter> {
  const beside = `${file.replace(/\.gguf$/i, "")}.safetensors`;
  const path = named ?? [beside, ...checkedOutAdapter(id)].find((each) => existsSync(each));
  if (path === undefined)
    throw new UnsupportedError(
      `memory embedded: ${basename(id)} has no adapter; put one at ${beside} or, on the command line, name it with --adapter; the form kept needs none`,
    );
  return readAdapter(path, { ...shape, sha256 });
}

/** Of a model of the catalogue, where the program runs from a checkout: the VSIX has none. */
function checkedOutAdapter(id: string): string[] {
  const arm = catalogue.find((model) => model.id === id)?.adapter;
  if (arm === undefined) return [];
  return [fileURLToPath(new URL(`../sidecar/adapters/${id}/${arm}.safetensors`, import.meta.url))];
}

function explainFullDisk(error: unknown, folder: string): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) return error;
  const message = `${folder}: the disk is full; a prepared model takes up to twice the room of its file`;
  return new LimitError(message, { cause: error });
}

/** null where a folder is missing, cut, or of another version: it is made again. */
async function loadWhole(folder: string): Promise<PreparedModel | null> {
  try {
    return await loadPrepared(folder);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function withLoad<Answer extends { ms: object }>(answer: Answer): WithLoad<Answer> {
  return { ...answer, ms: { ...answer.ms, load: 0 } };
}

/** Each call gives the milliseconds since the one before. */
function startLaps(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const ms = now - last;
    last = now;
    return ms;
  };
}
