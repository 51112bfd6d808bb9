// The forms in which a piece of text becomes positions to copy: kept keys and values, or embedded
// virtual tokens. What they have in common is what the prompt and the bank need to know.
import type { Engine } from "../engine/engine.ts";
import type { KvBlock } from "../engine/kv-cache.ts";
import type { Adapter } from "../memory/adapter.ts";
import { decodeEmbedded, encodeEmbedded } from "../memory/embedded-codec.ts";
import {
  continuationTokens,
  EmbeddedEncoder,
  embeddedPieceTokens,
} from "../memory/embedded-encoder.ts";
import { EmbeddedStore } from "../memory/embedded-store.ts";
import { entryCountAt, keep, storedRatio } from "../memory/kept.ts";
import {
  type EncodeOptions,
  type KeptEncoder,
  pieceTokens,
  repeatText,
  sinkText,
  sinkTokens,
} from "../memory/kept-encoder.ts";
import { keptShares } from "../memory/kept-shares.ts";
import type { KeptStore } from "../memory/kept-store.ts";
import type { MemoryBytes } from "../memory/memory-bytes.ts";
import { outlineRule } from "../memory/outline.ts";
import { pool } from "../memory/virtual-tokens.ts";
import type { PromptBlock } from "./layout.ts";

/** A piece and the positions it gets, those of marks aside. */
export interface PieceShare {
  readonly ids: readonly number[];
  readonly count: number;
}

/** What a memory of a piece holds of it. */
export type Recollection =
  /** [tokens] Share of the key/value heads that kept each. */
  | { readonly kind: "kept"; readonly shares: Float32Array }
  /** What the model writes when it is asked for the text again. */
  | { readonly kind: "decoded"; readonly ids: readonly number[] };

export interface VirtualForm {
  /** All that memories are made by beside the model; those of another name are other memories. */
  readonly name: string;
  /** Most tokens of a piece. */
  readonly pieceTokens: number;
  /** Positions of every piece beside those it gets. */
  readonly markTokens: number;
  /** Tokens for a position at the least. */
  readonly leastRatio: number;
  /** @param question ids that the memory may depend on. @throws CancelledError */
  block(
    share: PieceShare,
    question: readonly number[],
    options: EncodeOptions,
  ): Promise<PromptBlock>;
  /** Whether a memory of the piece, alone, with so many positions is at hand as its bytes say it. */
  has(share: PieceShare): boolean;
  /** Makes it anew, and with it every smaller one, as the bytes say it. @throws CancelledError */
  make(share: PieceShare, options: EncodeOptions): Promise<MemoryBytes>;
  /** Brings one to hand that was made earlier. @throws FormatError when it is not one of this form */
  recall(ids: readonly number[], bytes: MemoryBytes): void;
  /** Of a piece, with so many positions. @throws CancelledError */
  recollect(share: PieceShare, options: EncodeOptions): Promise<Recollection>;
  /** Gives back what is needed for making memories alone. */
  rest(): Promise<void>;
  /** Forgets what earlier requests have made. */
  clear(): void;
}

export function createKeptForm(store: KeptStore): VirtualForm {
  const read = ({ ids, count }: PieceShare, options: EncodeOptions) =>
    store.read(ids, { ...options, entryCount: count });
  return {
    // Another sink, marker, rule for pieces or for their outline makes other memories.
    name: JSON.stringify(["kept", sinkText, sinkTokens, repeatText, pieceTokens, outlineRule]),
    pieceTokens,
    markTokens: 0,
    leastRatio: 1,
    block: async (share, _, options) => {
      const { key, memory } = await read(share, options);
      const { count } = share;
      return { key: `kept ${key} ${count}`, length: count, open: () => keep(memory, count) };
    },
    has: ({ ids, count }) => store.find(ids, count)?.isStored === true,
    make: ({ ids, count }, options) => store.make(ids, { ...options, entryCount: count }),
    recall: (ids, bytes) => void store.put(ids, bytes),
    recollect: async (share, options) => {
      const { memory } = await read(share, options);
      return { kind: "kept", shares: keptShares(memory, share.count) };
    },
    rest: async () => {},
    clear: () => store.clear(),
  };
}

export interface EmbeddedFormParts {
  readonly adapter: Adapter;
  readonly readSink: KeptEncoder["readSink"];
  /** Whether an id ends a text. */
  readonly isEnd: (id: number) => boolean;
}

export function createEmbeddedForm(
  engine: Engine,
  { adapter, readSink, isEnd }: EmbeddedFormParts,
  storeBytes: number,
): VirtualForm {
  const encoder = new EmbeddedEncoder(engine, adapter);
  const store = new EmbeddedStore(encoder, storeBytes);
  /** With as many virtual tokens as any memory has, so that it serves all. */
  const read = ({ ids, count }: PieceShare, options: EncodeOptions) => {
    const most = Math.max(count, entryCountAt(ids.length, storedRatio));
    return store.read(ids, { ...options, count: most, question: [] });
  };
  return {
    name: JSON.stringify(["embedded", adapter.sha256, embeddedPieceTokens]),
    pieceTokens: embeddedPieceTokens,
    markTokens: continuationTokens,
    // Adapters are trained at no lower one.
    leastRatio: storedRatio,
    block: async ({ ids, count }, question, options) => {
      const sink = await readSink(options);
      const { key, block } = await store.readBlock(ids, sink, { ...options, count, question });
      return promptBlock(`embedded ${key}`, block);
    },
    has: ({ ids, count }) => store.find(ids, { count, question: [] }) !== null,
    make: async (share, options) => {
      const memory = await read(share, options);
      const most = entryCountAt(memory.tokenCount, storedRatio);
      return encodeEmbedded(memory, pool(encoder.virtualTokens(memory, most)));
    },
    recall: (ids, bytes) => store.put(ids, [], decodeEmbedded(bytes, adapter)),
    recollect: async (share, options) => {
      const tokens = encoder.virtualTokens(await read(share, options), share.count);
      const decoding = { ...options, maxTokens: share.ids.length, isEnd };
      const sink = await readSink(options);
      return { kind: "decoded", ids: await encoder.decode(tokens, sink, decoding) };
    },
    rest: () => engine.releaseCompressor(),
    clear: () => store.clear(),
  };
}

export function promptBlock(key: string, block: KvBlock): PromptBlock {
  return { key, length: block.length, open: () => block };
}
