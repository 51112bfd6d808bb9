// Spans by what the user has been at: those of the file edited last come first, in each file those
// nearest to the edit. What is in no edited file is left out.
import type { Ranking } from "./fusion.ts";

/** The last edit of a file. */
export interface Edit {
  readonly path: string;
  readonly line: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

interface Placed {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
}

export function rankByRecency(spans: readonly Placed[], edits: readonly Edit[]): Ranking {
  const byPath = new Map(edits.map((edit) => [edit.path, edit]));
  return [...spans.entries()]
    .flatMap(([index, span]) => {
      const edit = byPath.get(span.path);
      return edit === undefined ? [] : [{ index, time: edit.time, far: linesTo(span, edit.line) }];
    })
    .sort((a, b) => b.time - a.time || a.far - b.far || a.index - b.index)
    .map(({ index }) => index);
}

/** 0 within the span. */
function linesTo({ startLine, endLine }: Placed, line: number): number {
  return Math.max(startLine - line, line - (endLine - 1), 0);
}
