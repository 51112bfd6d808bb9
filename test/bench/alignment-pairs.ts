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

/** `count` pairs a case where the corpus has as many, as even over the languages as it allows. */
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
  return cases.flatMap((kind) => {
    const lists = languages.map((language) =>
      shuffled(byCase.get(`${kind} ${language}`) ?? [], random),
    );
    return interleaved(lists).slice(0, count);
  });
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
    const pair = pairIn(
      tokenizer,
      { before, line: lines[at] ?? "", next: lines[at + 1] ?? "" },
      random,
    );
    if (pair !== null) pairs.push({ ...pair, language });
  }
  return pairs;
}

/** One random token of a line of ASCII text that a cut can fall into. */
function pairIn(
  tokenizer: Tokenizer,
  { before, line, next }: { before: string; line: string; next: string },
  random: () => number,
): Omit<Pair, "language"> | null {
  const text = before + line + next;
  if (/[^\s!-~]/.test(text) || line.trim().length < 4 || next.trim() === "") return null;
  const ids = tokenizer.encode(text);
  const candidates: Omit<Pair, "language">[] = [];
  let offset = 0;
  for (const [index, id] of ids.entries()) {
    const token = tokenizer.decode([id]);
    const kind =
      offset < before.length || offset >= before.length + line.length ? null : kindOf(token);
    const whole = text.slice(0, offset);
    offset += token.length;
    if (kind === null || !isPrefixOf(tokenizer.encode(whole), ids, index)) continue;
    const cutLength = 1 + Math.floor(random() * Math.min(4, token.length - 1));
    const lineEnd = before.length + line.length - 1;
    const end = offset > lineEnd ? text.length - 1 : lineEnd;
    const cut = whole + token.slice(0, cutLength);
    candidates.push({ kind, whole, cut, rest: text.slice(whole.length, end) });
  }
  return candidates[Math.floor(random() * candidates.length)] ?? null;
}

function kindOf(token: string): Case | null {
  if (token.length < 2) return null;
  if (token.includes("\n")) return "separator";
  if (/^[ \t]+$/.test(token)) return "indentation";
  if (/^ /.test(token)) return "space";
  return /^\w/.test(token) ? "word" : "punctuation";
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
