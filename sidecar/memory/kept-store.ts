// Kept memories by what they are memories of, in this process: the least recently used go when they
// take too many bytes. The key holds no ratio, because a stored memory serves every coarser one.
import { createHash } from "node:crypto";
import { byteLengthOf, type KeptMemory } from "./kept.ts";
import type { EncodeOptions, KeptEncoder } from "./kept-encoder.ts";

export interface StoredMemory {
  /** Equal for equal pieces. */
  readonly key: string;
  readonly memory: KeptMemory;
}

export class KeptStore {
  readonly #encoder: KeptEncoder;
  readonly #byteLimit: number;
  /** In order of use, the last one at the end. */
  readonly #memories = new Map<string, KeptMemory>();
  #byteLength = 0;

  constructor(encoder: KeptEncoder, byteLimit: number) {
    this.#encoder = encoder;
    this.#byteLimit = byteLimit;
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
    this.#put(key, memory);
    return key;
  }

  clear(): void {
    this.#memories.clear();
    this.#byteLength = 0;
  }

  #put(key: string, memory: KeptMemory): void {
    this.#remove(key);
    this.#memories.set(key, memory);
    this.#byteLength += byteLengthOf(memory);
    for (const oldest of this.#memories.keys()) {
      if (this.#byteLength <= this.#byteLimit) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const memory = this.#memories.get(key);
    if (memory === undefined) return;
    this.#byteLength -= byteLengthOf(memory);
    this.#memories.delete(key);
  }
}

/** Of one model and one version of the encoder: what else a memory depends on. */
function keyOf(ids: ArrayLike<number>): string {
  return createHash("sha256").update(Uint32Array.from(ids)).digest("hex");
}
