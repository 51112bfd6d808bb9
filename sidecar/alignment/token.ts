// Token alignment (arXiv 2403.08688): the last tokens of the text before the cursor are taken off and
// their bytes, the tail, made again under a filter that admits only tokens agreeing with them.
// In: ids, and which pre-token the last ones belong to. Out: how many ids stay, and the filter.
// The probabilities are renormalised token by token, so this is not exact (see exact.ts); the product
// of what the filter admitted is the importance weight of a path.
import type { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";

/** Removes bytes of a tail token by token. */
export class TailFilter {
  readonly #vocabulary: ByteSortedVocabulary;
  #tail: Uint8Array;

  constructor(vocabulary: ByteSortedVocabulary, tail: Uint8Array) {
    this.#vocabulary = vocabulary;
    this.#tail = tail;
  }

  /** Whether the whole tail has been made again: from here on nothing is filtered. */
  get isDone(): boolean {
    return this.#tail.length === 0;
  }

  /** Ids whose bytes begin with the tail or are a beginning of it; null when all are admitted. */
  admitted(): Uint32Array | null {
    if (this.isDone) return null;
    const longer = this.#vocabulary.startingWith(this.#tail);
    const shorter = this.#vocabulary.properPrefixesOf(this.#tail);
    return Uint32Array.from([...longer, ...shorter]);
  }

  /** Takes off what the token `bytes` made of the tail; returns its bytes behind the tail's end. */
  accept(bytes: Uint8Array): Uint8Array {
    const surplus = bytes.subarray(Math.min(this.#tail.length, bytes.length));
    this.#tail = this.#tail.subarray(Math.min(bytes.length, this.#tail.length));
    return surplus;
  }
}
