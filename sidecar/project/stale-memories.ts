// The bank follows the text: memories of what a file says no more are dropped, once its folder was
// read. Another model cuts the same text in its own way; of its memories of spans those stay whose
// lines stand, those of demonstrations are made again.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { VirtualForm } from "../completion/virtual-forms.ts";
import { throwIfCancelled } from "../errors.ts";
import type { Span } from "../workspace/workspace.ts";
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
  // Of those that are there now: what cannot be dropped comes in again.
  for (const file of [...changed]) {
    await nextTurn(); // A keystroke may have come in.
    throwIfCancelled(signal);
    const places = await folders.findAll(file);
    if (!places.every(({ folder }) => folder.isRead)) continue;
    changed.delete(file);
    if (places.length === 0) continue; // Another window's, or in no folder.
    const kept = selected.map(({ place }) => place).filter((place) => place.file === file);
    const texts: string[] = [];
    for (const { root, folder, path } of places) {
      const spans = folder.spansOf(path);
      texts.push(...joinSpans(spans));
      for (const span of spans) {
        const candidate = await candidateOf(span, pieces);
        const wanted = wantedPieces(root, candidate, storedCounts(candidate));
        kept.push(...wanted.map(({ place }) => place));
      }
    }
    if (!(await bank.retain(file, form.name, { pieces: kept, texts }))) changed.add(file);
  }
}

/** Texts of spans in their order, those that follow each other as one. */
function joinSpans(spans: readonly Span[]): string[] {
  const texts: string[] = [];
  let end = -1;
  for (const { startLine, endLine, text } of spans) {
    const last = startLine === end ? texts.pop() : undefined;
    texts.push((last ?? "") + text);
    end = endLine;
  }
  return texts;
}
