// Places where a line needs a definition of another file, with every span of the package's other
// files to choose from. The needed span is the one in which the only definition of the name begins,
// by tree-sitter. Nothing is drawn: places are taken in the order of their hashes.
import { createHash } from "node:crypto";
import { identifiersOf } from "../../sidecar/selection/identifiers.ts";
import { charactersPerToken } from "../../sidecar/tokenizer/characters-per-token.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { cutText } from "../../sidecar/workspace/cut.ts";
import { resolveImports } from "../../sidecar/workspace/related-files.ts";
import { languageOf } from "../../sidecar/workspace/syntax/languages.ts";
import { type Import, type Syntax, SyntaxReader } from "../../sidecar/workspace/syntax/syntax.ts";
import { readSources, type SourcePackage } from "./cross-file-packages.ts";

export interface BenchSpan {
  readonly path: string;
  readonly text: string;
  readonly defines: readonly string[];
}

/** Whether the needed name stands in the near text, outside its imports. */
export type Kind = "named" | "unnamed";

export interface SelectionSample {
  readonly kind: Kind;
  readonly path: string;
  /** The last tokens before the line, and the first behind it. */
  readonly near: string;
  readonly after: string;
  /** The line itself, without its end, and what of another file it uses first. */
  readonly target: string;
  readonly name: string;
  /** Imports of the file; the needed name is left out where nothing but the line itself uses it. */
  readonly imports: readonly Import[];
  /** Of the spans. */
  readonly needed: number;
}

export interface SelectionPackage {
  readonly name: string;
  readonly spans: readonly BenchSpan[];
  readonly samples: readonly SelectionSample[];
}

interface BenchFile {
  readonly path: string;
  readonly lines: readonly string[];
  readonly syntax: Syntax;
}

interface Tokens {
  readonly count: (text: string) => number;
  readonly last: (text: string, count: number) => string;
  readonly first: (text: string, count: number) => string;
}

const spanTokens = 128;
const queryTokens = { before: 256, after: 64 };
const shortestName = 5;
const largestFile = 100_000; // Characters; above, a file is mostly generated.
const comment = /^\s*(?:\/\/|\/?\*|#|"""|@)/;
const importLine =
  /^\s*(?:import\b|from\b|export\b.*\bfrom\b|[\w$, ]*[)}]?(?: from .*)?$)|\brequire\(/;

const reader = new SyntaxReader();

export function tokensOf(tokenizer: Tokenizer): Tokens {
  const encode = (text: string) => tokenizer.encode(text);
  return {
    count: (text) => encode(text).length,
    last: (text, count) =>
      tokenizer.decode(encode(text.slice(-charactersPerToken * count)).slice(-count)),
    first: (text, count) =>
      tokenizer.decode(encode(text.slice(0, charactersPerToken * count)).slice(0, count)),
  };
}

/** At most `count` samples of each kind, at most one of a file and of a name. */
export async function readPackage(
  source: SourcePackage,
  tokens: Tokens,
  count: number,
): Promise<SelectionPackage> {
  const { files, spans } = await readSpans(source, tokens);
  const definitions = uniqueDefinitions(spans);
  const paths = new Set(files.map(({ path }) => path));
  const places = files
    .flatMap((file) => findPlaces(file, { definitions, spans, paths }))
    .map((place) => ({ place, order: hashOf(`${source.name} ${place.file.path} ${place.line}`) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1));
  const samples: SelectionSample[] = [];
  const taken = new Set<string>();
  for (const { place } of places) {
    if (samples.length === 2 * count) break;
    if (taken.has(place.file.path) || taken.has(place.name)) continue;
    const sample = makeSample(place, tokens);
    const isFull = samples.filter(({ kind }) => kind === sample?.kind).length === count;
    if (sample === null || isFull) continue;
    taken.add(place.file.path).add(place.name);
    samples.push(sample);
  }
  return { name: source.name, spans, samples };
}

async function readSpans(
  source: SourcePackage,
  tokens: Tokens,
): Promise<{ files: BenchFile[]; spans: BenchSpan[] }> {
  const files: BenchFile[] = [];
  const spans: BenchSpan[] = [];
  for (const { path, text } of await readSources(source)) {
    if (text.length > largestFile) continue;
    const syntax = await reader.read(text, languageOf(path).grammar);
    files.push({ path, lines: text.split("\n"), syntax });
    const cutting = { countTokens: tokens.count, limit: spanTokens };
    for (const piece of cutText(text, syntax.borders, cutting).filter(isShown))
      spans.push({ path, text: piece.text, defines: definesIn(piece, syntax) });
  }
  return { files, spans };
}

function isShown({ text }: { readonly text: string }): boolean {
  return text.trim() !== "";
}

interface Place {
  readonly file: BenchFile;
  readonly line: number;
  readonly name: string;
  readonly needed: number;
}

interface Surroundings {
  readonly definitions: ReadonlyMap<string, number>;
  readonly spans: readonly BenchSpan[];
  readonly paths: ReadonlySet<string>;
}

/** Lines whose first foreign name is imported, or called as a member of something. */
function findPlaces(file: BenchFile, { definitions, spans, paths }: Surroundings): Place[] {
  const { path, lines, syntax } = file;
  const imported = new Set(syntax.imports.flatMap(({ names }) => names));
  const sources = new Set(resolveImports({ path, imports: syntax.imports }, paths));
  const own = new Set(syntax.definitions.map(({ name }) => name));
  return lines.flatMap((text, line): Place[] => {
    if (comment.test(text) || importLine.test(text)) return [];
    const name = identifiersOf(text).find((each) => definitions.has(each) && !own.has(each));
    const needed = definitions.get(name ?? "");
    if (name === undefined || needed === undefined) return [];
    const isImported = imported.has(name) && sources.size > 0;
    const isMember = text.includes(`.${name}(`);
    const isForeign = spans[needed]?.path !== path;
    return isForeign && (isImported || isMember) ? [{ file, line, name, needed }] : [];
  });
}

/** Null where the near text has the name in an import alone, which a user may not have written yet. */
function makeSample({ file, line, name, needed }: Place, tokens: Tokens): SelectionSample | null {
  const { path, lines, syntax } = file;
  const near = tokens.last(`${lines.slice(0, line).join("\n")}\n`, queryTokens.before);
  const after = tokens.first(lines.slice(line + 1).join("\n"), queryTokens.after);
  const uses = (text: string): boolean => identifiersOf(text).includes(name);
  const isCode = (text: string): boolean => !importLine.test(text);
  const isNamed = near.split("\n").filter(isCode).some(uses);
  if (!isNamed && uses(near)) return null;
  const isUsedElsewhere = lines.some((text, at) => at !== line && isCode(text) && uses(text));
  const imports = syntax.imports.map((each) => ({
    ...each,
    names: each.names.filter((other) => isUsedElsewhere || other !== name),
  }));
  const target = lines[line] ?? "";
  return { kind: isNamed ? "named" : "unnamed", path, near, after, target, name, imports, needed };
}

function definesIn(piece: { startLine: number; endLine: number }, syntax: Syntax): string[] {
  return syntax.definitions
    .filter(({ line }) => piece.startLine <= line && line < piece.endLine)
    .map(({ name }) => name);
}

/** Name to span, for long enough names that are defined once in the package. */
function uniqueDefinitions(spans: readonly BenchSpan[]): Map<string, number> {
  const found = new Map<string, number | null>();
  for (const [index, { defines }] of spans.entries())
    for (const name of defines) found.set(name, found.has(name) ? null : index);
  const unique = [...found].filter(
    (entry): entry is [string, number] => entry[1] !== null && entry[0].length >= shortestName,
  );
  return new Map(unique);
}

export function hashOf(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
