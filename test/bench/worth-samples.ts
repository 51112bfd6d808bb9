// Lines of whole repositories that need a definition of another file, written up to its name, each
// with the spans that the product's ranking puts first of all spans of the package's other files.
// Made once for a split, in turn from every package, and kept in .cache/.
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type RankedSpan, SpanIndex } from "../../sidecar/selection/span-index.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { resolveImports } from "../../sidecar/workspace/related-files.ts";
import { realVocabulary } from "../support/vocabularies.ts";
import { type Split, sourcePackages } from "./cross-file-packages.ts";
import {
  type BenchSpan,
  readPackage,
  type SelectionPackage,
  tokensOf,
} from "./selection-samples.ts";

export interface WorthSample {
  readonly id: string;
  readonly path: string;
  /** The last tokens before the needed name, without the white space in front of it. */
  readonly before: string;
  /** The lines behind. */
  readonly after: string;
  /** The rest of the line. */
  readonly target: string;
  /** The best first. */
  readonly ranked: readonly RankedSpan<BenchSpan>[];
  /** The place of the needed span in the whole ranking, from 0; null: it is not ranked. */
  readonly neededPlace: number | null;
}

/** Of each kind and package. */
const sampleCount = 12;
/** Offered to the planner by the product. */
const rankedCount = 32;

export async function loadWorthSamples(split: Split): Promise<WorthSample[]> {
  const file = `.cache/worth/${split}.json`;
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8"));
  const tokenizer = Tokenizer.create(await realVocabulary("qwen2.5-coder-0.5b"));
  const byPackage: WorthSample[][] = [];
  for (const source of sourcePackages.filter((each) => each.split === split))
    byPackage.push(rankSamples(await readPackage(source, tokensOf(tokenizer), sampleCount)));
  tokenizer.dispose();
  const samples = Array.from({ length: 2 * sampleCount }, (_, index) =>
    byPackage.flatMap((each) => each.slice(index, index + 1)),
  ).flat();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(samples));
  return samples;
}

function rankSamples({ name, spans, samples }: SelectionPackage): WorthSample[] {
  const index = new SpanIndex<BenchSpan>();
  const paths = new Set(spans.map(({ path }) => path));
  for (const path of paths)
    index.setFile(
      path,
      spans.filter((span) => span.path === path),
    );
  return samples.map((sample) => {
    const { path, near, after, target: line, name: needed } = sample;
    const start = line.slice(0, startOf(needed, line)).trimEnd();
    const ranked = index.rank({
      ...{ path, before: near + start, after },
      importedNames: sample.imports.flatMap(({ names }) => names),
      importedPaths: resolveImports(sample, paths),
    });
    const place = ranked.findIndex(({ span }) => span === spans[sample.needed]);
    return {
      ...{ id: `${name} ${path} ${line.trim()}`, path, before: near + start, after },
      target: line.slice(start.length),
      ranked: ranked.slice(0, rankedCount),
      neededPlace: place < 0 ? null : place,
    };
  });
}

/** Where `name` first stands in `line` as a whole identifier. */
function startOf(name: string, line: string): number {
  const escaped = name.replaceAll("$", "\\$");
  return line.search(new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`));
}
