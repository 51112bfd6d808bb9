/** Offsets of a text between which a secret stands, the end exclusive. */
export interface Found {
  readonly start: number;
  readonly end: number;
}

export function foundAt(match: RegExpExecArray | RegExpMatchArray): Found {
  const start = match.index ?? 0;
  return { start, end: start + match[0].length };
}
