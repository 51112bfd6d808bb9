// Pre-tokenisers: the regular expression that cuts text into the pieces within which merging
// happens, by its name in GGUF files (`tokenizer.ggml.pre`). The same text serves tiktoken's engine
// (Rust) and JavaScript's, so it spells out what the two read differently: `\s` (U+0085, U+FEFF)
// as the Unicode property, and `(?i:…)`, which Node 20 lacks, as both cases. No pattern is
// sensitive to what stands before a piece, so encoding may start at any border of pieces.
import { UnsupportedError } from "../errors.ts";

const patterns: ReadonlyMap<string, string> = new Map([
  // llama.cpp's LLAMA_VOCAB_PRE_TYPE_SMOLLM cuts twice: single digits first, then the GPT-2 pattern
  // on each stretch between. That is one pass as well: a digit is a piece, and white space ends
  // where a stretch does, so all of it is one piece before a digit.
  [
    "smollm",
    String.raw`\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?![^\p{White_Space}\p{N}])|\p{White_Space}+`,
  ],
  // LLAMA_VOCAB_PRE_TYPE_QWEN2.
  [
    "qwen2",
    String.raw`'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*|\p{White_Space}*[\r\n]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`,
  ],
]);

/** @throws UnsupportedError for a name that is not in the table. */
export function patternOf(preTokenizer: string): string {
  const pattern = patterns.get(preTokenizer);
  if (pattern !== undefined) return pattern;
  throw new UnsupportedError(
    `tokenizer: pre-tokenizer "${preTokenizer}", supported are ${[...patterns.keys()].join(", ")}`,
  );
}

// tiktoken merges a piece in time that grows with the square of its length (1,000 letters 1 ms,
// 100,000 letters 9 s) and its engine overflows its stack on a million blanks.
const LONG = 512;
const longRun = new RegExp(
  ["\\p{L}", "\\p{White_Space}", "[^\\p{White_Space}\\p{L}\\p{N}]"]
    // The look-behind tries only the start of a run: without it the search is quadratic itself.
    .map((kind) => `(?<!${kind})${kind}{${LONG}}`)
    .join("|"),
  "u",
);

/** Whether some piece of `text` may have 512 characters or more. */
export function hasLongPiece(text: string): boolean {
  return text.length >= LONG && longRun.test(text);
}
