// Pieces of spans -> kept memories at hand: from this process, else from the bank, else by running
// the model, after which the bank has them too.
import { join } from "node:path";
import type { Memories } from "../completion/memories.ts";
import { entryCountAt, storedRatio } from "../memory/kept.ts";
import type { EncodeOptions } from "../memory/kept-encoder.ts";
import type { BankPiece, MemoryBank } from "./memory-bank.ts";
import type { Candidate } from "./selection.ts";

export interface WantedPiece {
  readonly ids: readonly number[];
  /** Entries a head that are needed at least. */
  readonly count: number;
  readonly place: BankPiece;
}

export interface PieceOptions extends EncodeOptions {
  /** Told before each run of the model. */
  readonly onEncode: (done: number, total: number) => void;
}

export class PieceEncoder {
  readonly #memories: Memories;
  /** null: what is encoded lasts as long as the process. */
  bank: MemoryBank | null = null;

  constructor(memories: Memories) {
    this.#memories = memories;
  }

  /**
   * Makes the memories of all pieces known to `Memories`, the first ones first.
   * @throws CancelledError; what was encoded until then stays
   */
  async provide(pieces: readonly WantedPiece[], options: PieceOptions): Promise<void> {
    const missing: WantedPiece[] = [];
    for (const piece of pieces) if (!(await this.#recall(piece))) missing.push(piece);
    for (const [done, { ids, count, place }] of missing.entries()) {
      options.onEncode(done, missing.length);
      await this.#memories.layShares([{ ids, count }], options);
      const memory = this.#memories.find(ids, count);
      if (memory !== null) await this.bank?.put(place, memory);
    }
  }

  async #recall({ ids, count, place }: WantedPiece): Promise<boolean> {
    if (this.#memories.find(ids, count) !== null) return true;
    const banked = (await this.bank?.find(place)) ?? null;
    if (banked === null || banked.entryCount < count) return false;
    this.#memories.put(ids, banked);
    return true;
  }
}

/** As many entries as the bank keeps for every coarser ratio. */
export function storedCounts({ pieces }: Candidate): number[] {
  return pieces.map(({ length }) => entryCountAt(length, storedRatio));
}

/** Of a span under `root`, with so many entries for each piece. */
export function wantedPieces(
  root: string,
  candidate: Candidate,
  counts: readonly number[],
): WantedPiece[] {
  const { path, language, startLine, endLine, text, pieces } = candidate;
  const place = { file: join(root, path), path, language, startLine, endLine, text };
  return counts.map((count, index) => ({
    ids: pieces[index] ?? [],
    count,
    place: { ...place, index },
  }));
}
