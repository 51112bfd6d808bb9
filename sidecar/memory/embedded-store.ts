// Embedded memories in this process: by piece and question, their blocks by count besides. One of
// several slots serves every smaller count, one that is pooled serves all of them.
import type { KvBlock } from "../engine/kv-cache.ts";
import type { CompressOptions, EmbeddedEncoder, EmbeddedMemory } from "./embedded-encoder.ts";
import { keyOf } from "./piece-key.ts";
import { RecentCache } from "./recent-cache.ts";

export interface EmbeddedBlock {
  /** Equal for equal pieces, questions and counts. */
  readonly key: string;
  readonly block: KvBlock;
}

export class EmbeddedStore {
  readonly #encoder: EmbeddedEncoder;
  readonly #memories: RecentCache<EmbeddedMemory>;
  readonly #blocks: RecentCache<KvBlock>;

  constructor(encoder: EmbeddedEncoder, byteLimit: number) {
    this.#encoder = encoder;
    this.#memories = new RecentCache(byteLimit, ({ states }) => states.byteLength);
    this.#blocks = new RecentCache(byteLimit, byteLengthOf);
  }

  /** The memory of a piece, encoded unless it is known. @throws CancelledError */
  async read(ids: readonly number[], options: CompressOptions): Promise<EmbeddedMemory> {
    const { count, question } = options;
    const known = this.find(ids, { count, question });
    if (known !== null) return known;
    const memory = await this.#encoder.encode(ids, options);
    this.put(ids, question, memory);
    return memory;
  }

  /** The memory of a piece if it is known and `count` virtual tokens can be made of it. */
  find(
    ids: readonly number[],
    { count, question }: Pick<CompressOptions, "count" | "question">,
  ): EmbeddedMemory | null {
    const known = this.#memories.get(keyOf(ids, question));
    return known !== undefined && this.#encoder.capacityOf(known) >= count ? known : null;
  }

  /** In place of what was known of the piece and the question. */
  put(ids: readonly number[], question: readonly number[], memory: EmbeddedMemory): void {
    this.#memories.put(keyOf(ids, question), memory);
  }

  /** The block of so many virtual tokens, run behind the sink unless it is known. @throws CancelledError */
  async readBlock(
    ids: readonly number[],
    sink: KvBlock,
    options: CompressOptions,
  ): Promise<EmbeddedBlock> {
    const key = keyOf(ids, options.question, [options.count]);
    const known = this.#blocks.get(key);
    if (known !== undefined) return { key, block: known };
    const memory = await this.read(ids, options);
    const tokens = this.#encoder.virtualTokens(memory, options.count);
    const block = await this.#encoder.attachable(tokens, sink, options);
    this.#blocks.put(key, block);
    return { key, block };
  }

  clear(): void {
    this.#memories.clear();
    this.#blocks.clear();
  }
}

function byteLengthOf({ keys, values }: KvBlock): number {
  return [...keys, ...values].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
