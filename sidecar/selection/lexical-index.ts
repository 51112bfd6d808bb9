// BM25 over the identifiers of spans, their parts and their path. minisearch keeps the index while
// spans come and go one file at a time, and scores by BM25+ with k1 = 1.2, b = 0.7, delta = 0.5.
import MiniSearch from "minisearch";

const split = (text: string): string[] => text.split(" ");

export class LexicalIndex {
  readonly #index = new MiniSearch<{ id: number; terms: string }>({
    fields: ["terms"],
    tokenize: split,
    processTerm: (term) => term, // Case matters in code.
  });

  /** `id` must be new. Terms hold no spaces. */
  add(id: number, terms: readonly string[]): void {
    this.#index.add({ id, terms: terms.join(" ") });
  }

  remove(id: number): void {
    this.#index.discard(id);
  }

  /** The score of each entry that shares a term with the query, in which each counts once. */
  score(terms: Iterable<string>): Map<number, number> {
    const found = this.#index.search([...new Set(terms)].join(" "));
    return new Map(found.map(({ id, score }) => [id, score]));
  }
}
