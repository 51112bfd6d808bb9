// The near text: which part of the text before and behind the cursor stands in the prompt. Both
// windows hold still while the user types, so that the cached prompt stays true: the prefix keeps
// its first line until it gets too long and then loses a whole step at once; the suffix keeps its
// ids as long as its text is the same. Only the windows' own text is ever tokenised, whatever the
// length of the document.
import { charactersPerToken } from "../tokenizer/characters-per-token.ts";

export interface Encoder {
  encode(text: string): Uint32Array;
}

export interface NearText {
  readonly text: string;
  readonly ids: Uint32Array;
}

// Enough of a window's text to know it again elsewhere.
const soughtCharacters = 200;

/** The last lines before the cursor. */
export class PrefixWindow {
  readonly #encoder: Encoder;
  readonly #limits: { readonly tokens: number; readonly step: number };
  #prefix = "";
  #start = 0;

  constructor(encoder: Encoder, limits: { readonly tokens: number; readonly step: number }) {
    this.#encoder = encoder;
    this.#limits = limits;
  }

  /** The window on `prefix`, all the text before the cursor: at most `limits.tokens` tokens. */
  read(prefix: string): NearText {
    const near = this.#readKept(prefix) ?? this.#readFresh(prefix);
    this.#prefix = prefix;
    this.#start = prefix.length - near.text.length;
    return near;
  }

  /** From where the last window starts, if that is a good place still. */
  #readKept(prefix: string): NearText | null {
    const start = keptStart(this.#prefix, this.#start, prefix);
    if (start === null || prefix.length - start > this.#limits.tokens * charactersPerToken) {
      return null;
    }
    const near = encodeText(this.#encoder, prefix.slice(start));
    // Half the room unused, with text left to fill it: the cursor has gone up too far.
    const isShort = start > 0 && near.ids.length * 2 < this.#limits.tokens;
    return isShort || near.ids.length > this.#limits.tokens ? null : near;
  }

  /** From the earliest line that leaves room for a step of typing. */
  #readFresh(prefix: string): NearText {
    const limit = this.#limits.tokens - this.#limits.step;
    let start = prefix.length;
    let tokens = 0;
    while (start > 0) {
      const lineStart = start < 2 ? 0 : prefix.lastIndexOf("\n", start - 2) + 1;
      if (start - lineStart > limit * charactersPerToken) break;
      tokens += this.#encoder.encode(prefix.slice(lineStart, start)).length;
      if (tokens > limit) break;
      start = lineStart;
    }
    if (start === prefix.length) return encodeAtMost(this.#encoder, limit, endOf(prefix));
    return encodeText(this.#encoder, prefix.slice(start));
  }
}

/** The first lines behind the cursor. */
export class SuffixWindow {
  readonly #encoder: Encoder;
  readonly #limit: number;
  #suffix = "";
  #near: NearText = { text: "", ids: new Uint32Array() };

  constructor(encoder: Encoder, limit: number) {
    this.#encoder = encoder;
    this.#limit = limit;
  }

  /** The window on `suffix`, all the text behind the cursor: at most the limit's tokens. */
  read(suffix: string): NearText {
    if (suffix !== this.#suffix) {
      this.#near = this.#cut(suffix);
      this.#suffix = suffix;
    }
    return this.#near;
  }

  #cut(suffix: string): NearText {
    let end = 0;
    let tokens = 0;
    while (end < suffix.length) {
      const lineEnd = suffix.indexOf("\n", end) + 1 || suffix.length;
      if (lineEnd - end > this.#limit * charactersPerToken) break;
      tokens += this.#encoder.encode(suffix.slice(end, lineEnd)).length;
      if (tokens > this.#limit) break;
      end = lineEnd;
    }
    if (end === 0) return encodeAtMost(this.#encoder, this.#limit, startOf(suffix));
    return encodeText(this.#encoder, suffix.slice(0, end));
  }
}

/**
 * Where the window that began at `start` of the text `last` begins in the text `now`: at the same
 * place, or where its first characters are found after an edit above it (an import added on
 * completion). Null when what stands there is another text.
 */
function keptStart(last: string, start: number, now: string): number | null {
  const found = now.lastIndexOf(last.slice(start, start + soughtCharacters));
  const starts = [start, found].filter((each) => each >= 0);
  const shared = starts.map((each) => commonCharacters(last, start, now, each));
  const longest = Math.max(...shared);
  const best = starts[shared.indexOf(longest)];
  if (best === undefined || longest === 0) return null;
  const isSame = longest === last.length - start || longest === now.length - best;
  return isSame || best === 0 || now[best - 1] === "\n" ? best : null;
}

function commonCharacters(
  first: string,
  firstStart: number,
  second: string,
  secondStart: number,
): number {
  const limit = Math.min(first.length - firstStart, second.length - secondStart);
  for (let index = 0; index < limit; index += 1) {
    if (first.charCodeAt(firstStart + index) !== second.charCodeAt(secondStart + index)) {
      return index;
    }
  }
  return Math.max(limit, 0);
}

function encodeText(encoder: Encoder, text: string): NearText {
  return { text, ids: encoder.encode(text) };
}

/** The longest of `part(characters)` tried that has no more than `limit` tokens. */
function encodeAtMost(
  encoder: Encoder,
  limit: number,
  part: (characters: number) => string,
): NearText {
  for (let characters = limit * charactersPerToken; ; characters = Math.floor(characters * 0.8)) {
    const near = encodeText(encoder, part(characters));
    if (near.ids.length <= limit) return near;
  }
}

function endOf(text: string): (characters: number) => string {
  return (characters) =>
    text.slice(Math.max(0, text.length - characters)).replace(/^[\uDC00-\uDFFF]/, "");
}

function startOf(text: string): (characters: number) => string {
  return (characters) => text.slice(0, characters).replace(/[\uD800-\uDBFF]$/, "");
}
