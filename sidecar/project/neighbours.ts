// Other folders of the workspace that a file imports from. In: a file and the folders. Out: those
// whose files it names, which are read by then, and how their paths are shown beside its own.
import { join } from "node:path";
import { isWithin, pathWithin, slashed } from "../workspace/is-within.ts";
import { placesIn } from "../workspace/related-files.ts";
import type { FolderIndex } from "./folder-index.ts";
import type { Folders, FoundFile } from "./folders.ts";

export interface Neighbour {
  readonly root: string;
  readonly folder: FolderIndex;
  /** Of the importing file, from the folder; and what it imports, within the folder. */
  readonly from: string;
  readonly imported: { readonly names: readonly string[]; readonly paths: readonly string[] };
  /** Whether a path of the folder is one of the importing file's folder. */
  isOwn(path: string): boolean;
  /** What stands in front of its paths, so that they are no path of the importing file's folder. */
  readonly label: string;
}

/** @throws CancelledError */
export async function neighboursOf(
  { root, folder, path }: FoundFile,
  folders: Folders,
  signal?: AbortSignal,
): Promise<Neighbour[]> {
  const from = folder.importsFrom(path);
  if (from.imports.length === 0) return [];
  const others = await folders.others(root);
  const roots = [root, ...others.map((each) => each.root)];
  const found: Neighbour[] = [];
  for (const other of others) {
    const places = placesIn({ ...from, path: `${slashed(root)}/${path}` }, slashed(other.root));
    // Of folders in each other the outer one has the files of the inner one, too.
    const isOwn = (inOther: string): boolean => isWithin(join(other.root, inOther), root);
    const paths = (await other.folder.readPlaces(places, signal)).filter((each) => !isOwn(each));
    if (paths.length === 0) continue;
    const names = from.imports.flatMap((each) => each.names);
    const label = labelOf(other.root, roots, (name) => folder.holds(name));
    const inOther = `${pathWithin(other.root, root)}/${path}`;
    found.push({ ...other, from: inOther, imported: { names, paths }, label, isOwn });
  }
  return found;
}

/** The last parts of the folder's path, as many as are needed to be no other's. */
function labelOf(
  root: string,
  roots: readonly string[],
  isTaken: (name: string) => boolean,
): string {
  const names = slashed(root).split("/");
  for (let count = 1; count < names.length; count += 1) {
    const label = names.slice(-count).join("/");
    const alike = roots.filter((each) => slashed(each).endsWith(`/${label}`));
    if (alike.length === 1 && !isTaken(names.at(-count) ?? "")) return label;
  }
  return slashed(root);
}
