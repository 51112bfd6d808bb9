// Byte-pair merging of one piece of bytes: again and again the adjacent pair whose joint bytes are
// the token of lowest rank becomes one, the leftmost of equal ranks first. Two texts need it, all
// others go through tiktoken: bytes that are no UTF-8, and pieces too long for tiktoken. A heap of
// pairs keeps it at n log n.

/**
 * In: the bytes of a piece as Latin-1 text. Out: ids, with `null` for a byte without a token.
 * A piece that is a token is that token, without merging, as in tiktoken.
 */
export function mergePiece(
  piece: string,
  ranks: ReadonlyMap<string, number>,
): readonly (number | null)[] {
  const whole = ranks.get(piece);
  return whole === undefined ? new Merging(piece, ranks).run() : [whole];
}

const NONE = -1;
// A heap entry is a rank and a place in one number, so that numeric order is order of merging.
const PLACES = 2 ** 32;

/** The piece as a chain of parts, each named by its first byte. */
class Merging {
  readonly #piece: string;
  readonly #ranks: ReadonlyMap<string, number>;
  /** First byte of the part behind; the piece's length for the last part. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Rank of the part joined with the next one, or NONE; a merged-away part has NONE too. */
  readonly #pairRanks: Int32Array;
  readonly #heap: number[] = [];

  constructor(piece: string, ranks: ReadonlyMap<string, number>) {
    this.#piece = piece;
    this.#ranks = ranks;
    this.#next = Int32Array.from({ length: piece.length }, (_, index) => index + 1);
    this.#previous = Int32Array.from({ length: piece.length }, (_, index) => index - 1);
    this.#pairRanks = new Int32Array(piece.length).fill(NONE);
  }

  run(): (number | null)[] {
    for (let part = 0; part < this.#piece.length; part += 1) this.#rankPair(part);
    for (let entry = pop(this.#heap); entry !== undefined; entry = pop(this.#heap)) {
      const part = entry % PLACES;
      // A pair that has changed since it was pushed has another rank, and an entry of its own.
      if (this.#pairRanks[part] === Math.floor(entry / PLACES)) this.#join(part);
    }
    return this.#ids();
  }

  #join(part: number): void {
    const absorbed = this.#nextOf(part);
    const behind = this.#nextOf(absorbed);
    this.#next[part] = behind;
    if (behind < this.#piece.length) this.#previous[behind] = part;
    this.#pairRanks[absorbed] = NONE;
    this.#rankPair(part);
    const before = this.#previous[part] ?? NONE;
    if (before !== NONE) this.#rankPair(before);
  }

  #rankPair(part: number): void {
    const middle = this.#nextOf(part);
    const end = middle < this.#piece.length ? this.#nextOf(middle) : middle;
    const rank = middle < end ? (this.#ranks.get(this.#piece.slice(part, end)) ?? NONE) : NONE;
    this.#pairRanks[part] = rank;
    if (rank !== NONE) push(this.#heap, rank * PLACES + part);
  }

  #nextOf(part: number): number {
    return this.#next[part] ?? this.#piece.length;
  }

  #ids(): (number | null)[] {
    const ids: (number | null)[] = [];
    for (let part = 0; part < this.#piece.length; part = this.#nextOf(part))
      ids.push(this.#ranks.get(this.#piece.slice(part, this.#nextOf(part))) ?? null);
    return ids;
  }
}

/** A binary heap of numbers, the least first: the children of entry i are 2i + 1 and 2i + 2. */
function push(heap: number[], entry: number): void {
  let index = heap.length;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] ?? entry;
    if (above <= entry) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: number[]): number | undefined {
  const least = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return least;
  let index = 0;
  for (;;) {
    const child = lesserChild(heap, index);
    const below = heap[child];
    if (below === undefined || below >= last) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
  return least;
}

function lesserChild(heap: readonly number[], index: number): number {
  const left = 2 * index + 1;
  const right = left + 1;
  return (heap[right] ?? Infinity) < (heap[left] ?? Infinity) ? right : left;
}
