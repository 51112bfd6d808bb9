// The forms in which a piece of text becomes positions to copy: kept keys and values, or embedded
// virtual tokens. What they have in common is what the prompt needs to know.
import type { Engine } from "../engine/engine.ts";
import type { KvBlock } from "../engine/kv-cache.ts";
import type { Adapter } from "../memory/adapter.ts";
import {
  continuationTokens,
  EmbeddedEncoder,
  embeddedPieceTokens,
} from "../memory/embedded-encoder.ts";
import { EmbeddedStore } from "../memory/embedded-store.ts";
import { keep } from "../memory/kept.ts";
import { type EncodeOptions, type KeptEncoder, pieceTokens } from "../memory/kept-encoder.ts";
import type { KeptStore } from "../memory/kept-store.ts";
import type { PromptBlock } from "./layout.ts";

/** A piece and the positions it gets, those of marks aside. */
export interface PieceShare {
  readonly ids: readonly number[];
  readonly count: number;
}

export interface VirtualForm {
  /** Most tokens of a piece. */
  readonly pieceTokens: number;
  /** Positions of every piece beside those it gets. */
  readonly markTokens: number;
  /** @param question ids that the memory may depend on. @throws CancelledError */
  block(
    share: PieceShare,
    question: readonly number[],
    options: EncodeOptions,
  ): Promise<PromptBlock>;
  /** Gives back what is needed for making memories alone. */
  rest(): Promise<void>;
  /** Forgets what earlier requests have made. */
  clear(): void;
}

export function createKeptForm(store: KeptStore): VirtualForm {
  return {
    pieceTokens,
    markTokens: 0,
    block: async ({ ids, count }, _, options) => {
      const { key, memory } = await store.read(ids, { ...options, entryCount: count });
      return { key: `kept ${key} ${count}`, length: count, open: () => keep(memory, count) };
    },
    rest: async () => {},
    clear: () => store.clear(),
  };
}

export function createEmbeddedForm(
  engine: Engine,
  { adapter, readSink }: { adapter: Adapter; readSink: KeptEncoder["readSink"] },
  storeBytes: number,
): VirtualForm {
  const store = new EmbeddedStore(new EmbeddedEncoder(engine, adapter), storeBytes);
  return {
    pieceTokens: embeddedPieceTokens,
    markTokens: continuationTokens,
    block: async ({ ids, count }, question, options) => {
      const sink = await readSink(options);
      const { key, block } = await store.readBlock(ids, sink, { ...options, count, question });
      return promptBlock(`embedded ${key}`, block);
    },
    rest: () => engine.releaseCompressor(),
    clear: () => store.clear(),
  };
}

export function promptBlock(key: string, block: KvBlock): PromptBlock {
  return { key, length: block.length, open: () => block };
}
