// Cross-file samples: a line that uses a name which is defined in another file of the package and is
// nowhere in the text before it, with eight spans of other files. The spans are ranked by the text
// before the line alone; the one with the definition is among them, wherever that ranks it. Nothing
// is drawn: candidates are taken in the order of their hashes.
import { createHash } from "node:crypto";
import { jaccard } from "../../sidecar/selection/similarity.ts";
import type { Language, SourceFile, SourcePackage } from "./cross-file-packages.ts";

export interface Span {
  readonly path: string;
  readonly text: string;
}

export interface CrossFileSample {
  readonly id: string;
  readonly language: Language;
  readonly path: string;
  /** The lines before the target, to its line's start. */
  readonly near: string;
  /** One line, without its end. */
  readonly target: string;
  /** What the target uses and a span defines. */
  readonly name: string;
  /** Worst first, best last. */
  readonly spans: readonly Span[];
}

export interface SampleLimits {
  /** Whether a span's text is short enough to be a piece. */
  readonly fits: (span: Span) => boolean;
  /** Of a package. */
  readonly count: number;
}

const spanCount = 8;
const nearCharacters = { least: 150, most: 560 };
const targetCharacters = { least: 15, most: 110 };
const shortestName = 5;
// Below this a file is a list of exports, above it mostly generated.
const fileCharacters = { least: 800, most: 100_000 };

/** At most one sample for a file and for a name. */
export function makeSamples(
  source: SourcePackage,
  files: readonly SourceFile[],
  { fits, count }: SampleLimits,
): CrossFileSample[] {
  const usable = files.filter(
    ({ text }) => text.length >= fileCharacters.least && text.length <= fileCharacters.most,
  );
  const chunks = usable.flatMap((file) => cutChunks(file, source.language, fits));
  const definitions = uniqueDefinitions(chunks);
  const uses = usable
    .flatMap((file) => findUses(file, definitions))
    .map((use) => ({ use, order: hashOf(`${source.name} ${use.path} ${use.line}`) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ use }) => use);
  const samples: CrossFileSample[] = [];
  const taken = new Set<string>();
  for (const use of uses) {
    if (samples.length === count) break;
    if (taken.has(use.path) || taken.has(use.definition.name)) continue;
    const others = chunks.filter(({ path }) => path !== use.path);
    if (others.length < spanCount) break;
    taken.add(use.path).add(use.definition.name);
    samples.push({
      id: `${source.name} ${use.path}:${use.line + 1}`,
      language: source.language,
      ...{ path: use.path, near: use.near, target: use.target, name: use.definition.name },
      spans: rankSpans(use.near, others, use.definition),
    });
  }
  return samples;
}

interface Chunk extends Span {
  readonly name: string;
}

interface Use {
  readonly path: string;
  readonly line: number;
  readonly near: string;
  readonly target: string;
  readonly definition: Chunk;
}

const definitionStarts: Record<Language, RegExp> = {
  typescript:
    /^(?:export\s+)?(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|interface|type|enum|const|let)\s+([A-Za-z_$][\w$]*)/,
  javascript:
    /^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\*?|class|const|let)\s+([A-Za-z_$][\w$]*)/,
  python: /^(?:async\s+)?(?:def|class)\s+(\w+)/,
};
const comment = /^\s*(?:\/\/|\/?\*|#|"""|@)/;
const importLine = /^\s*(?:import|export\b.*\bfrom\b|from|const .*require\()|\brequire\(/;

/** From every definition at the margin to the next one, as many lines as fit. */
function cutChunks({ path, text }: SourceFile, language: Language, fits: SampleLimits["fits"]) {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, index) => {
    const name = definitionStarts[language].exec(line)?.[1];
    return name === undefined || line.includes("require(") ? [] : [{ name, index }];
  });
  return starts.flatMap(({ name, index }, order): Chunk[] => {
    const body = lines.slice(index, starts[order + 1]?.index);
    while (body.length > 0 && /^\s*$/.test(body.at(-1) ?? "")) body.pop();
    while (body.length > 0 && isLoose(body.at(-1) ?? "")) body.pop();
    while (body.length > 0 && !fits({ path, text: body.join("\n") })) body.pop();
    return body.length < 2 ? [] : [{ path, name, text: body.join("\n") }];
  });
}

/** A comment or blank line: behind a definition it belongs to the next one. */
function isLoose(line: string): boolean {
  return /^\s*$/.test(line) || comment.test(line);
}

/** By name, those of names that only one chunk defines. */
function uniqueDefinitions(chunks: readonly Chunk[]): Map<string, Chunk> {
  const found = new Map<string, Chunk | null>();
  for (const chunk of chunks) found.set(chunk.name, found.has(chunk.name) ? null : chunk);
  const unique = new Map<string, Chunk>();
  for (const [name, chunk] of found)
    if (chunk !== null && name.length >= shortestName) unique.set(name, chunk);
  return unique;
}

function findUses({ path, text }: SourceFile, definitions: ReadonlyMap<string, Chunk>): Use[] {
  const lines = text.split("\n");
  return lines.flatMap((target, line): Use[] => {
    const length = target.trim().length;
    if (length < targetCharacters.least || length > targetCharacters.most) return [];
    if (comment.test(target) || importLine.test(target)) return [];
    const near = nearText(lines, line);
    if (near.length < nearCharacters.least) return [];
    const known = new Set(identifiersOf(near));
    const name = identifiersOf(target).find((each) => definitions.has(each) && !known.has(each));
    const definition = definitions.get(name ?? "");
    if (definition === undefined || definition.path === path) return [];
    return [{ path, line, near, target, definition }];
  });
}

/** The whole lines before `line` that are not too many characters. */
function nearText(lines: readonly string[], line: number): string {
  let start = line;
  let length = 0;
  while (start > 0) {
    length += (lines[start - 1] ?? "").length + 1;
    if (length > nearCharacters.most) break;
    start -= 1;
  }
  return lines
    .slice(start, line)
    .map((each) => `${each}\n`)
    .join("");
}

/** The needed chunk and the best others by the likeness of their identifiers, best last. */
function rankSpans(near: string, chunks: readonly Chunk[], needed: Chunk): Span[] {
  const query = new Set(identifiersOf(near));
  const ranked = chunks
    .map((chunk) => ({ chunk, score: jaccard(query, new Set(identifiersOf(chunk.text))) }))
    .sort((a, b) => b.score - a.score || (hashOf(a.chunk.text) < hashOf(b.chunk.text) ? -1 : 1))
    .map(({ chunk }) => chunk);
  const best = ranked.slice(0, spanCount);
  const chosen = best.includes(needed) ? best : [...best.slice(0, spanCount - 1), needed];
  return chosen.reverse().map(({ path, text }) => ({ path, text }));
}

function identifiersOf(text: string): string[] {
  return text.match(/[A-Za-z_$][\w$]*/g) ?? [];
}

function hashOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
