// Gaps in real code, each with the closers behind it that an editor inserts: what a person has in
// front of them in the middle of typing. From the committed corpora, so that the same places come
// out on every machine. Files in which the parser finds errors as they are were left out.
import type { Grammar } from "../../sidecar/workspace/syntax/languages.ts";
import { type Gap, readGaps, type SyntaxKind } from "./code-gaps.ts";
import { type CorpusFile, readCorpus } from "./corpus.ts";
import { CodeParser } from "./parsed-code.ts";
import { createRandom, type Random } from "./random-tensor.ts";

export interface SyntaxPlace {
  /** Names the file, the kind and where the gap begins. */
  readonly id: string;
  readonly language: string;
  readonly kind: SyntaxKind;
  readonly path: string;
  readonly languageId: string;
  readonly grammar: Grammar;
  readonly prefix: string;
  readonly suffix: string;
}

type Folder = readonly [languageId: string, grammar: Grammar];

/** By the folder of a corpus. */
const folders: Readonly<Record<string, Folder>> = {
  c: ["c", "cpp"],
  cpp: ["cpp", "cpp"],
  csharp: ["csharp", "c-sharp"],
  go: ["go", "go"],
  java: ["java", "java"],
  javascript: ["javascript", "javascript"],
  php: ["php", "php"],
  python: ["python", "python"],
  ruby: ["ruby", "ruby"],
  rust: ["rust", "rust"],
  shell: ["shellscript", "bash"],
  tsx: ["typescriptreact", "tsx"],
  typescript: ["typescript", "typescript"],
};

/** Of a language at the most, where its code has as many. */
const quotas: Readonly<Record<SyntaxKind, number>> = {
  string: 10,
  "empty-line": 12,
  arguments: 9,
  types: 8,
  markup: 40,
  "line-end": 8,
};

/** At least 600 in all of the languages, the same ones for the same seed. */
export async function pickSyntaxPlaces(seed: number): Promise<SyntaxPlace[]> {
  const random = createRandom(seed);
  const files = [...readCorpus(), ...readCorpus("grammar-corpus")];
  const places: SyntaxPlace[] = [];
  for (const [language, folder] of Object.entries(folders)) {
    const parser = await CodeParser.load(folder[1]);
    const own = files.filter((file) => file.language === language);
    const readable = own.filter(({ text }) => parser.countErrors(text) === 0);
    const found = readable.flatMap((file) => placesOf(file, folder, parser));
    const picked = Object.entries(quotas).flatMap(([kind, quota]) =>
      pick(
        found.filter((place) => place.kind === kind),
        quota,
        random,
      ),
    );
    places.push(...picked.sort(byPlace));
  }
  return places;
}

/** In the order of the files, in which a cache of the prompt serves best. */
function byPlace(one: FoundPlace, other: FoundPlace): number {
  return one.path < other.path ? -1 : one.path > other.path ? 1 : one.start - other.start;
}

function pick<T>(all: readonly T[], count: number, random: Random): T[] {
  const left = [...all];
  const picked: T[] = [];
  while (picked.length < count && left.length > 0)
    picked.push(...left.splice(Math.floor(random() * left.length), 1));
  return picked;
}

/** Its offset in the file is there for the order. */
type FoundPlace = SyntaxPlace & { readonly start: number };

/** Each once: a body may be the only child of another. */
function placesOf(file: CorpusFile, folder: Folder, parser: CodeParser): FoundPlace[] {
  const gaps = parser.read(file.text, (root) => readGaps(file.text, root));
  const places = gaps.map((gap) => placeOf(file, folder, gap));
  return [...new Map(places.map((place) => [place.id, place])).values()];
}

function placeOf(
  { language, name, text }: CorpusFile,
  [languageId, grammar]: Folder,
  { kind, start, end, before, behind }: Gap,
): FoundPlace {
  return {
    id: `${language}/${name}:${start}:${kind}`,
    ...{ language, kind, path: name, languageId, grammar, start },
    prefix: text.slice(0, start) + before,
    suffix: behind + text.slice(end),
  };
}
