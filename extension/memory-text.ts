// How a memory is named and measured wherever it is shown.
import type { MemoryPlace } from "../sidecar/protocol.ts";

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
