// Brackets, strings and what is put into strings, by characters alone: no language is parsed. A
// string in plain quotes ends with its line at the latest, and with it what is open inside, so that
// an apostrophe in a comment hides no more than the rest of that line.
//
// What code in a string begins with: `${` in most languages, `#{` in Ruby, Elixir and Crystal, `\(`
// in Swift, `$(` between double quotes in shells; in strings with an `f`, `t` or `$` in front, as
// Python and C# write them, `{`, of which two are a character.

const closerOf: ReadonlyMap<string, string> = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
  ["<", ">"],
]);

export interface Bracket {
  readonly character: string;
  readonly index: number;
}

/** Something open: a bracket, `<` of a type or a tag, or the quotes of a string. */
export interface Opener extends Bracket {
  /** A string in which `{` alone begins code. */
  readonly isFormat?: boolean;
}

export interface BracketScan {
  /** Openers without their closer, outermost first; none that lie in a string. */
  readonly openers: readonly Opener[];
  /** All that is open at the end, outermost first: strings and what lies in them too. */
  readonly open: readonly Opener[];
  /** Closers of something opened before the text. */
  readonly closers: readonly Bracket[];
  /** The quote of the string that the text ends in, or "". */
  readonly quote: string;
}

/** What `text` opens and closes; `within` is what is open where it starts, outermost first. */
export function scanBrackets(text: string, within: readonly Opener[] = []): BracketScan {
  const scanner = new Scanner(text, within);
  scanner.run();
  const { open, closers } = scanner;
  const own = open.slice(scanner.given);
  const firstString = own.findIndex(isString);
  const last = open.at(-1);
  return {
    openers: firstString < 0 ? own : own.slice(0, firstString),
    ...{ open, closers },
    quote: last !== undefined && isString(last) ? last.character : "",
  };
}

/** Whether `closer` is the closing bracket of `opener`. */
export function closes(closer: string, opener: string | undefined): boolean {
  return opener !== undefined && closerOf.get(opener) === closer;
}

export function isString({ character }: Bracket): boolean {
  return !closerOf.has(character);
}

/** One pass over a text, a character at a time. */
class Scanner {
  readonly open: Opener[];
  readonly closers: Bracket[] = [];
  /** How many of `open` were open before the text. */
  given: number;
  readonly #text: string;
  /** `<` and `>` are brackets only where one is known to be open: elsewhere they compare. */
  readonly #hasAngles: boolean;

  constructor(text: string, within: readonly Opener[]) {
    this.#text = text;
    this.open = [...within];
    this.given = within.length;
    this.#hasAngles = within.some(({ character }) => character === "<");
  }

  run(): void {
    let index = 0;
    while (index < this.#text.length) {
      const top = this.open.at(-1);
      if (this.#text[index] === "\n") this.#endLine();
      index +=
        top !== undefined && isString(top) ? this.#inString(index, top) : this.#inCode(index);
    }
  }

  /** Returns how many characters were read, as `#inCode` does. */
  #inString(index: number, top: Opener): number {
    const text = this.#text;
    const character = text.charAt(index);
    const next = text.charAt(index + 1);
    if (text.startsWith(top.character, index)) return this.#close(index, top.character);
    if (character === "\\") {
      if (next === "(") this.open.push({ character: "(", index: index + 1 });
      return 2;
    }
    const isCode =
      ((character === "$" || character === "#") && next === "{") ||
      (character === "$" && next === "(" && top.character === '"');
    if (isCode) return this.open.push({ character: next, index: index + 1 }) && 2;
    if (!top.isFormat || (character !== "{" && character !== "}")) return 1;
    if (next === character) return 2;
    if (character === "{") this.open.push({ character, index });
    return 1;
  }

  #inCode(index: number): number {
    const character = this.#text.charAt(index);
    if (character === '"' || character === "'" || character === "`") return this.#openString(index);
    if (character === "<" || character === ">") return this.#atAngle(index, character);
    if (closerOf.has(character)) this.open.push({ character, index });
    else if (")]}".includes(character)) this.#closeBracket(index, character);
    return 1;
  }

  #atAngle(index: number, character: string): number {
    if (!this.#hasAngles) return 1;
    const before = this.#text.charAt(index - 1);
    if (character === "<") this.open.push({ character, index });
    // Not the head of an arrow.
    else if (before !== "-" && before !== "=" && this.open.at(-1)?.character === "<")
      this.#close(index, character);
    return 1;
  }

  #openString(index: number): number {
    const quote = this.#text.charAt(index);
    const before = this.#text.slice(Math.max(0, index - 3), index);
    const isTriple = quote !== "`" && this.#text.startsWith(quote.repeat(3), index);
    const character = isTriple ? quote.repeat(3) : quote;
    const isFormat = /(?:(?:^|\W)(?:[ft]r?|r[ft])|\$@?|\$+|@\$)$/i.test(before);
    this.open.push({ character, index, ...(isFormat ? { isFormat } : {}) });
    return character.length;
  }

  #closeBracket(index: number, character: string): void {
    if (closes(character, this.open.at(-1)?.character)) this.#close(index, character);
    else this.closers.push({ character, index });
  }

  #close(index: number, character: string): number {
    this.open.pop();
    if (this.open.length < this.given) {
      this.given = this.open.length;
      this.closers.push({ character, index });
    }
    return character.length;
  }

  #endLine(): void {
    const string = this.open.findIndex((each) => isString(each) && each.character !== "`");
    if (string < 0) return;
    this.open.length = string;
    this.given = Math.min(this.given, string);
  }
}
