// Exact prefix conditioning, the part with a model: scores the covers of a trie by one row of logits
// a node. In: the trie and the logits. Out: the best cover, or the distribution over all of them.
import type { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";
import { type CoverStart, type CoverTrie, pathTo } from "./covers.ts";

/** A token sequence that holds the whole tail, and how likely the model finds it behind the kept ids. */
export interface Cover {
  ids: readonly number[];
  /** Sum over its tokens, nats; not normalised over the covers. */
  logProbability: number;
}

/** Logits behind a node, [vocabulary]; node -1: behind the kept ids. */
export type LogitsOf = (node: number) => Float32Array;

/** Covers less likely than the best by this factor are left out of a distribution: under 1e-9 each. */
const negligible = Math.log(1e-10);

interface Candidate {
  start: CoverStart;
  id: number;
  logProbability: number;
}

/** The most likely cover; null when no token can complete the tail. Equal scores: the lower id. */
export function bestCover(
  trie: CoverTrie,
  vocabulary: ByteSortedVocabulary,
  logitsOf: LogitsOf,
): Cover | null {
  const candidates = rankedCandidates(trie, vocabulary, logitsOf);
  const best = candidates.find(({ start, id }) => trie.isCanonical(start, id));
  return best === undefined ? null : coverOf(trie, best);
}

/** All covers that are not negligible at `temperature`, most likely first. */
export function likelyCovers(
  trie: CoverTrie,
  vocabulary: ByteSortedVocabulary,
  options: { logitsOf: LogitsOf; temperature: number },
): Cover[] {
  const candidates = rankedCandidates(trie, vocabulary, options.logitsOf);
  const covers: Cover[] = [];
  for (const candidate of candidates) {
    const best = covers[0]?.logProbability ?? candidate.logProbability;
    if ((candidate.logProbability - best) / options.temperature < negligible) break;
    if (trie.isCanonical(candidate.start, candidate.id)) covers.push(coverOf(trie, candidate));
  }
  return covers;
}

function rankedCandidates(
  trie: CoverTrie,
  vocabulary: ByteSortedVocabulary,
  logitsOf: LogitsOf,
): Candidate[] {
  const rows = new Map<number, { logits: Float32Array; normaliser: number }>();
  const rowOf = (node: number) => {
    const known = rows.get(node);
    if (known !== undefined) return known;
    const logits = logitsOf(node);
    const row = { logits, normaliser: logSumExp(logits) };
    rows.set(node, row);
    return row;
  };
  const logProbability = (node: number, id: number): number => {
    const { logits, normaliser } = rowOf(node);
    return (logits[id] ?? Number.NEGATIVE_INFINITY) - normaliser;
  };
  const pathLogProbability = (node: number): number => {
    const entry = trie.nodes[node];
    if (entry === undefined) return 0;
    return pathLogProbability(entry.parent) + logProbability(entry.parent, entry.id);
  };

  const candidates: Candidate[] = [];
  for (const start of trie.starts) {
    const before = pathLogProbability(start.node);
    for (const id of vocabulary.startingWith(start.rest)) {
      candidates.push({ start, id, logProbability: before + logProbability(start.node, id) });
    }
  }
  return candidates.sort((a, b) => b.logProbability - a.logProbability || a.id - b.id);
}

function coverOf(trie: CoverTrie, { start, id, logProbability }: Candidate): Cover {
  return { ids: [...pathTo(trie.nodes, start.node), id], logProbability };
}

function logSumExp(logits: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}
