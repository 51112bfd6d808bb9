// Kept memories by what they are memories of, in this process. The key holds no ratio, because a
// stored memory serves every coarser one.
import { byteLengthOf, type KeptMemory } from "./kept.ts";
import type { EncodeOptions, KeptEncoder } from "./kept-encoder.ts";
import { keyOf } from "./piece-key.ts";
import { RecentCache } from "./recent-cache.ts";

export interface StoredMemory {
  /** Equal for equal pieces. */
  readonly key: string;
  readonly memory: KeptMemory;
}

export class KeptStore {
  readonly #encoder: KeptEncoder;
  readonly #memories: RecentCache<KeptMemory>;

  constructor(encoder: KeptEncoder, byteLimit: number) {
    this.#encoder = encoder;
    this.#memories = new RecentCache(byteLimit, byteLengthOf);
  }

  /**
   * The memory of a piece of at least `entryCount` entries a head, encoded unless it is known.
   * @throws CancelledError
   */
  async read(
    ids: ArrayLike<number>,
    options: EncodeOptions & { readonly entryCount: number },
  ): Promise<StoredMemory> {
    const memory = this.find(ids, options.entryCount) ?? (await this.#encoder.encode(ids, options));
    return { key: this.put(ids, memory), memory };
  }

  /** The memory of a piece if it is known with at least `entryCount` entries a head. */
  find(ids: ArrayLike<number>, entryCount: number): KeptMemory | null {
    const known = this.#memories.get(keyOf(ids));
    return known !== undefined && known.entryCount >= entryCount ? known : null;
  }

  /** In place of what was known of the piece; returns its key. */
  put(ids: ArrayLike<number>, memory: KeptMemory): string {
    const key = keyOf(ids);
    this.#memories.put(key, memory);
    return key;
  }

  clear(): void {
    this.#memories.clear();
  }
}
