// The product's ranking of spans for a place in the code. Three rankings are fused by reciprocal
// rank: spans that define names used near the cursor, spans that define names the file imports, and
// spans alike by BM25, those of imported files first. Chosen by recall (test/bench/README.md);
// Jaccard, which adds nothing beside them, is left out. Others may be joined in, as the cosine of
// pooled vectors or recency.
import { countDefinitions, definitionScore, weighNames } from "./definitions.ts";
import { fuse, type Ranking, rankByScore } from "./fusion.ts";
import { termsOf } from "./identifiers.ts";
import { LexicalIndex } from "./lexical-index.ts";

export interface IndexedSpan {
  /** Relative to the workspace folder. */
  readonly path: string;
  readonly text: string;
  readonly defines: readonly string[];
}

export interface SpanQuery {
  /** Of the file at hand, whose own spans are not ranked; null: all are. */
  readonly path: string | null;
  /** The last 256 tokens before the cursor and the first 64 behind it. */
  readonly before: string;
  readonly after: string;
  /** All that the file's imports name. */
  readonly importedNames: readonly string[];
  /** Files of the workspace that its imports lead to. */
  readonly importedPaths: readonly string[];
}

/** One more ranking of the same spans, the best first. */
export type JoinedRankings<Span> = Readonly<Record<string, readonly Span[]>>;

export interface RankedSpan<Span> {
  readonly span: Span;
  /** Reciprocal-rank score. */
  readonly score: number;
  /** Its place, from 0, in each ranking that knows it: why it is here. */
  readonly places: Readonly<Record<string, number>>;
}

/** Of a name in an imported file, against one in any other. */
const importedFactor = 2;
/** Of a span that defines nothing, as the middle of a long function. */
const bodyFactor = 0.3;

export class SpanIndex<Span extends IndexedSpan> {
  readonly #spans = new Map<number, Span>();
  readonly #idsByPath = new Map<string, readonly number[]>();
  readonly #lexical = new LexicalIndex();
  #nextId = 0;

  /** In place of what the file had before; none removes it. */
  setFile(path: string, spans: readonly Span[]): void {
    for (const id of this.#idsByPath.get(path) ?? []) {
      this.#spans.delete(id);
      this.#lexical.remove(id);
    }
    this.#idsByPath.set(
      path,
      spans.map((span) => this.#add(span)),
    );
    if (spans.length === 0) this.#idsByPath.delete(path);
  }

  get spans(): readonly Span[] {
    return [...this.#spans.values()];
  }

  spansOf(path: string): readonly Span[] {
    return (this.#idsByPath.get(path) ?? []).flatMap((id) => this.#spans.get(id) ?? []);
  }

  /** Every span that any ranking knows, the best first. */
  rank(query: SpanQuery, joined: JoinedRankings<Span> = {}): RankedSpan<Span>[] {
    const candidates = [...this.#spans].filter(([, { path }]) => path !== query.path);
    const spans = candidates.map(([, span]) => span);
    const indexOf = new Map(spans.map((span, index) => [span, index]));
    const rankings: Record<string, Ranking> = {
      ...this.#rankings(query, candidates),
      ...mapValues(joined, (list) => list.flatMap((span) => indexOf.get(span) ?? [])),
    };
    const places = mapValues(rankings, (ranking) => placesOf(ranking, spans.length));
    return [...fuse(Object.values(rankings))].flatMap(([index, score]) => {
      const span = spans[index];
      return span === undefined ? [] : [{ span, score, places: placesAt(places, index) }];
    });
  }

  #rankings(query: SpanQuery, candidates: readonly [number, Span][]): Record<string, Ranking> {
    const counts = countDefinitions(candidates.map(([, { defines }]) => defines));
    const used = weighNames(query.before, query.after);
    const imported = new Map(query.importedNames.map((name) => [name, 1]));
    const importedPaths = new Set(query.importedPaths);
    const terms = termsOf(`${query.before}\n${query.after}`);
    const alike = this.#lexical.score(terms);
    const byScore = (score: (span: Span, id: number) => number): Ranking =>
      rankByScore(candidates.map(([id, span]) => score(span, id)));
    const lexical = byScore(
      ({ defines }, id) => (alike.get(id) ?? 0) * (defines.length > 0 ? 1 : bodyFactor),
    );
    const isImported = (index: number): boolean =>
      importedPaths.has(candidates[index]?.[1].path ?? "");
    return {
      named: byScore(
        ({ path, defines }) =>
          definitionScore(defines, used, counts) * (importedPaths.has(path) ? importedFactor : 1),
      ),
      imported: byScore(({ defines }) => definitionScore(defines, imported, counts)),
      alike: [...lexical.filter(isImported), ...lexical.filter((index) => !isImported(index))],
    };
  }

  #add(span: Span): number {
    const id = this.#nextId++;
    this.#spans.set(id, span);
    this.#lexical.add(id, termsOf(`${span.path}\n${span.text}`));
    return id;
  }
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** [spans] The place of each, -1 for those that are not ranked. */
function placesOf(ranking: Ranking, length: number): Int32Array {
  const places = new Int32Array(length).fill(-1);
  for (const [place, index] of ranking.entries()) places[index] = place;
  return places;
}

function placesAt(
  places: Readonly<Record<string, Int32Array>>,
  index: number,
): Record<string, number> {
  const found = Object.entries(places).map(([name, all]): [string, number] => [
    name,
    all[index] ?? -1,
  ]);
  return Object.fromEntries(found.filter(([, place]) => place >= 0));
}
