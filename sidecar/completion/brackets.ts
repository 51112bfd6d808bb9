// Brackets and quotes of source text, by characters alone: no language is parsed. A string in plain
// quotes ends with its line at the latest, so that an apostrophe in a comment hides no more than
// the rest of that line.

const openerOf: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);
const openers: ReadonlySet<string> = new Set(openerOf.values());

export interface Bracket {
  readonly character: string;
  readonly index: number;
}

export interface BracketScan {
  /** Openers without their closer, outermost first. */
  readonly openers: readonly Bracket[];
  /** Closers of something opened before the text. */
  readonly closers: readonly Bracket[];
  /** The quote of the string that is open at the end, or "". */
  readonly quote: string;
}

// Groups: what ends a string in plain quotes, what ends one in backquotes; "" where the text ends.
const strings =
  /(?:"(?:\\.?|[^"\\\n])*("|\n|$)|'(?:\\.?|[^'\\\n])*('|\n|$)|`(?:\\.?|[^`\\])*(`|$))/gs;

/** What `text` opens and closes; `quote` is the string that is open where it starts, or "". */
export function scanBrackets(text: string, quote = ""): BracketScan {
  const open: Bracket[] = [];
  const closers: Bracket[] = [];
  const code = withoutStrings(`${quote}${text}`);
  for (const { 0: character, index } of code.text.matchAll(/[()[\]{}]/g)) {
    const bracket = { character, index: index - quote.length };
    if (openers.has(character)) open.push(bracket);
    else if (closes(character, open.at(-1)?.character)) open.pop();
    else closers.push(bracket);
  }
  return { openers: open, closers, quote: code.quote };
}

/** Whether `closer` is the closing bracket of `opener`. */
export function closes(closer: string, opener: string | undefined): boolean {
  return opener !== undefined && openerOf.get(closer) === opener;
}

/** The text with blanks for its strings, and the quote of the one that is still open. */
function withoutStrings(text: string): { text: string; quote: string } {
  let quote = "";
  const code = text.replace(strings, (string, ...ends: unknown[]) => {
    if (ends.slice(0, 3).includes("")) quote = string.charAt(0);
    return " ".repeat(string.length);
  });
  return { text: code, quote };
}
