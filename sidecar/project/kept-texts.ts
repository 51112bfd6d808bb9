// Texts of spans with what their memories hold of them: of kept ones which tokens, of embedded ones
// the text that the model writes from them.
import type { PieceShare, Recollection, VirtualForm } from "../completion/virtual-forms.ts";
import { entryCountAt } from "../memory/kept.ts";
import type { EncodeOptions } from "../memory/kept-encoder.ts";
import type { ProjectTokenizer } from "./near-text.ts";
import type { Candidate, MemoryPlace, PlannedMemory } from "./selection.ts";

export interface KeptToken {
  readonly bytes: Uint8Array;
  /** Share of the key/value heads that kept it, 0 to 1. */
  readonly share: number;
}

export type KeptText = {
  readonly place: MemoryPlace;
  readonly positions: number;
} & (
  | { readonly kind: "kept"; readonly tokens: readonly KeptToken[] }
  | {
      readonly kind: "decoded";
      readonly tokenCount: number;
      /** What the memory is made of, and what comes back. */
      readonly text: string;
      readonly decoded: string;
    }
);

/** A span in the pieces and at the positions that it is shown at. */
export interface ShownSpan {
  readonly place: MemoryPlace;
  readonly shares: readonly PieceShare[];
}

export interface RecollectOptions extends EncodeOptions {
  /** Told before each piece. */
  readonly onPiece: (done: number, total: number) => void;
}

/** The ratio at which a span is shown that has no place in the window. */
const shownRatio = 12;

/** As planned, or at the ratio that is shown else. */
export function shownSpan(
  { kind, path, startLine, endLine, text, pieces }: Candidate,
  planned: readonly PlannedMemory[],
): ShownSpan {
  // Lines may have moved since; other text has other pieces.
  const same = planned.find(
    ({ candidate, counts }) =>
      candidate.path === path && candidate.text === text && counts.length > 0,
  );
  const counts = same?.counts ?? pieces.map(({ length }) => entryCountAt(length, shownRatio));
  const shares = pieces.map((ids, index) => ({ ids, count: counts[index] ?? 1 }));
  return { place: { kind, path, startLine, endLine }, shares };
}

/** @throws CancelledError */
export async function recollectTexts(
  spans: readonly ShownSpan[],
  { form, tokenizer }: { readonly form: VirtualForm; readonly tokenizer: ProjectTokenizer },
  { onPiece, ...options }: RecollectOptions,
): Promise<KeptText[]> {
  const total = spans.flatMap(({ shares }) => shares).length;
  let done = 0;
  const texts: KeptText[] = [];
  for (const { place, shares } of spans) {
    const found: Recollection[] = [];
    for (const share of shares) {
      onPiece(done++, total);
      found.push(await form.recollect(share, options));
    }
    const positions = shares.reduce((sum, { count }) => sum + count + form.markTokens, 0);
    texts.push({ place, positions, ...describe(shares, found, tokenizer) });
  }
  return texts;
}

function describe(
  shares: readonly PieceShare[],
  found: readonly Recollection[],
  tokenizer: ProjectTokenizer,
) {
  const kept = found.filter((each) => each.kind === "kept");
  if (kept.length === found.length) {
    const tokens = shares.flatMap(({ ids }, piece) =>
      ids.map((id, at) => ({
        bytes: tokenizer.bytesOf(id),
        share: kept[piece]?.shares[at] ?? 0,
      })),
    );
    return { kind: "kept" as const, tokens };
  }
  const textOf = (ids: readonly number[]) =>
    Buffer.concat(ids.map((id) => tokenizer.bytesOf(id))).toString("utf8");
  const ids = shares.flatMap((share) => share.ids);
  const written = found.flatMap((each) => (each.kind === "decoded" ? each.ids : []));
  return {
    kind: "decoded" as const,
    ...{ tokenCount: ids.length, text: textOf(ids), decoded: textOf(written) },
  };
}
