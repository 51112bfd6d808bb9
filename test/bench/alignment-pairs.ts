// Pairs of prompts from real code: one ends where a token of the model ends, the other one to four
// bytes later, inside the next token. What follows is the same line for both, so the share of lines
// that are reproduced says what the cut costs.
import { createRandom } from "../../sidecar/engine/random.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { readCorpus } from "../support/corpus.ts";

export const cases = ["word", "punctuation", "space", "indentation", "separator"] as const;
export type Case = (typeof cases)[number];

export interface Pair {
  readonly kind: Case;
  readonly language: string;
  /** Ends at a token's border. */
  readonly whole: string;
  /** `whole` and the first bytes of the next token. */
  readonly cut: string;
  /** What follows `whole` up to the end of a line. */
  readonly rest: string;
}

const languages = ["python", "javascript", "typescript", "java"];
const linesBefore = 14;

/**
 * `count` pairs a case where the corpus has as many, as even over the languages as it allows, the cases
 * in turns.
 */
export function makePairs(tokenizer: Tokenizer, count: number): Pair[] {
  const random = createRandom(1);
  const byCase = new Map<string, Pair[]>();
  for (const { language, text } of readCorpus()) {
    if (!languages.includes(language)) continue;
    for (const pair of pairsOf(tokenizer, text, language, random)) {
      const key = `${pair.kind} ${language}`;
      byCase.set(key, [...(byCase.get(key) ?? []), pair]);
    }
  }
  const lists = cases.map((kind) =>
    interleaved(
      languages.map((language) => shuffled(byCase.get(`${kind} ${language}`) ?? [], random)),
    ).slice(0, count),
  );
  return interleaved(lists);
}

function pairsOf(
  tokenizer: Tokenizer,
  text: string,
  language: string,
  random: () => number,
): Pair[] {
  const lines = text.split("\n").map((line) => `${line}\n`);
  const pairs: Pair[] = [];
  for (let at = linesBefore; at + 1 < lines.length; at += 3) {
    const before = lines.slice(at - linesBefore, at).join("");
    const place = { before, line: lines[at] ?? "", next: lines[at + 1] ?? "" };
    const found = shuffled(pairsIn(tokenizer, place, random), random);
    // One of a case at most: neighbouring cuts would be nearly the same question.
    for (const kind of cases) {
      const pair = found.find((each) => each.kind === kind);
      if (pair !== undefined) pairs.push({ ...pair, language });
    }
  }
  return pairs;
}

/** For every token of a line of ASCII text that a cut can fall into, one such cut. */
function pairsIn(
  tokenizer: Tokenizer,
  { before, line, next }: { before: string; line: string; next: string },
  random: () => number,
): Omit<Pair, "language">[] {
  const text = before + line + next;
  if (/[^\s!-~]/.test(text) || line.trim().length < 4 || next.trim() === "") return [];
  const ids = tokenizer.encode(text);
  const lineEnd = before.length + line.length - 1;
  const pairs: Omit<Pair, "language">[] = [];
  let start = 0;
  for (const [index, id] of ids.entries()) {
    const token = tokenizer.decode([id]);
    const [whole, end] = [text.slice(0, start), start + token.length];
    const isInLine = start >= before.length && start <= lineEnd;
    start = end;
    if (!isInLine || token.length < 2) continue;
    if (!isPrefixOf(tokenizer.encode(whole), ids, index)) continue;
    const cutLength = 1 + Math.floor(random() * Math.min(4, token.length - 1));
    const kind = kindOf(token, cutLength, whole);
    if (kind === null) continue;
    const rest = text.slice(whole.length, end > lineEnd ? text.length - 1 : lineEnd);
    pairs.push({ kind, whole, cut: whole + token.slice(0, cutLength), rest });
  }
  return pairs;
}

/** By the token, and by where in it the cut falls. */
function kindOf(token: string, cutLength: number, before: string): Case | null {
  const typed = token.slice(0, cutLength);
  if (/\n[ \t]+$/.test(typed)) return "indentation";
  if (token.includes("\n")) return "separator";
  if (/^[ \t]+$/.test(token)) return before.endsWith("\n") ? "indentation" : null;
  if (typed === " ") return "space";
  return /\w$/.test(typed) ? "word" : "punctuation";
}

function isPrefixOf(ids: Uint32Array, all: Uint32Array, length: number): boolean {
  return ids.length === length && ids.every((id, index) => id === all[index]);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items];
  for (let left = list.length; left > 1; left--) {
    const chosen = Math.floor(random() * left);
    [list[chosen], list[left - 1]] = [list[left - 1] as T, list[chosen] as T];
  }
  return list;
}

function interleaved<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, at) =>
    lists.flatMap((list) => list.slice(at, at + 1)),
  ).flat();
}
