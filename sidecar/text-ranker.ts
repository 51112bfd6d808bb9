// Texts without a workspace, ranked as the product ranks spans: what they define and what the file at
// hand imports comes from their syntax, by the languages that their paths name.
import { SpanIndex } from "./selection/span-index.ts";
import { resolveImports } from "./workspace/related-files.ts";
import { languageOf } from "./workspace/syntax/languages.ts";
import type { Syntax, SyntaxReader } from "./workspace/syntax/syntax.ts";

export interface RankedPlace {
  readonly path?: string | undefined;
  /** All the text before and behind the cursor, for its imports. */
  readonly prefix: string;
  readonly suffix?: string | undefined;
  /** The ends of both at the cursor. */
  readonly before: string;
  readonly after: string;
}

export interface RankableText {
  readonly path?: string | undefined;
  readonly text: string;
}

/** Every text's index, the best first; those that no ranking knows come last, in their order, with 0. */
export async function rankTexts(
  reader: SyntaxReader,
  place: RankedPlace,
  texts: readonly RankableText[],
): Promise<{ index: number; score: number }[]> {
  const index = new SpanIndex<IndexedText>();
  for (const [path, spans] of await readTexts(reader, texts)) index.setFile(path, spans);
  const { path = "", prefix, suffix = "", before, after } = place;
  const { imports } = await read(reader, { path, text: `${prefix}${suffix}` });
  const paths = new Set(texts.flatMap((each) => each.path ?? []));
  const ranked = index
    .rank({
      ...{ path: null, before, after },
      importedNames: imports.flatMap(({ names }) => names),
      importedPaths: resolveImports({ path, imports }, paths),
    })
    .map(({ span, score }) => ({ index: span.index, score }));
  const known = new Set(ranked.map((each) => each.index));
  const others = [...texts.keys()].filter((each) => !known.has(each));
  return [...ranked, ...others.map((each) => ({ index: each, score: 0 }))];
}

interface IndexedText {
  readonly path: string;
  readonly text: string;
  readonly defines: readonly string[];
  readonly index: number;
}

/** By path. */
async function readTexts(
  reader: SyntaxReader,
  texts: readonly RankableText[],
): Promise<Map<string, IndexedText[]>> {
  const files = new Map<string, IndexedText[]>();
  for (const [index, { path = "", text }] of texts.entries()) {
    const { definitions } = await read(reader, { path, text });
    const defines = [...new Set(definitions.map(({ name }) => name))];
    files.set(path, [...(files.get(path) ?? []), { path, text, defines, index }]);
  }
  return files;
}

function read(reader: SyntaxReader, { path = "", text }: RankableText): Promise<Syntax> {
  return reader.read(text, languageOf(path).grammar);
}
