// Which other files a file most likely needs: those it imports, then those beside it, then those
// that share the most identifiers with it. In: paths and sets. Out: paths and why. No disk.
import { posix } from "node:path";
import { languageOf } from "./syntax/languages.ts";
import type { Import } from "./syntax/syntax.ts";

export interface RelatedFile {
  readonly path: string;
  readonly why: "import" | "folder" | "identifiers";
}

export interface RelatedQuery {
  /** Relative to the workspace folder, with `/`, as all paths here. */
  readonly path: string;
  /** Where it is not the one that the path names. */
  readonly languageId?: string;
  readonly imports: readonly Import[];
  readonly identifiers: ReadonlySet<string>;
}

/** Files that are named at most, unless told otherwise. */
const relatedLimit = 64;

/**
 * The best first, at most `limit`, never the file itself. `files` maps every path of the workspace
 * to the identifiers of its text.
 */
export function relatedFiles(
  query: RelatedQuery,
  files: ReadonlyMap<string, ReadonlySet<string>>,
  limit = relatedLimit,
): RelatedFile[] {
  const imported = resolveImports(query, files);
  const folder = posix.dirname(query.path);
  const beside = [...files.keys()].filter((path) => posix.dirname(path) === folder);
  const sharing = [...files]
    .map(([path, identifiers]) => ({ path, shared: sharedCount(query.identifiers, identifiers) }))
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared);
  const found = new Map<string, RelatedFile["why"]>();
  const add = (paths: readonly string[], why: RelatedFile["why"]): void => {
    for (const path of paths) if (path !== query.path && !found.has(path)) found.set(path, why);
  };
  add(imported, "import");
  add(beside, "folder");
  add(
    sharing.map(({ path }) => path),
    "identifiers",
  );
  return [...found].slice(0, limit).map(([path, why]) => ({ path, why }));
}

/** The files of the workspace that the imports name, in their order. */
export function resolveImports(
  { imports, ...from }: Omit<RelatedQuery, "identifiers">,
  files: { has(path: string): boolean; keys(): Iterable<string> },
): string[] {
  let named: ReadonlyMap<string, readonly string[]> | null = null;
  const found = imports.flatMap((each) => {
    const { places, isSuffix } = placesOf(from, each);
    if (!isSuffix) return places.filter((place) => files.has(place));
    named ??= byName(files.keys());
    const alike = places.flatMap((place) => named?.get(posix.basename(place)) ?? []);
    return alike.filter((file) => places.some((place) => endsWithPath(file, place)));
  });
  return [...new Set(found)];
}

/** There may be tens of thousands: each is compared with what bears its name alone. */
function byName(paths: Iterable<string>): Map<string, string[]> {
  const named = new Map<string, string[]>();
  for (const path of paths) {
    const name = posix.basename(path);
    const others = named.get(name);
    if (others === undefined) named.set(name, [path]);
    else others.push(path);
  }
  return named;
}

/** The folders, relative to the workspace folder, in which what the imports name may lie. */
export function importFolders({ imports, ...from }: Omit<RelatedQuery, "identifiers">): string[] {
  const { path } = from;
  const found = imports.flatMap((each) => {
    const { places, isSuffix } = placesOf(from, each);
    const starts = isSuffix ? [...foldersAbove(path), "src"] : [""];
    return starts.flatMap((start) =>
      places.map((place) => posix.dirname(posix.join(start, place))),
    );
  });
  const inside = found.filter((folder) => folder !== ".." && !folder.startsWith("../"));
  return [...new Set(inside.map((folder) => (folder === "." ? "" : folder)))];
}

/**
 * Where in the folder `root` the imports of a file outside of it may lead, as paths within `root`:
 * along their path, or by the folder's name, as packages that lie side by side are imported. The
 * paths of both are absolute.
 */
export function placesIn(
  { imports, ...from }: Omit<RelatedQuery, "identifiers">,
  root: string,
): string[] {
  const name = posix.basename(root);
  const below = (folder: string, places: readonly string[]): string[] =>
    places.flatMap((place) =>
      place.startsWith(`${folder}/`) ? [place.slice(folder.length + 1)] : [],
    );
  const found = imports.flatMap((each) => {
    const { languageId = languageOf(from.path).id } = from;
    const isBare = each.source === name || each.source.startsWith(`${name}/`);
    const bare = isBare && languageId !== "python" ? { ...each, source: `./${each.source}` } : each;
    const named = below(name, placesOf({ path: "", languageId }, bare).places);
    const along = each.source.startsWith(".") ? below(root, placesOf(from, each).places) : [];
    return [...along, ...named, ...named.map((place) => `src/${place}`)];
  });
  return [...new Set(found)];
}

function foldersAbove(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return [...names.keys(), names.length].map((count) => names.slice(0, count).join("/"));
}

function placesOf(
  { path, languageId = languageOf(path).id }: Pick<RelatedQuery, "path" | "languageId">,
  each: Import,
): Places {
  return languageId === "python" ? pythonPlaces(path, each) : javascriptPlaces(path, each);
}

/** Where a module may lie; `isSuffix` when the folder above is not known. */
interface Places {
  readonly places: readonly string[];
  readonly isSuffix: boolean;
}

const javascriptEndings = [".ts", ".tsx", ".mts", ".cts", ".d.ts", ".js", ".jsx", ".mjs", ".cjs"];

const pythonEndings = [".py", ".pyi", "/__init__.py", "/__init__.pyi"];

/**
 * Node's and bundlers' ways: the file, the file with an ending, the folder's index; `./a.js` may be
 * written for `./a.ts`. `@/` and `~/` stand for a source folder by custom.
 */
function javascriptPlaces(path: string, { source }: Import): Places {
  const alias = /^[@~]\/(.+)$/.exec(source)?.[1];
  if (alias === undefined && !source.startsWith(".")) return { places: [], isSuffix: false };
  const target = alias ?? posix.join(posix.dirname(path), source);
  const stem = target.replace(/\.(js|jsx|mjs|cjs)$/, "");
  const places = [target, stem].flatMap((base) => [
    base,
    ...javascriptEndings.map((ending) => base + ending),
    ...javascriptEndings.map((ending) => posix.join(base, `index${ending}`)),
  ]);
  return { places: [...new Set(places)], isSuffix: alias !== undefined };
}

/**
 * A module is a file or a package's `__init__`; a name imported from a package may be a module. One
 * of a single name is looked for at the root, in `src` and beside the file only, lest `copy` of the
 * standard library be some `copy.py`.
 */
function pythonPlaces(path: string, { source, names }: Import): Places {
  const [, dots = "", dotted = ""] = /^(\.*)(.*)$/.exec(source) ?? [];
  const isSuffix = dots === "" && dotted.includes(".");
  const here = posix.dirname(path);
  const relativeStart = posix.join(here, "../".repeat(Math.max(0, dots.length - 1)));
  const starts = isSuffix ? [""] : dots === "" ? ["", "src", here] : [relativeStart];
  const places = starts.flatMap((start) => {
    const base = posix.join(start, ...dotted.split("."));
    const modules = [base, ...names.map((name) => posix.join(base, name))];
    return modules.flatMap((each) => pythonEndings.map((ending) => each + ending));
  });
  return { places: [...new Set(places)], isSuffix };
}

function endsWithPath(file: string, place: string): boolean {
  return file === place || file.endsWith(`/${place}`);
}

function sharedCount(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0;
  for (const name of a.size < b.size ? a : b) if (a.has(name) && b.has(name)) count += 1;
  return count;
}
