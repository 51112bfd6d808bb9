// Kept memories by what they are memories of, in this process. The key holds no ratio, because a
// stored memory serves every coarser one. A memory that is to be the same after a restart is held in
// the numbers that its bytes hold.
import { byteLengthOf, type KeptMemory } from "./kept.ts";
import { decodeKept, encodeKept } from "./kept-codec.ts";
import type { EncodeOptions, KeptEncoder } from "./kept-encoder.ts";
import type { MemoryBytes } from "./memory-bytes.ts";
import { keyOf } from "./piece-key.ts";
import { RecentCache } from "./recent-cache.ts";

interface KnownMemory {
  readonly memory: KeptMemory;
  /** Whether its numbers are those that its bytes hold. */
  readonly isStored: boolean;
}

export interface StoredMemory extends KnownMemory {
  /** Equal for equal numbers of equal pieces. */
  readonly key: string;
}

type KeptOptions = EncodeOptions & { readonly entryCount: number };

export class KeptStore {
  readonly #encoder: KeptEncoder;
  readonly #memories: RecentCache<KnownMemory>;

  constructor(encoder: KeptEncoder, byteLimit: number) {
    this.#encoder = encoder;
    this.#memories = new RecentCache(byteLimit, ({ memory }) => byteLengthOf(memory));
  }

  /**
   * The memory of a piece of at least `entryCount` entries a head, encoded unless it is known.
   * @throws CancelledError
   */
  async read(ids: ArrayLike<number>, options: KeptOptions): Promise<StoredMemory> {
    const known = this.find(ids, options.entryCount);
    if (known !== null) return known;
    return this.#keep(ids, await this.#encoder.encode(ids, options), false);
  }

  /** Encodes a piece, and has its memory as these bytes say it. @throws CancelledError */
  async make(ids: ArrayLike<number>, options: KeptOptions): Promise<MemoryBytes> {
    const bytes = encodeKept(await this.#encoder.encode(ids, options));
    this.put(ids, bytes);
    return bytes;
  }

  /** The memory of a piece if it is known with at least `entryCount` entries a head. */
  find(ids: ArrayLike<number>, entryCount: number): StoredMemory | null {
    const key = keyOf(ids);
    const known = this.#memories.get(key);
    if (known === undefined || known.memory.entryCount < entryCount) return null;
    return named(key, known);
  }

  /** In place of what was known of the piece. @throws FormatError when it is no memory of this model */
  put(ids: ArrayLike<number>, bytes: MemoryBytes): void {
    this.#keep(ids, decodeKept(bytes, this.#encoder.shape), true);
  }

  clear(): void {
    this.#memories.clear();
  }

  #keep(ids: ArrayLike<number>, memory: KeptMemory, isStored: boolean): StoredMemory {
    const key = keyOf(ids);
    this.#memories.put(key, { memory, isStored });
    return named(key, { memory, isStored });
  }
}

/** The steps of the stored numbers are those of all entries together. */
function named(key: string, known: KnownMemory): StoredMemory {
  return { ...known, key: `${key} of ${known.isStored ? known.memory.entryCount : "any"}` };
}
