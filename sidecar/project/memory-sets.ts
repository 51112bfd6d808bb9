// What was selected for the files that were worked in last, and stands in front of them.
import { type LaidMemories, noMemories } from "../completion/memories.ts";
import type { ReachedLimit } from "./folder-index.ts";
import type { WantedPiece } from "./piece-encoder.ts";
import type { PlannedMemory } from "./selection.ts";

export interface MemorySet {
  /** Absolute path; null before the first selection. */
  readonly file: string | null;
  readonly laid: LaidMemories;
  readonly budget: number;
  readonly planned: readonly PlannedMemory[];
  /** All that is planned. */
  readonly pieces: readonly WantedPiece[];
  /** What the limits of reading keep out of it, at the time of asking. */
  reachedLimits(): readonly ReachedLimit[];
}

const nothing: MemorySet = {
  ...{ file: null, laid: noMemories, budget: 0, planned: [], pieces: [] },
  reachedLimits: () => [],
};

/** Files whose memories stay laid, those used last. */
const setLimit = 4;

export class MemorySets {
  readonly #sets = new Map<string, MemorySet>();
  #last: MemorySet = nothing;

  /** The newest. */
  get last(): MemorySet {
    return this.#last;
  }

  /** Of the file at an absolute path; one of nothing for other files. */
  of(file: string | null): MemorySet {
    return (file === null ? undefined : this.#sets.get(file)) ?? nothing;
  }

  keep(set: MemorySet & { readonly file: string }): void {
    this.#sets.delete(set.file);
    this.#sets.set(set.file, set);
    this.#last = set;
    for (const oldest of [...this.#sets.keys()].slice(0, -setLimit)) this.#sets.delete(oldest);
  }

  clear(): void {
    this.#sets.clear();
    this.#last = nothing;
  }
}
