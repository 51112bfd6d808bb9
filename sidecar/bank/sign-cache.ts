// Sign bits of all memories of a space in one array, kept in step with the database: own changes are
// applied one by one, changes by other processes make it be read anew.

/** What a look-up compares; the same shape as in selection/nearest.ts. */
export interface SignTable {
  readonly count: number;
  /** [count, words] and room behind. */
  readonly bits: Uint32Array;
  readonly words: number;
  /** [count] Of the memories. */
  readonly keys: readonly string[];
}

export class SignCache implements SignTable {
  readonly words: number;
  readonly keys: string[] = [];
  bits: Uint32Array;
  readonly #indexes = new Map<string, number>();

  constructor(words: number) {
    this.words = words;
    this.bits = new Uint32Array(64 * words);
  }

  get count(): number {
    return this.keys.length;
  }

  set(key: string, bits: Uint32Array): void {
    const index = this.#indexes.get(key) ?? this.keys.push(key) - 1;
    this.#indexes.set(key, index);
    if ((index + 1) * this.words > this.bits.length) {
      const larger = new Uint32Array(2 * this.bits.length);
      larger.set(this.bits);
      this.bits = larger;
    }
    this.bits.set(bits, index * this.words);
  }

  /** The last one takes its place. */
  delete(key: string): void {
    const index = this.#indexes.get(key);
    const last = this.keys.pop();
    if (index === undefined || last === undefined) {
      if (last !== undefined) this.keys.push(last);
      return;
    }
    this.#indexes.delete(key);
    if (last === key) return;
    this.keys[index] = last;
    this.#indexes.set(last, index);
    const from = this.keys.length * this.words;
    this.bits.copyWithin(index * this.words, from, from + this.words);
  }
}
