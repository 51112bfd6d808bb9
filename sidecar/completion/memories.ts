// What stands in front of the near text: demonstrations and spans of other files, as raw text or as
// memories. In: a request's texts. Out: blocks to copy and ids to run, and what they cost.
//
//   raw             [sink] | demonstrations, spans as text
//   kept, embedded  [sink][demonstrations, in groups][spans, piece by piece][far prefix]
//
// The best of each kind stands last. A span is its header, its text and a line end.
import type { Engine } from "../engine/engine.ts";
import { LimitError } from "../errors.ts";
import type { Adapter } from "../memory/adapter.ts";
import { runBehindSink } from "../memory/block-run.ts";
import { questionTokens } from "../memory/embedded-encoder.ts";
import {
  type EncodeOptions,
  KeptEncoder,
  type KeptEncoderParts,
  pieceTokens,
} from "../memory/kept-encoder.ts";
import { KeptStore } from "../memory/kept-store.ts";
import { keyOf } from "../memory/piece-key.ts";
import { type Cutter, cutPieces } from "../memory/pieces.ts";
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";
import { defaults } from "./defaults.ts";
import { encodeHeader, type PromptBlock, type PromptLayout, type Vocabulary } from "./layout.ts";
import type { ContextSpan, MemoryRequest } from "./request.ts";
import { type Offer, shareOut } from "./share-out.ts";
import {
  createEmbeddedForm,
  createKeptForm,
  type PieceShare,
  promptBlock,
  type VirtualForm,
} from "./virtual-forms.ts";

export interface LaidMemories {
  readonly blocks: readonly PromptBlock[];
  /** Raw text, to be run behind the blocks. */
  readonly ids: readonly number[];
  /** Tokens of all texts, and the positions that they take here, the sink aside. */
  readonly contextBefore: number;
  readonly contextAfter: number;
  /** Positions among the blocks that hold the prefix as it is. */
  readonly prefix: number;
}

export const noMemories: LaidMemories = {
  ...{ blocks: [], ids: [], contextBefore: 0, contextAfter: 0, prefix: 0 },
};

/** The text before the cursor: its file, what of it is near, and what a layout puts before that. */
export interface PrefixText {
  readonly path?: string | undefined;
  /** Ids of the near part, the last of which are the question. */
  readonly near: ArrayLike<number>;
  readonly first: string;
  readonly far: string;
}

export interface MemoriesParts {
  readonly vocabulary: Vocabulary &
    KeptEncoderParts["vocabulary"] & { isSpecial(id: number): boolean };
  readonly layout: PromptLayout;
  readonly cut: Cutter;
  /** See KeptEncoderParts. */
  readonly loadGrams: () => Promise<readonly Float32Array[]>;
  /** Asked for with the first embedded memory; throws where there is none for this model. */
  readonly loadAdapter: () => Promise<Adapter>;
}

export class Memories {
  readonly #engine: Engine;
  readonly #parts: MemoriesParts;
  readonly #encoder: KeptEncoder;
  readonly #kept: VirtualForm;
  #embedded: VirtualForm | null = null;

  constructor(engine: Engine, parts: MemoriesParts) {
    this.#engine = engine;
    this.#parts = parts;
    this.#encoder = new KeptEncoder(engine, parts);
    const store = new KeptStore(this.#encoder, defaults.memory.storeBytes);
    this.#kept = createKeptForm(store);
  }

  /**
   * Encodes what is not yet known.
   * @throws LimitError for more text than a request may have; CancelledError; what `loadAdapter`
   * throws
   */
  async lay(
    request: MemoryRequest,
    prefix: PrefixText,
    options: EncodeOptions,
  ): Promise<LaidMemories> {
    if (request.isCold) this.forget();
    checkCharacters([...request.demonstrations, ...request.context, { text: prefix.far }]);
    if (request.form === "raw") return this.#layRaw(request, await this.#sink(options));
    const form = await this.formOf(request.form);
    try {
      return await this.#layVirtual(request, { form, prefix }, options);
    } finally {
      await form.rest();
    }
  }

  /**
   * Blocks of pieces in their order, behind the sink. What is not known is encoded, the last one
   * first, so that a cancel leaves the best of them known.
   * @throws CancelledError
   */
  async layShares(
    shares: readonly PieceShare[],
    form: VirtualForm,
    options: EncodeOptions,
  ): Promise<LaidMemories> {
    for (const share of shares) if (!form.has(share)) await form.make(share, options);
    const blocks = await this.#blocks(shares, { form, question: [] }, options);
    return {
      ...noMemories,
      blocks: [await this.#sink(options), ...blocks],
      contextBefore: shares.reduce((sum, { ids }) => sum + ids.length, 0),
      contextAfter: blocks.reduce((sum, { length }) => sum + length, 0),
    };
  }

  /** The pieces of a span as they are encoded: its header, its text and a line end. */
  piecesOf({ path, text }: ContextSpan, limit: number = pieceTokens): Promise<number[][]> {
    const { vocabulary, cut } = this.#parts;
    const span = { header: this.#header(path), path, text: `${text}\n` };
    return cutPieces(vocabulary, span, { limit, cut });
  }

  /** Several short demonstrations make one piece; a long one is cut. */
  async piecesOfDemonstrations(
    texts: readonly string[],
    limit: number = pieceTokens,
  ): Promise<number[][][]> {
    const groups: number[][][] = [];
    let open: number[][] = [];
    const close = (): void => {
      if (open.length > 0) groups.push([open.flat()]);
      open = [];
    };
    for (const text of texts) {
      const pieces = await this.piecesOf({ text }, limit);
      const [first = []] = pieces;
      const isFull = open.length === defaults.memory.groupedDemonstrations;
      if (isFull || pieces.length > 1 || open.flat().length + first.length > limit) close();
      if (pieces.length > 1) groups.push(pieces);
      else open.push(first);
    }
    close();
    return groups;
  }

  /** @throws what `loadAdapter` throws, for embedded memories */
  async formOf(name: "kept" | "embedded"): Promise<VirtualForm> {
    if (name === "kept") return this.#kept;
    if (this.#embedded !== null) return this.#embedded;
    const { vocabulary, loadAdapter } = this.#parts;
    const parts = {
      adapter: await loadAdapter(),
      readSink: (options: EncodeOptions) => this.#encoder.readSink(options),
      isEnd: (id: number) => vocabulary.isSpecial(id) || vocabulary.endIds.has(id),
    };
    // Another request may have been first.
    this.#embedded ??= createEmbeddedForm(this.#engine, parts, defaults.memory.storeBytes);
    return this.#embedded;
  }

  /** All that was encoded, the sink too. */
  forget(): void {
    this.#encoder.forgetSink();
    this.#kept.clear();
    this.#embedded?.clear();
  }

  /**
   * Tokens of texts, and the positions that they would take, each by itself; the best one comes first.
   * @throws LimitError for more text than a request may have; what `loadAdapter` throws
   */
  async measure(
    request: MemoryRequest,
    texts: readonly ContextSpan[],
  ): Promise<{ tokens: number; positions: number }[]> {
    checkCharacters(texts);
    if (request.form === "raw")
      return measureRaw(
        request,
        texts.map((each) => this.#render(each).length),
      );
    const form = await this.formOf(request.form);
    const offers: Offer[] = [];
    for (const text of texts)
      offers.unshift({ pieces: await this.piecesOf(text, form.pieceTokens) });
    const counts = shareOut(offers, request, form.markTokens).map((shares) =>
      shares.reduce((sum, { count }) => sum + count + form.markTokens, 0),
    );
    return offers
      .map(({ pieces }, index) => ({
        tokens: pieces.flat().length,
        positions: counts[index] ?? 0,
      }))
      .toReversed();
  }

  #layRaw(request: MemoryRequest, sink: PromptBlock): LaidMemories {
    const texts = [...demonstrationsOf(request), ...request.context];
    const ids = texts.flatMap((each) => this.#render(each));
    checkTokens(ids.length);
    const { ratio = 1, budget = ids.length } = request;
    const count = Math.min(Math.ceil(ids.length / ratio), budget);
    const last = ids.slice(ids.length - Math.min(count, ids.length));
    return {
      ...noMemories,
      blocks: [sink],
      ids: last,
      contextBefore: ids.length,
      contextAfter: last.length,
    };
  }

  async #layVirtual(
    request: MemoryRequest,
    { form, prefix }: { form: VirtualForm; prefix: PrefixText },
    options: EncodeOptions,
  ): Promise<LaidMemories> {
    const { pieceTokens: limit, markTokens } = form;
    const offers = await this.#offers(request, prefix, limit);
    const pieces = offers.flatMap((offer) => offer.pieces);
    const contextBefore = pieces.reduce((sum, { length }) => sum + length, 0);
    checkTokens(contextBefore);
    const shares = shareOut(offers, request, markTokens);
    const contextAfter = shares.flat().reduce((sum, { count }) => sum + count + markTokens, 0);
    // Encoding takes minutes at this size; what cannot be used is not begun.
    if (contextAfter > defaults.window)
      throw new LimitError(
        `completion: ${contextAfter} positions of memories exceed the window of ${defaults.window}`,
      );
    const question = request.isConditional ? Array.from(prefix.near).slice(-questionTokens) : [];
    const contextCount = prefix.far === "" ? shares.length : shares.length - 1;
    const blocksOf = (wanted: readonly PieceShare[][]) =>
      this.#blocks(wanted.flat(), { form, question }, options);
    const far = await blocksOf(shares.slice(contextCount));
    const context = await blocksOf(shares.slice(0, contextCount));
    const sink = await this.#sink(options);
    const first = await this.#firstBlocks(prefix, sink, options);
    return {
      blocks: [sink, ...context, ...first, ...far],
      ids: [],
      ...{ contextBefore, contextAfter },
      prefix: this.#parts.vocabulary.encode(prefix.first).length,
    };
  }

  /** Demonstrations in groups, spans, and last the far prefix if there is one. */
  async #offers(request: MemoryRequest, prefix: PrefixText, limit: number): Promise<Offer[]> {
    const texts = demonstrationsOf(request).map(({ text }) => text);
    const groups = await this.piecesOfDemonstrations(texts, limit);
    const offers = groups.map((pieces): Offer => ({ pieces }));
    for (const span of request.context)
      offers.push({ pieces: await this.piecesOf(span, limit), chance: span.chance });
    if (prefix.far !== "") offers.push({ pieces: await this.#cutFar(prefix, limit) });
    return offers;
  }

  async #blocks(
    shares: readonly PieceShare[],
    { form, question }: { form: VirtualForm; question: readonly number[] },
    options: EncodeOptions,
  ): Promise<PromptBlock[]> {
    const blocks: PromptBlock[] = [];
    for (const share of shares.toReversed())
      blocks.unshift(await form.block(share, question, options));
    return blocks;
  }

  async #sink(options: EncodeOptions): Promise<PromptBlock> {
    return promptBlock("sink", await this.#encoder.readSink(options));
  }

  /** What stands raw in front of the far prefix, with the file's header. */
  async #firstBlocks(
    { path, first }: PrefixText,
    sink: PromptBlock,
    options: EncodeOptions,
  ): Promise<PromptBlock[]> {
    if (first === "") return [];
    const input = [...this.#header(path), ...this.#parts.vocabulary.encode(first)];
    const run = { sink: sink.open(), input, rows: input.length };
    return [promptBlock(`raw ${keyOf(input)}`, await runBehindSink(this.#engine, run, options))];
  }

  #render({ path, text }: ContextSpan): number[] {
    return [...this.#header(path), ...this.#parts.vocabulary.encode(`${text}\n`)];
  }

  #header(path: string | undefined): number[] {
    return path === undefined ? [] : encodeHeader(this.#parts.layout, this.#parts.vocabulary, path);
  }

  /** Its first piece has the header, unless raw text in front of it has. */
  #cutFar({ path, first, far }: PrefixText, pieceTokens: number): Promise<number[][]> {
    const { vocabulary, cut } = this.#parts;
    const span = { header: first === "" ? this.#header(path) : [], path, text: far };
    return cutPieces(vocabulary, span, { limit: pieceTokens, cut });
  }
}

function demonstrationsOf({ demonstrations, select }: MemoryRequest): readonly ContextSpan[] {
  return select === undefined || select >= demonstrations.length
    ? demonstrations
    : demonstrations.slice(demonstrations.length - select);
}

/** As raw text is cut: the best ones are whole, the last one that there is room for is not. */
function measureRaw(
  { ratio = 1, budget }: MemoryRequest,
  lengths: readonly number[],
): { tokens: number; positions: number }[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let left = Math.min(Math.ceil(total / ratio), budget ?? total);
  return lengths.map((tokens) => {
    const positions = Math.min(tokens, left);
    left -= positions;
    return { tokens, positions };
  });
}

function checkCharacters(texts: readonly ContextSpan[]): void {
  const limit = defaults.memory.contextTokens * charactersPerToken;
  const count = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (count > limit)
    throw new LimitError(`completion: context of ${count} characters exceeds ${limit}`);
}

function checkTokens(count: number): void {
  const { contextTokens } = defaults.memory;
  if (count > contextTokens)
    throw new LimitError(`completion: context of ${count} tokens exceeds ${contextTokens}`);
}
