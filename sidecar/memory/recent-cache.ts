// Values by key in this process: the least recently used go when all together take too many bytes.

export class RecentCache<Value> {
  readonly #byteLimit: number;
  readonly #byteLengthOf: (value: Value) => number;
  /** In order of use, the last one at the end. */
  readonly #values = new Map<string, Value>();
  #byteLength = 0;

  constructor(byteLimit: number, byteLengthOf: (value: Value) => number) {
    this.#byteLimit = byteLimit;
    this.#byteLengthOf = byteLengthOf;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  put(key: string, value: Value): void {
    this.#remove(key);
    this.#values.set(key, value);
    this.#byteLength += this.#byteLengthOf(value);
    for (const oldest of this.#values.keys()) {
      if (this.#byteLength <= this.#byteLimit) return;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#values.clear();
    this.#byteLength = 0;
  }

  #remove(key: string): void {
    const value = this.#values.get(key);
    if (value === undefined) return;
    this.#byteLength -= this.#byteLengthOf(value);
    this.#values.delete(key);
  }
}
