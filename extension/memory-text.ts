// How a memory is named and measured wherever it is shown.
import type { MemoryPlace, ReachedLimit } from "../sidecar/protocol.ts";
import type { Language } from "./status-text.ts";

/** Lines from 1, the last one included, as people count. */
export function placeLabel({ path, startLine, endLine }: MemoryPlace): string {
  return `${path}:${startLine + 1}-${endLine}`;
}

/** The line of the compressed view above a memory's text. */
export function memoryHead(place: MemoryPlace, tokens: number, positions: number): string {
  return `[${ratioOf(tokens, positions) ?? 0}x] ${placeLabel(place)}  ${tokens} -> ${positions}`;
}

/** How many tokens share a position, to one decimal; null where there is no position. */
export function ratioOf(tokens: number, positions: number): number | null {
  return positions === 0 ? null : Math.round((10 * tokens) / positions) / 10;
}

/** A limit of reading that was reached, as a sentence. */
export function limitSentence(
  { kind, limit, left }: ReachedLimit,
  { t, locale }: Language,
): string {
  const number = new Intl.NumberFormat(locale);
  const values = [number.format(limit), number.format(left)] as const;
  switch (kind) {
    case "files":
      return t(
        "Of a folder at most {0} files are read, the nearest first; left out: {1}.",
        ...values,
      );
    case "names":
      return t("Of a folder at most {0} file names are kept; left out: {1}.", ...values);
    case "folders":
      return t("At most {0} folders are looked into; left out: {1} and all below them.", ...values);
    default:
      throw new Error(`limit: unknown kind ${kind satisfies never}`);
  }
}
