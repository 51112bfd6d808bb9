// Embedded memories in this process: virtual tokens by piece and question, blocks by their count
// besides. The first slots of a longer memory are a shorter one; means of parts are not.
import type { KvBlock } from "../engine/kv-cache.ts";
import type { CompressOptions, EmbeddedEncoder } from "./embedded-encoder.ts";
import { keyOf } from "./piece-key.ts";
import { RecentCache } from "./recent-cache.ts";
import { firstTokens, type VirtualTokens } from "./virtual-tokens.ts";

export interface EmbeddedBlock {
  /** Equal for equal pieces, questions and counts. */
  readonly key: string;
  readonly block: KvBlock;
}

export class EmbeddedStore {
  readonly #encoder: EmbeddedEncoder;
  readonly #tokens: RecentCache<VirtualTokens>;
  readonly #blocks: RecentCache<KvBlock>;

  constructor(encoder: EmbeddedEncoder, byteLimit: number) {
    this.#encoder = encoder;
    this.#tokens = new RecentCache(byteLimit, ({ vectors }) => vectors.byteLength);
    this.#blocks = new RecentCache(byteLimit, byteLengthOf);
  }

  /** Virtual tokens of a piece, compressed unless they are known. @throws CancelledError */
  async readTokens(ids: readonly number[], options: CompressOptions): Promise<VirtualTokens> {
    const { count, question } = options;
    const isElastic = this.#encoder.adapter.slot !== null;
    const key = keyOf(ids, question, isElastic ? [] : [count]);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.count >= count) return firstTokens(known, count);
    const tokens = await this.#encoder.compress(ids, options);
    this.#tokens.put(key, tokens);
    return tokens;
  }

  /** Their block, run behind the sink unless it is known. @throws CancelledError */
  async readBlock(
    ids: readonly number[],
    sink: KvBlock,
    options: CompressOptions,
  ): Promise<EmbeddedBlock> {
    const key = keyOf(ids, options.question, [options.count]);
    const known = this.#blocks.get(key);
    if (known !== undefined) return { key, block: known };
    const tokens = await this.readTokens(ids, options);
    const block = await this.#encoder.attachable(tokens, sink, options);
    this.#blocks.put(key, block);
    return { key, block };
  }

  clear(): void {
    this.#tokens.clear();
    this.#blocks.clear();
  }
}

function byteLengthOf({ keys, values }: KvBlock): number {
  return [...keys, ...values].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
