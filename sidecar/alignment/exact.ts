// Exact prefix conditioning, the part with a model: scores the covers of a trie by one row of logits
// a node. In: the trie and the rows. Out: the covers, most likely first, and one of them chosen.
import type { ByteSortedVocabulary } from "../tokenizer/byte-sorted-vocabulary.ts";
import { type CoverStart, type CoverTrie, pathTo } from "./covers.ts";

/** A token sequence that holds the whole tail, and how likely the model finds it. */
export interface Cover {
  /** The node that its last token stands behind; -1: directly behind the kept ids. */
  readonly node: number;
  /** The token that completes the tail. */
  readonly id: number;
  /** Sum over its tokens, in nats; not normalised over the covers. */
  readonly logProbability: number;
}

/** What the model says behind a node: logits [vocabulary], and the log of the sum of their exponentials. */
export interface LogitRow {
  readonly logits: ArrayLike<number>;
  readonly logNormaliser: number;
}

export interface Scoring {
  readonly trie: CoverTrie;
  readonly vocabulary: ByteSortedVocabulary;
  /** Of a node; -1: of the last kept id. */
  readonly rowOf: (node: number) => LogitRow;
}

/** Candidates less likely than the best by this factor, 1e-10, cannot matter. */
const negligible = 23;

export interface ChosenCover {
  readonly cover: Cover;
  /** Log of the mass of all covers, in nats. */
  readonly logMass: number;
}

export interface CoverSampling {
  readonly temperature: number;
  /** Draws an index from scores in nats, by its own temperature, top-p and seed. */
  readonly draw: (scores: Float32Array) => number;
}

/**
 * The most likely cover at temperature 0, else a drawn one: the covers are a small vocabulary. Null
 * when no token completes the tail.
 */
export function chooseCover(
  scoring: Scoring,
  { temperature, draw }: CoverSampling,
): ChosenCover | null {
  if (temperature === 0) return bestCover(scoring);
  const covers = likelyCovers(scoring, temperature);
  const [best] = covers;
  if (best === undefined) return null;
  const scores = Float32Array.from(covers, (cover) => cover.logProbability);
  const cover = covers[draw(scores)] ?? best;
  const relative = covers.map((each) => Math.exp(each.logProbability - best.logProbability));
  const logMass = best.logProbability + Math.log(relative.reduce((sum, each) => sum + each, 0));
  return { cover, logMass };
}

/** The most likely cover and the log of all covers' mass; null when no token completes the tail. */
function bestCover(scoring: Scoring): ChosenCover | null {
  const { candidates, logMass } = likelyCandidates(scoring, 1);
  const best = candidates.find(({ start, id }) => scoring.trie.isCanonical(start, id));
  return best === undefined ? null : { cover: coverOf(best), logMass };
}

/** All covers that are not negligible at `temperature`, most likely first. */
export function likelyCovers(scoring: Scoring, temperature: number): Cover[] {
  return likelyCandidates(scoring, temperature)
    .candidates.filter(({ start, id }) => scoring.trie.isCanonical(start, id))
    .map(coverOf);
}

/** The ids of a cover, from the first behind the kept ones. */
export function idsOf(trie: CoverTrie, cover: Cover): number[] {
  return [...pathTo(trie.nodes, cover.node).map((node) => trie.nodes[node]?.id ?? 0), cover.id];
}

interface Candidate {
  readonly start: CoverStart;
  readonly id: number;
  readonly logProbability: number;
}

/** The ids that complete the tail at one place, and what they score on top of their own logits. */
interface Completions {
  readonly start: CoverStart;
  readonly ids: Uint32Array;
  readonly logits: ArrayLike<number>;
  readonly offset: number;
}

/**
 * Tokens are counted by the ten thousand behind a blank, so nothing is made of one that is
 * negligible. The mass takes no notice of what is not canonical: a trained model gives it little.
 */
function likelyCandidates(
  scoring: Scoring,
  temperature: number,
): { candidates: Candidate[]; logMass: number } {
  const places = completions(scoring);
  const best = Math.max(...places.map(highestScore));
  const least = best - negligible * temperature;
  const candidates: Candidate[] = [];
  let mass = 0;
  for (const { start, ids, logits, offset } of places) {
    for (const id of ids) {
      const logProbability = (logits[id] ?? 0) + offset;
      if (!(logProbability >= least)) continue;
      candidates.push({ start, id, logProbability });
      mass += Math.exp(logProbability - best);
    }
  }
  candidates.sort((a, b) => b.logProbability - a.logProbability || a.id - b.id);
  return { candidates, logMass: best + Math.log(mass) };
}

function completions({ trie, vocabulary, rowOf }: Scoring): Completions[] {
  const rows = new Map<number, LogitRow>();
  const row = (node: number): LogitRow => {
    const known = rows.get(node) ?? rowOf(node);
    rows.set(node, known);
    return known;
  };
  const pathLogProbability = (index: number): number => {
    const node = trie.nodes[index];
    if (node === undefined) return 0;
    const { logits, logNormaliser } = row(node.parent);
    return pathLogProbability(node.parent) + (logits[node.id] ?? 0) - logNormaliser;
  };
  return trie.starts.map((start) => {
    const { logits, logNormaliser } = row(start.node);
    const offset = pathLogProbability(start.node) - logNormaliser;
    return { start, ids: vocabulary.startingWith(start.rest), logits, offset };
  });
}

function highestScore({ ids, logits, offset }: Completions): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const id of ids) highest = Math.max(highest, logits[id] ?? Number.NEGATIVE_INFINITY);
  return highest + offset;
}

function coverOf({ start, id, logProbability }: Candidate): Cover {
  return { node: start.node, id, logProbability };
}
