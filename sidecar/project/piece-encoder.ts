// Pieces of spans -> memories at hand: from this process, else from the bank, else by running the
// model, after which the bank has them too.
import { join } from "node:path";
import type { VirtualForm } from "../completion/virtual-forms.ts";
import { entryCountAt, storedRatio } from "../memory/kept.ts";
import type { EncodeOptions } from "../memory/kept-encoder.ts";
import type { MemoryBytes } from "../memory/memory-bytes.ts";
import type { BankPiece, MemoryBank } from "./memory-bank.ts";
import type { Candidate } from "./selection.ts";

export interface WantedPiece {
  readonly ids: readonly number[];
  /** Positions that are needed at least. */
  readonly count: number;
  readonly place: BankPiece;
}

export interface PieceOptions extends EncodeOptions {
  /** Told before each run of the model. */
  readonly onEncode: (done: number, total: number) => void;
}

export interface PieceParts {
  readonly form: VirtualForm;
  /** null: what is encoded lasts as long as the process. */
  readonly bank: MemoryBank | null;
}

/**
 * Makes the memories of all pieces known to the form, the first ones first.
 * @throws CancelledError; what was encoded until then stays
 */
export async function providePieces(
  pieces: readonly WantedPiece[],
  parts: PieceParts,
  options: PieceOptions,
): Promise<void> {
  const { form, bank } = parts;
  const missing: WantedPiece[] = [];
  for (const piece of pieces) if (!(await recallPiece(piece, parts))) missing.push(piece);
  for (const [done, piece] of missing.entries()) {
    if (form.has(piece)) continue; // The same text stands in two places.
    options.onEncode(done, missing.length);
    const bytes = await form.make(piece, options);
    await bank?.put(piece.place, form.name, bytes);
  }
}

async function recallPiece(piece: WantedPiece, { form, bank }: PieceParts): Promise<boolean> {
  const recall = (bytes: MemoryBytes) => form.recall(piece.ids, bytes);
  if (!form.has(piece)) await bank?.find(piece.place, { form: form.name, recall });
  return form.has(piece);
}

/** As many positions as the bank keeps for every coarser ratio. */
export function storedCounts({ pieces }: Candidate): number[] {
  return pieces.map(({ length }) => entryCountAt(length, storedRatio));
}

/** Of a span under `root`, with so many positions for each piece. */
export function wantedPieces(
  root: string,
  candidate: Candidate,
  counts: readonly number[],
): WantedPiece[] {
  const { path, language, startLine, endLine, text, pieces, home } = candidate;
  const file = home === undefined ? join(root, path) : join(home.root, home.path);
  const place = { file, path, language, startLine, endLine, text };
  return counts.map((count, index) => ({
    ids: pieces[index] ?? [],
    count,
    place: { ...place, index },
  }));
}
