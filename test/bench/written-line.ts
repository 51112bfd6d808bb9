// How near a line that a model wrote is to the line that was wanted.

export function isSame(text: string, target: string): boolean {
  return text.trim() === target.trim();
}

/** 1 - Levenshtein distance / length of the longer one. */
export function similarity(text: string, target: string): number {
  const [found, wanted] = [[...text.trim()], [...target.trim()]];
  let row = Array.from({ length: wanted.length + 1 }, (_, index) => index);
  for (const [index, character] of found.entries()) {
    const next = [index + 1];
    for (const [column, other] of wanted.entries()) {
      const replaced = (row[column] ?? 0) + Number(character !== other);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return 1 - (row.at(-1) ?? 0) / Math.max(1, found.length, wanted.length);
}
