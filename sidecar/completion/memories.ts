// What stands in front of the near text: demonstrations and spans of other files, as raw text or as
// kept memories. In: a request's texts. Out: blocks to copy and ids to run, and what they cost.
//
//   raw   [sink] | demonstrations, spans as text
//   kept  [sink][demonstrations, in groups][spans, piece by piece]
//
// The best of each kind stands last. A span is its header, its text and a line end.
import type { Engine } from "../engine/engine.ts";
import { LimitError } from "../errors.ts";
import { entryCountAt, type KeptMemory, keep } from "../memory/kept.ts";
import { type EncodeOptions, KeptEncoder, pieceTokens } from "../memory/kept-encoder.ts";
import { KeptStore } from "../memory/kept-store.ts";
import { cutPieces } from "../memory/pieces.ts";
import { planShares } from "../memory/planner.ts";
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";
import { defaults } from "./defaults.ts";
import { encodeHeader, type PromptBlock, type PromptLayout, type Vocabulary } from "./layout.ts";
import type { ContextSpan, MemoryRequest } from "./request.ts";

export interface LaidMemories {
  readonly blocks: readonly PromptBlock[];
  /** Raw text, to be run behind the blocks. */
  readonly ids: readonly number[];
  /** Tokens of all texts, and the positions that they take here, the sink aside. */
  readonly contextBefore: number;
  readonly contextAfter: number;
}

export const noMemories: LaidMemories = {
  ...{ blocks: [], ids: [], contextBefore: 0, contextAfter: 0 },
};

/** Ids of the pieces of a span or of a group of demonstrations. */
type Pieces = readonly (readonly number[])[];

/** A piece and the positions it gets. */
export interface PieceShare {
  readonly ids: readonly number[];
  readonly count: number;
}

export class Memories {
  readonly #vocabulary: Vocabulary;
  readonly #layout: PromptLayout;
  readonly #encoder: KeptEncoder;
  readonly #store: KeptStore;

  /** @param loadGrams see KeptEncoderParts */
  constructor(
    engine: Engine,
    parts: {
      readonly vocabulary: Vocabulary;
      readonly layout: PromptLayout;
      readonly loadGrams: () => Promise<readonly Float32Array[]>;
    },
  ) {
    this.#vocabulary = parts.vocabulary;
    this.#layout = parts.layout;
    const encode = (text: string) => parts.vocabulary.encode(text);
    this.#encoder = new KeptEncoder(engine, { encode, loadGrams: parts.loadGrams });
    this.#store = new KeptStore(this.#encoder, defaults.memory.storeBytes);
  }

  /**
   * Encodes what is not yet known.
   * @throws LimitError for more text than a request may have; CancelledError
   */
  async lay(request: MemoryRequest, options: EncodeOptions): Promise<LaidMemories> {
    if (request.isCold) this.forget();
    checkCharacters(request);
    return request.form === "raw"
      ? this.#layRaw(request, await this.#sink(options))
      : this.#layKept(request, options);
  }

  /**
   * Blocks of pieces in their order, behind the sink. What is not known is encoded, the last one
   * first, so that a cancel leaves the best of them known.
   * @throws CancelledError
   */
  async layShares(shares: readonly PieceShare[], options: EncodeOptions): Promise<LaidMemories> {
    const blocks: PromptBlock[] = [];
    for (const { ids, count } of shares.toReversed())
      blocks.unshift(await this.#block(ids, count, options));
    return {
      blocks: [await this.#sink(options), ...blocks],
      ids: [],
      contextBefore: shares.reduce((sum, { ids }) => sum + ids.length, 0),
      contextAfter: shares.reduce((sum, { count }) => sum + count, 0),
    };
  }

  /** The pieces of a span as they are encoded: its header, its text and a line end. */
  piecesOf({ path, text }: ContextSpan): number[][] {
    const span = { header: this.#header(path), text: `${text}\n` };
    return cutPieces(this.#vocabulary, span, pieceTokens);
  }

  /** Several short demonstrations make one piece (method.md 1.3); a long one is cut. */
  piecesOfDemonstrations(texts: readonly string[]): number[][][] {
    const groups: number[][][] = [];
    let open: number[][] = [];
    const close = (): void => {
      if (open.length > 0) groups.push([open.flat()]);
      open = [];
    };
    for (const text of texts) {
      const pieces = this.piecesOf({ text });
      const [first = []] = pieces;
      const isFull = open.length === defaults.memory.groupedDemonstrations;
      if (isFull || pieces.length > 1 || open.flat().length + first.length > pieceTokens) close();
      if (pieces.length > 1) groups.push(pieces);
      else open.push(first);
    }
    close();
    return groups;
  }

  /** The memory of a piece with at least `entryCount` entries a head, if it is at hand. */
  find(ids: readonly number[], entryCount: number): KeptMemory | null {
    return this.#store.find(ids, entryCount);
  }

  /** A memory that was made earlier, as one of the bank's. */
  put(ids: readonly number[], memory: KeptMemory): void {
    this.#store.put(ids, memory);
  }

  /** All that was encoded, the sink too. */
  forget(): void {
    this.#encoder.forgetSink();
    this.#store.clear();
  }

  async #sink(options: EncodeOptions): Promise<PromptBlock> {
    const sink = await this.#encoder.readSink(options);
    return { key: "sink", length: sink.length, open: () => sink };
  }

  #layRaw(request: MemoryRequest, sink: PromptBlock): LaidMemories {
    const texts = [...demonstrationsOf(request), ...request.context];
    const ids = texts.flatMap((each) => this.#render(each));
    checkTokens(ids.length);
    const { ratio = 1, budget = ids.length } = request;
    const count = Math.min(Math.ceil(ids.length / ratio), budget);
    const last = ids.slice(ids.length - Math.min(count, ids.length));
    return {
      blocks: [sink],
      ids: last,
      contextBefore: ids.length,
      contextAfter: last.length,
    };
  }

  async #layKept(request: MemoryRequest, options: EncodeOptions): Promise<LaidMemories> {
    const texts = demonstrationsOf(request).map(({ text }) => text);
    const groups = this.piecesOfDemonstrations(texts);
    const spans = request.context.map((span) => this.piecesOf(span));
    const contextBefore = [groups, spans].flat(2).reduce((sum, { length }) => sum + length, 0);
    checkTokens(contextBefore);
    const shares = shareOut(groups, spans, request);
    const contextAfter = shares.reduce((sum, { count }) => sum + count, 0);
    // Encoding takes minutes at this size; what cannot be used is not begun.
    if (contextAfter > defaults.window)
      throw new LimitError(
        `completion: ${contextAfter} positions of memories exceed the window of ${defaults.window}`,
      );
    return { ...(await this.layShares(shares, options)), contextBefore };
  }

  async #block(
    ids: readonly number[],
    count: number,
    options: EncodeOptions,
  ): Promise<PromptBlock> {
    const { key, memory } = await this.#store.read(ids, { ...options, entryCount: count });
    return { key: `${key} ${count}`, length: count, open: () => keep(memory, count) };
  }

  #render({ path, text }: ContextSpan): number[] {
    return [...this.#header(path), ...this.#vocabulary.encode(`${text}\n`)];
  }

  #header(path: string | undefined): number[] {
    return path === undefined ? [] : encodeHeader(this.#layout, this.#vocabulary, path);
  }
}

function demonstrationsOf({ demonstrations, select }: MemoryRequest): readonly ContextSpan[] {
  return select === undefined || select >= demonstrations.length
    ? demonstrations
    : demonstrations.slice(demonstrations.length - select);
}

/** A ratio alone is the same for every piece; a budget goes to those that are likely needed. */
function shareOut(
  groups: readonly Pieces[],
  spans: readonly Pieces[],
  { context, ratio, budget }: MemoryRequest,
): PieceShare[] {
  const all = [...groups, ...spans];
  if (budget === undefined && ratio !== undefined)
    return all.flat().map((ids) => ({ ids, count: entryCountAt(ids.length, ratio) }));
  const chances = [...groups.map(() => undefined), ...context.map(({ chance }) => chance)];
  const candidates = all.map((pieces, index) => ({
    pieces: pieces.map(({ length }) => length),
    chance: chances[index] ?? 1,
  }));
  const plan = planShares(candidates, {
    budget: budget ?? defaults.memory.budget,
    finestRatio: ratio ?? defaults.memory.finestRatio,
  });
  return all.flatMap((pieces, index) =>
    (plan[index]?.positions ?? []).map((count, piece) => ({ ids: pieces[piece] ?? [], count })),
  );
}

function checkCharacters({ context, demonstrations }: MemoryRequest): void {
  const limit = defaults.memory.contextTokens * charactersPerToken;
  const count = [...demonstrations, ...context].reduce((sum, { text }) => sum + text.length, 0);
  if (count > limit)
    throw new LimitError(`completion: context of ${count} characters exceeds ${limit}`);
}

function checkTokens(count: number): void {
  const { contextTokens } = defaults.memory;
  if (count > contextTokens)
    throw new LimitError(`completion: context of ${count} tokens exceeds ${contextTokens}`);
}
