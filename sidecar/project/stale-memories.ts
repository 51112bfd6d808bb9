// The bank follows the text: memories of what a file says no more are dropped, once its folder was read.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { VirtualForm } from "../completion/virtual-forms.ts";
import { throwIfCancelled } from "../errors.ts";
import type { Folders } from "./folders.ts";
import type { MemoryBank } from "./memory-bank.ts";
import { storedCounts, type WantedPiece, wantedPieces } from "./piece-encoder.ts";
import { candidateOf, type Pieces } from "./selection.ts";

export interface StaleParts {
  readonly bank: MemoryBank;
  readonly folders: Folders;
  /** That memories are of, and pieces as it has them. */
  readonly form: VirtualForm;
  readonly pieces: Pieces;
  /** Of the last selection: what a memory of demonstrations holds is decided there. */
  readonly selected: readonly WantedPiece[];
}

/**
 * Takes the files that it is done with out of `changed`.
 * @throws CancelledError
 */
export async function dropStale(
  changed: Set<string>,
  { bank, folders, form, pieces, selected }: StaleParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const file of changed) {
    await nextTurn(); // A keystroke may have come in.
    throwIfCancelled(signal);
    const places = await folders.findAll(file);
    if (!places.every(({ folder }) => folder.isRead)) continue;
    changed.delete(file);
    if (places.length === 0) continue; // Another window's, or in no folder.
    const kept = selected.map(({ place }) => place).filter((place) => place.file === file);
    for (const { root, folder, path } of places)
      for (const span of folder.spansOf(path)) {
        const candidate = await candidateOf(span, pieces);
        const wanted = wantedPieces(root, candidate, storedCounts(candidate));
        kept.push(...wanted.map(({ place }) => place));
      }
    await bank.retain(file, form.name, kept);
  }
}
