// Covers by enumeration: the encoding of every continuation, cut behind the text's end.
import type { ToyTokenizer } from "./toy-tokenizer.ts";

/** Longest continuation looked at: toy tokens have at most 4 bytes, so no later one moves a border. */
const continuationLength = 5;

/** The first tokens that hold `text`, of the encoding of every continuation. */
export function bruteForceCovers(
  tokenizer: ToyTokenizer,
  alphabet: string,
  text: string,
): Set<string> {
  const covers = new Set<string>();
  const visit = (continuation: string) => {
    const path: number[] = [];
    let length = 0;
    for (const id of tokenizer.encode(text + continuation)) {
      if (length >= text.length) break;
      path.push(id);
      length += tokenizer.textOf(id).length;
    }
    covers.add(path.join());
    if (continuation.length < continuationLength) {
      for (const character of alphabet) visit(continuation + character);
    }
  };
  visit("");
  return covers;
}
