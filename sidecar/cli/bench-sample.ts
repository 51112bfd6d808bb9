// The program that `pith bench` measures with: the text of its prompts and of its keystrokes.

export const sampleCode = `// Keeps the stock of a warehouse: what lies where, what is promised to whom, and what must be
// ordered. Amounts are whole pieces; a shelf holds one article at a time.

export interface Article {
  readonly number: string;
  readonly title: string;
  /** Pieces that one shelf can take. */
  readonly piecesPerShelf: number;
  /** Order again when fewer than this are free. */
  readonly reorderBelow: number;
}

export interface Shelf {
  readonly aisle: number;
  readonly bay: number;
  article: Article | null;
  pieces: number;
}

export interface Reservation {
  readonly customer: string;
  readonly article: Article;
  readonly pieces: number;
  readonly day: Date;
}

class Stock {
  readonly #shelves: Shelf[];
  readonly #promises: Reservation[] = [];

  constructor(aisles: number, baysPerAisle: number) {
    this.#shelves = [];
    for (let aisle = 1; aisle <= aisles; aisle++) {
      for (let bay = 1; bay <= baysPerAisle; bay++) {
        this.#shelves.push({ aisle, bay, article: null, pieces: 0 });
      }
    }
  }

  /** Pieces of an article that lie on any shelf. */
  count(article: Article): number {
    return this.#shelves
      .filter((shelf) => shelf.article?.number === article.number)
      .reduce((sum, shelf) => sum + shelf.pieces, 0);
  }

  /** Pieces that are promised to nobody. */
  free(article: Article): number {
    const promised = this.#promises
      .filter((promise) => promise.article.number === article.number)
      .reduce((sum, promise) => sum + promise.pieces, 0);
    return this.count(article) - promised;
  }

  /** Puts pieces on shelves, started ones first; returns those that found no room. */
  store(article: Article, pieces: number): number {
    let left = pieces;
    const started = this.#shelves.filter((shelf) => shelf.article?.number === article.number);
    const empty = this.#shelves.filter((shelf) => shelf.article === null);
    for (const shelf of [...started, ...empty]) {
      if (left === 0) break;
      const room = article.piecesPerShelf - shelf.pieces;
      const added = Math.min(room, left);
      shelf.article = article;
      shelf.pieces += added;
      left -= added;
    }
    return left;
  }

  /** Promises pieces to a customer, as long as enough of them are free. */
  promise(promise: Reservation): boolean {
    if (this.free(promise.article) < promise.pieces) {
      return false;
    }
    this.#promises.push(promise);
    return true;
  }

  /** Takes the pieces of a promise from the shelves, the least filled ones first. */
  deliver(promise: Reservation): void {
    const index = this.#promises.indexOf(promise);
    if (index < 0) throw new Error(\`nothing is promised to \${promise.customer}\`);
    this.#promises.splice(index, 1);
    let left = promise.pieces;
    const shelves = this.#shelves
      .filter((shelf) => shelf.article?.number === promise.article.number)
      .sort((first, second) => first.pieces - second.pieces);
    for (const shelf of shelves) {
      const taken = Math.min(shelf.pieces, left);
      shelf.pieces -= taken;
      left -= taken;
      if (shelf.pieces === 0) shelf.article = null;
    }
  }

  /** Articles of which too few are free, with the pieces that are missing. */
  findShortages(articles: readonly Article[]): Map<Article, number> {
    const shortages = new Map<Article, number>();
    for (const article of articles) {
      const missing = article.reorderBelow - this.free(article);
      if (missing > 0) shortages.set(article, missing);
    }
    return shortages;
  }
}
`;
