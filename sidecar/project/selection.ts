// Which spans and demonstrations stand in front of a place in the code, and why. In: a folder that
// was read, and the text around the cursor. Out: candidates, the best first, each cut into the
// pieces that are encoded. Runs no model.

import type { PieceShare } from "../completion/virtual-forms.ts";
import { type PlanOptions, planShares } from "../memory/planner.ts";
import { chancesOf, usualTopChance } from "../selection/chance.ts";
import { renderDemonstration } from "../selection/demonstrations.ts";
import { rankByScore } from "../selection/fusion.ts";
import { termsOf } from "../selection/identifiers.ts";
import { jaccard } from "../selection/similarity.ts";
import type { Span } from "../workspace/workspace.ts";
import type { FolderIndex } from "./folder-index.ts";
import type { NearText } from "./near-text.ts";
import type { Neighbour } from "./neighbours.ts";

/** Where the text of a memory stands. */
export interface MemoryPlace {
  readonly kind: "span" | "demonstration";
  /** Relative to its folder, with `/`. */
  readonly path: string;
  /** Lines of the file from 0, the end exclusive. */
  readonly startLine: number;
  readonly endLine: number;
}

/** A text that may become a memory. */
export interface Candidate extends MemoryPlace {
  readonly text: string;
  readonly language: string;
  /** Where it lies, in another folder of the workspace; absent in that of the cursor. */
  readonly home?: { readonly root: string; readonly path: string };
  /** Ids of what is encoded together. */
  readonly pieces: readonly (readonly number[])[];
  readonly score: number;
  /** Its place, from 0, in each ranking that knows it. */
  readonly places: Readonly<Record<string, number>>;
  /** That it is needed. */
  readonly chance: number;
}

export interface SelectedMemory extends MemoryPlace {
  readonly score: number;
  readonly places: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly positions: number;
  readonly outcome: "whole" | "compressed" | "no-room";
}

/** A candidate and what the planner gives it. */
export interface PlannedMemory {
  readonly candidate: Candidate;
  /** Positions of each piece, marks aside; none where it is left out. */
  readonly counts: readonly number[];
  /** Of all pieces, with the marks. */
  readonly positions: number;
  readonly outcome: "whole" | "compressed" | "no-room";
}

/** Cuts texts into pieces as they are encoded. */
export interface Pieces {
  piecesOf(span: { readonly path?: string; readonly text: string }): Promise<number[][]>;
  piecesOfDemonstrations(texts: readonly string[]): Promise<number[][][]>;
}

/** Offered to the planner. */
const spanLimit = 32;
const demonstrationLimit = 8;

/** Demonstrations first, since the user wrote them for this, then spans; each the best first. */
export async function candidatesFor(
  near: NearText,
  folder: FolderIndex,
  pieces: Pieces,
  neighbours: readonly Neighbour[] = [],
): Promise<Candidate[]> {
  const own = folder.rank(near.path, near).map((each) => ({ ...each, home: null }));
  const others = neighbours.flatMap((each) => rankedIn(each, near));
  const all = others.length === 0 ? own : [...own, ...others].sort((a, b) => b.score - a.score);
  const ranked = all.slice(0, spanLimit);
  const chances = chancesOf(ranked);
  const spans = ranked.map(async ({ span, score, places, home }, index): Promise<Candidate> => {
    const chance = chances[index] ?? 0;
    return { ...(await candidateOf(span, pieces)), score, places, chance, ...(home && { home }) };
  });
  // A demonstration counts for no less than the best span.
  const chance = Math.max(...chances, usualTopChance);
  const demonstrations = await demonstrationsFor(near, folder, pieces);
  return [...demonstrations.map((each) => ({ ...each, chance })), ...(await Promise.all(spans))];
}

/** Spans of another folder, under paths that cannot be taken for one of this folder. */
function rankedIn({ root, folder, from, imported, label, isOwn }: Neighbour, near: NearText) {
  const ranked = folder.rankImported(from, near, imported);
  return ranked
    .filter(({ span }) => !isOwn(span.path))
    .map(({ span, ...each }) => ({
      ...{ ...each, span: { ...span, path: `${label}/${span.path}` } },
      home: { root, path: span.path },
    }));
}

/** Those of one file together, because several short ones make one piece. */
async function demonstrationsFor(
  { path: nearPath, before, after, languageId }: NearText,
  folder: FolderIndex,
  pieces: Pieces,
): Promise<Omit<Candidate, "chance">[]> {
  const query = new Set(termsOf(`${before}\n${after}`));
  const fitting = folder.demonstrations.filter(
    ({ path, languages }) =>
      path !== nearPath && (languages.length === 0 || languages.includes(languageId)),
  );
  const scores = fitting.map((each) =>
    // One that has no word in common is still an example of how things are done here.
    Math.max(1e-6, jaccard(query, new Set(termsOf(renderDemonstration(each))))),
  );
  const best = rankByScore(scores).slice(0, demonstrationLimit);
  const files = new Set(best.map((index) => fitting[index]?.path ?? ""));
  const candidates = [...files].map(async (path, place): Promise<Omit<Candidate, "chance">> => {
    const indexes = best.filter((index) => fitting[index]?.path === path);
    const chosen = indexes.flatMap((index) => fitting[index] ?? []);
    // The best last, nearest to the code.
    const texts = chosen.toReversed().map(renderDemonstration);
    return {
      kind: "demonstration",
      path,
      startLine: Math.min(...chosen.map(({ startLine }) => startLine)) - 1,
      endLine: Math.max(...chosen.map(({ endLine }) => endLine)),
      text: texts.join("\n"),
      language: languageId,
      pieces: (await pieces.piecesOfDemonstrations(texts)).flat(),
      score: Math.max(...indexes.map((index) => scores[index] ?? 0)),
      places: { demonstrations: place },
    };
  });
  return Promise.all(candidates);
}

/** Shares the budget out. `candidates` and the result have the best first. */
export function planMemories(
  candidates: readonly Candidate[],
  options: PlanOptions,
): PlannedMemory[] {
  const { markTokens = 0 } = options;
  const worstFirst = candidates.toReversed().map(({ pieces, chance }) => ({
    pieces: pieces.map(({ length }) => length),
    chance,
  }));
  const shares = planShares(worstFirst, options).toReversed();
  return candidates.map((candidate, index) => {
    const { positions: counts = [], outcome = "no-room" } = shares[index] ?? {};
    const positions = counts.reduce((sum, count) => sum + count + markTokens, 0);
    return { candidate, counts, positions, outcome };
  });
}

/** The candidate of a span by itself, with nothing that ranks it. */
export async function candidateOf(span: Span, pieces: Pieces): Promise<Candidate> {
  const { path, startLine, endLine, text, language } = span;
  return {
    ...{ kind: "span", path, startLine, endLine, text, language },
    ...{ pieces: await pieces.piecesOf({ path, text }), score: 0, places: {}, chance: 0 },
  };
}

/** In the order of the prompt: the best last, demonstrations in front of spans. */
export function sharesOf(planned: readonly PlannedMemory[]): PieceShare[] {
  const isSpan = ({ candidate }: PlannedMemory): boolean => candidate.kind === "span";
  const worstFirst = [
    ...planned.filter((each) => !isSpan(each)).toReversed(),
    ...planned.filter(isSpan).toReversed(),
  ];
  return worstFirst.flatMap(({ candidate, counts }) =>
    counts.map((count, piece) => ({ ids: candidate.pieces[piece] ?? [], count })),
  );
}

export function describeMemory({ candidate, positions, outcome }: PlannedMemory): SelectedMemory {
  const { kind, path, startLine, endLine, score, places } = candidate;
  const tokens = candidate.pieces.reduce((sum, { length }) => sum + length, 0);
  return { kind, path, startLine, endLine, score, places, tokens, positions, outcome };
}
