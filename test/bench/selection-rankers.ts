// The rankers and fusions that are compared, each from a sample to an order of a package's spans.
// What the product ships is `default`; the rest is what it was chosen from.
import { countDefinitions, definitionScore } from "../../sidecar/selection/definitions.ts";
import { diversify } from "../../sidecar/selection/diversity.ts";
import { fuse, type Ranking, rankByScore } from "../../sidecar/selection/fusion.ts";
import { identifiersOf, termsOf } from "../../sidecar/selection/identifiers.ts";
import { LexicalIndex } from "../../sidecar/selection/lexical-index.ts";
import { jaccard } from "../../sidecar/selection/similarity.ts";
import { type RankedSpan, SpanIndex } from "../../sidecar/selection/span-index.ts";
import { relatedFiles, resolveImports } from "../../sidecar/workspace/related-files.ts";
import {
  type BenchSpan,
  hashOf,
  type SelectionPackage,
  type SelectionSample,
} from "./selection-samples.ts";

export type Ranker = (sample: SelectionSample) => Ranking;

/** Spans that are made different from each other: as many as a selection offers. */
const diversified = 32;

/** What is made once for a package. */
interface Prepared {
  readonly spans: readonly BenchSpan[];
  readonly indexOf: ReadonlyMap<BenchSpan, number>;
  readonly identifiers: readonly ReadonlySet<string>[];
  readonly identifiersByPath: ReadonlyMap<string, ReadonlySet<string>>;
  /** The product's ranking. */
  readonly rank: (sample: SelectionSample) => RankedSpan<BenchSpan>[];
}

export function makeRankers({ spans }: SelectionPackage): Record<string, Ranker> {
  const prepared = prepare(spans);
  const single = { ...lexicalRankers(prepared), ...productParts(prepared) };
  const fusion = (...names: (keyof typeof single)[]): Ranker => {
    return (sample) => [...fuse(names.map((name) => single[name](sample))).keys()];
  };
  const named = "named: definitions of names in sight";
  const imported = "imported: definitions of imported names";
  const alike = "alike: BM25, imported files first";
  return {
    ...single,
    "Jaccard + BM25": fusion("Jaccard", "BM25, parts and path"),
    "named + imported": fusion(named, imported),
    "named + alike": fusion(named, alike),
    "named + imported + BM25": fusion(named, imported, "BM25, parts and path"),
    "default + Jaccard": fusion(named, imported, alike, "Jaccard"),
    ...productOrders(prepared),
  };
}

function prepare(spans: readonly BenchSpan[]): Prepared {
  const identifiers = spans.map(({ text }) => new Set(identifiersOf(text)));
  const product = new SpanIndex<BenchSpan>();
  const identifiersByPath = new Map<string, ReadonlySet<string>>();
  for (const path of new Set(spans.map((span) => span.path))) {
    const own = spans.filter((span) => span.path === path);
    product.setFile(path, own);
    identifiersByPath.set(path, new Set(own.flatMap(({ text }) => identifiersOf(text))));
  }
  return {
    ...{ spans, identifiers, identifiersByPath },
    indexOf: new Map(spans.map((span, index) => [span, index])),
    rank: (sample) =>
      product.rank({
        path: sample.path,
        before: sample.near,
        after: sample.after,
        importedNames: sample.imports.flatMap(({ names }) => names),
        importedPaths: resolveImports(sample, identifiersByPath),
      }),
  };
}

function lexicalRankers({ spans, identifiers }: Prepared) {
  const terms = spans.map(({ path, text }) => termsOf(`${path}\n${text}`));
  const termSets = terms.map((list) => new Set(list));
  const counts = countDefinitions(spans.map(({ defines }) => defines));
  const whole = lexicalIndex(spans.map(({ text }) => identifiersOf(text)));
  const parts = lexicalIndex(terms);
  const byScore = (sample: SelectionSample, score: (index: number) => number): Ranking =>
    rankByScore(spans.map(({ path }, index) => (path === sample.path ? 0 : score(index))));
  const byJaccard = (sample: SelectionSample, query: string[], sets: typeof identifiers): Ranking =>
    byScore(sample, (index) => jaccard(new Set(query), sets[index] ?? new Set()));
  const byBm25 = (sample: SelectionSample, query: string[], index: LexicalIndex): Ranking => {
    const scores = index.score(query);
    return byScore(sample, (each) => scores.get(each) ?? 0);
  };
  return {
    random: (sample: SelectionSample) =>
      byScore(sample, (index) =>
        Number.parseInt(hashOf(`${sample.path} ${index}`).slice(0, 8), 16),
      ),
    "Jaccard, before the cursor": (sample: SelectionSample) =>
      byJaccard(sample, identifiersOf(sample.near), identifiers),
    Jaccard: (sample: SelectionSample) =>
      byJaccard(sample, identifiersOf(around(sample)), identifiers),
    "Jaccard, parts and path": (sample: SelectionSample) =>
      byJaccard(sample, termsOf(around(sample)), termSets),
    BM25: (sample: SelectionSample) => byBm25(sample, identifiersOf(around(sample)), whole),
    "BM25, parts and path": (sample: SelectionSample) =>
      byBm25(sample, termsOf(around(sample)), parts),
    "definitions of names in sight, unweighted": (sample: SelectionSample) => {
      const names = new Map(identifiersOf(around(sample)).map((name) => [name, 1]));
      return byScore(sample, (index) =>
        definitionScore(spans[index]?.defines ?? [], names, counts),
      );
    },
  };
}

/** The three rankings that the product fuses, each alone, by the places it reports. */
function productParts({ indexOf, rank }: Prepared) {
  const part = (name: string) => (sample: SelectionSample) =>
    rank(sample)
      .filter(({ places }) => places[name] !== undefined)
      .sort((a, b) => (a.places[name] ?? 0) - (b.places[name] ?? 0))
      .map(({ span }) => indexOf.get(span) ?? -1);
  return {
    "named: definitions of names in sight": part("named"),
    "imported: definitions of imported names": part("imported"),
    "alike: BM25, imported files first": part("alike"),
  };
}

function productOrders(prepared: Prepared): Record<string, Ranker> {
  const { spans, indexOf, identifiers, identifiersByPath, rank } = prepared;
  const order: Ranker = (sample) => rank(sample).map(({ span }) => indexOf.get(span) ?? -1);
  const likeness = (a: number, b: number): number =>
    jaccard(identifiers[a] ?? new Set(), identifiers[b] ?? new Set());
  return {
    "default: named + imported + alike": order,
    "default, then MMR": (sample) => {
      const best = rank(sample).slice(0, 2 * diversified);
      const scores = new Map(best.map(({ span, score }) => [indexOf.get(span) ?? -1, score]));
      return diversify(scores, { likeness, count: diversified });
    },
    "default among 64 related files": (sample) => {
      const query = { ...sample, identifiers: new Set(identifiersOf(around(sample))) };
      const related = relatedFiles(query, identifiersByPath).map(({ path }) => path);
      const paths = new Set(related);
      return order(sample).filter((index) => paths.has(spans[index]?.path ?? ""));
    },
  };
}

function lexicalIndex(lists: readonly (readonly string[])[]): LexicalIndex {
  const index = new LexicalIndex();
  for (const [id, terms] of lists.entries()) index.add(id, terms);
  return index;
}

function around({ near, after }: SelectionSample): string {
  return `${near}\n${after}`;
}
