// A byte-pair tokenizer small enough to enumerate: bytes of a few characters, merges drawn at random,
// and the white-space rule of GPT-2's pre-tokeniser. The letter z merges with nothing, and every letter
// behind ASCII is z here.
import type { AlignmentTokenizer } from "../../sidecar/alignment/covers.ts";
import type { TokenBytes } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";

const preToken = / ?[a-z]+| ?[^\sa-z]+|\s+(?!\S)|\s+/g;

export interface ToyTokenizer extends AlignmentTokenizer, TokenBytes {
  encode(text: string): number[];
  textOf(id: number): string;
}

/** `random` gives numbers of [0, 1); pairs to merge are drawn from the tokens there are so far. */
export function createToyTokenizer(
  alphabet: string,
  mergeCount: number,
  random: () => number,
): ToyTokenizer {
  const tokens = [...alphabet];
  const rankOf = new Map<string, number>();
  while (rankOf.size < mergeCount) {
    const left = tokens[Math.floor(random() * tokens.length)] ?? "";
    const right = tokens[Math.floor(random() * tokens.length)] ?? "";
    const merged = left + right;
    // Only strings that stay in one pre-token can ever be merged.
    if (merged.includes("z")) continue;
    if (tokens.includes(merged) || (merged.match(preToken) ?? []).length !== 1) continue;
    if (merged.length > 4) continue;
    rankOf.set(`${left}|${right}`, rankOf.size);
    tokens.push(merged);
  }
  const merge = (text: string): number[] => {
    const parts = [...text];
    for (;;) {
      let [best, at] = [Number.POSITIVE_INFINITY, -1];
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = rankOf.get(`${parts[i]}|${parts[i + 1]}`) ?? Number.POSITIVE_INFINITY;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return parts.map((part) => tokens.indexOf(part));
      parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
    }
  };
  const encode = (text: string): number[] => (text.match(preToken) ?? []).flatMap(merge);
  const known = (text: string): string =>
    [...text.replace(/[\xc2-\xdf][\x80-\xbf]/g, "z")].filter((c) => alphabet.includes(c)).join("");
  return {
    vocabularySize: tokens.length,
    encode,
    textOf: (id) => tokens[id] ?? "",
    bytesOf: (id) => new TextEncoder().encode(tokens[id]),
    isSpecial: () => false,
    encodeBytes: (bytes) => Uint32Array.from(encode(known(Buffer.from(bytes).toString("latin1")))),
  };
}
