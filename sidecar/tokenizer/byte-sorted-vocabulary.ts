// The ordinary tokens of a vocabulary in the order of their bytes, so that all tokens that begin
// with given bytes are one range. Added and special tokens are not in it: no filter built on it can
// admit one.

/** What is asked of a vocabulary; `Tokenizer` has it. */
export interface TokenBytes {
  readonly vocabularySize: number;
  bytesOf(id: number): Uint8Array;
  isSpecial(id: number): boolean;
}

export class ByteSortedVocabulary {
  /** Token bytes as latin1 strings, ascending: JavaScript compares them byte by byte, natively. */
  readonly #keys: string[];
  readonly #ids: Uint32Array;
  #whiteSpace: string[] | null = null;

  /** Takes some 100 ms for 150,000 tokens, so build it once for a model. */
  constructor(vocabulary: TokenBytes) {
    const entries: [key: string, id: number][] = [];
    for (let id = 0; id < vocabulary.vocabularySize; id++) {
      if (vocabulary.isSpecial(id)) continue;
      const key = keyOf(vocabulary.bytesOf(id));
      if (key !== "") entries.push([key, id]);
    }
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#keys = entries.map(([key]) => key);
    this.#ids = Uint32Array.from(entries, ([, id]) => id);
  }

  /** Ids of all tokens whose bytes begin with `bytes`, in byte order. A view: do not write to it. */
  startingWith(bytes: Uint8Array): Uint32Array {
    const key = keyOf(bytes);
    const start = this.#firstNotBelow(key);
    return this.#ids.subarray(start, this.#firstPast(key, start));
  }

  /** Ids of all tokens whose bytes are a proper prefix of `bytes`, shortest first. */
  properPrefixesOf(bytes: Uint8Array): number[] {
    const key = keyOf(bytes);
    const ids: number[] = [];
    for (let length = 1; length < key.length; length++) {
      const part = key.slice(0, length);
      for (let at = this.#firstNotBelow(part); this.#keys[at] === part; at++) {
        ids.push(this.#ids[at] ?? 0);
      }
    }
    return ids;
  }

  /** What tokens of nothing but ASCII white space have behind `bytes`; tokens equal to it aside. */
  whiteSpaceBehind(bytes: Uint8Array): Uint8Array[] {
    this.#whiteSpace ??= this.#keys.filter((key) => /^[\t-\r ]+$/.test(key));
    const key = keyOf(bytes);
    return this.#whiteSpace
      .filter((each) => each.length > key.length && each.startsWith(key))
      .map((each) => Buffer.from(each.slice(key.length), "latin1"));
  }

  /** Whether any token begins with `bytes`. */
  hasStartingWith(bytes: Uint8Array): boolean {
    const key = keyOf(bytes);
    return this.#keys[this.#firstNotBelow(key)]?.startsWith(key) ?? false;
  }

  #firstNotBelow(key: string): number {
    return lowerBound(0, this.#keys.length, (at) => (this.#keys[at] ?? "") >= key);
  }

  #firstPast(key: string, start: number): number {
    return lowerBound(start, this.#keys.length, (at) => !(this.#keys[at] ?? "").startsWith(key));
  }
}

/** The first index of [low, high) at which `isReached` holds, given that it stays true; else high. */
function lowerBound(low: number, high: number, isReached: (at: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isReached(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
