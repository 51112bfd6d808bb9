// As many texts as a budget of tokens takes, the best first.

export interface FittingTexts {
  readonly text: string;
  /** Of `text`, counted as a whole. */
  readonly tokens: number;
  /** Texts in it. */
  readonly count: number;
}

/** A text that does not fit is left out, and shorter ones behind it may still be taken. */
export async function fitTexts(
  texts: readonly string[],
  budget: number,
  countTokens: (text: string) => Promise<number>,
): Promise<FittingTexts> {
  const taken: string[] = [];
  let tokens = 0;
  for (const text of texts) {
    // Counted together, because tokens may join at the seam.
    const joined = await countTokens([...taken, text].join("\n"));
    if (joined > budget) continue;
    taken.push(text);
    tokens = joined;
  }
  return { text: taken.join("\n"), tokens, count: taken.length };
}
