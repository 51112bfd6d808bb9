// The folders of the workspace, each opened when something in it is asked for. In: what the editor
// says of them and of its documents. Out: the folder that holds a file.
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UnsupportedError } from "../errors.ts";
import { pieceTokens } from "../memory/kept-encoder.ts";
import { type Disk, hostDisk } from "../workspace/disk.ts";
import { ruledFolder } from "../workspace/ignore-rules.ts";
import { isWithin, pathWithin } from "../workspace/is-within.ts";
import type { Encodings } from "../workspace/read-source.ts";
import { FolderIndex } from "./folder-index.ts";
import type { PlacedDemonstration, PlacedProblem } from "./read-files.ts";

export interface FolderSettings {
  /** Absolute paths. */
  readonly folders: readonly string[];
  /** Patterns as in `.gitignore`. */
  readonly exclude: readonly string[];
  /** Language id -> what the editor calls the encoding of its files; default none. */
  readonly encodings?: Encodings | undefined;
}

interface OpenFolder {
  /** Of the workspace, as the editor names it. */
  readonly root: string;
  readonly folder: FolderIndex;
}

export interface FoundFile extends OpenFolder {
  /** Within the folder, with `/`; of a link that leads to a file in it, the path of that file. */
  readonly path: string;
}

export interface FoldersOptions {
  /** Default the host's. */
  readonly disk?: Disk;
  /** Told of a file on which something broke; the others are read all the same. */
  readonly onFailure?: (error: unknown) => void;
}

export interface Touched {
  /** All that the change means, absolute. */
  readonly paths: readonly string[];
  /** Whether other files may be read now. */
  readonly areRulesOther: boolean;
}

/** Tokens of a span, so that its header fits into the piece with it. */
const spanTokens = pieceTokens - 16;

export interface FileProblem extends PlacedProblem {
  /** Its absolute path. */
  readonly file: string;
}

export class Folders {
  readonly #countTokens: (text: string) => number;
  readonly #disk: Disk;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  readonly #opened = new Map<string, Promise<FolderIndex | null>>();
  /** Of open editors, by absolute path. */
  readonly #texts = new Map<string, string>();
  #settings: FolderSettings = { folders: [], exclude: [] };

  constructor(
    countTokens: (text: string) => number,
    { disk = hostDisk, onFailure }: FoldersOptions = {},
  ) {
    this.#countTokens = countTokens;
    this.#disk = disk;
    this.#onFailure = onFailure;
  }

  /** What was read stays where it is still true. */
  configure(settings: FolderSettings): void {
    const rulesOf = ({ exclude, encodings }: FolderSettings) => [exclude, encodings];
    const isRuledAlike = isDeepStrictEqual(rulesOf(settings), rulesOf(this.#settings));
    for (const root of this.#opened.keys())
      if (!isRuledAlike || !settings.folders.includes(root)) this.#opened.delete(root);
    this.#settings = settings;
  }

  /** In the innermost folder; null for a file in none, or in one that cannot be read. */
  async find(file: string): Promise<FoundFile | null> {
    const [root] = this.#rootsOf(file);
    if (root === undefined) return null;
    const folder = await this.#open(root);
    return folder && (await this.#findIn({ root, folder }, file));
  }

  /** In every folder that holds the file and can be read, the innermost first. */
  async findAll(file: string): Promise<FoundFile[]> {
    const opened = await this.#openAll(file);
    return await Promise.all(opened.map((each) => this.#findIn(each, file)));
  }

  /** Every other folder that can be read. */
  async others(root: string): Promise<OpenFolder[]> {
    const opened = this.#settings.folders.map(async (each) => {
      const folder = each === root ? null : await this.#open(each);
      return folder && { root: each, folder };
    });
    return (await Promise.all(opened)).filter((each) => each !== null);
  }

  /** @throws UnsupportedError for a file in no folder of the workspace. */
  async require(file: string): Promise<FoundFile> {
    const found = await this.find(file);
    if (found === null)
      throw new UnsupportedError(`memories: ${file} is in no folder of the workspace`);
    return found;
  }

  /** The text of an open editor; null when it was closed. Returns the absolute paths that it is of. */
  async edit(file: string, text: string | null): Promise<string[]> {
    if (text === null) this.#texts.delete(file);
    else this.#texts.set(file, text);
    const places = await this.findAll(file);
    for (const place of places)
      place.folder.setText(place.path, text ?? (await this.#textElsewhere(place)));
    return places.map(({ root, path }) => join(root, path));
  }

  /** A file or folder on the disk was made, changed or deleted. */
  async touch(file: string): Promise<Touched> {
    const ruled = await this.#ruledFolder(file);
    // Other rules may hold for any file now, also where they stand further out.
    if (ruled !== null)
      for (const root of this.#opened.keys())
        if (isWithin(ruled, root) || isWithin(root, ruled)) this.#opened.delete(root);
    // What changed is the link itself, where it is one.
    const opened = await this.#openAll(file);
    const paths = opened.flatMap(({ root, folder }) =>
      folder.touch(pathWithin(root, file)).map((each) => join(root, each)),
    );
    return { paths, areRulesOther: ruled !== null };
  }

  /** With the absolute paths of their files. */
  async demonstrations(): Promise<(PlacedDemonstration & { readonly file: string })[]> {
    const lists = this.#settings.folders.map(async (root) => {
      const folder = await this.#open(root);
      await folder?.readDemonstrations();
      return (folder?.demonstrations ?? [])
        .map((each) => ({ ...each, file: join(root, each.path) }))
        .filter(({ file }) => this.#rootsOf(file)[0] === root);
    });
    return (await Promise.all(lists)).flat();
  }

  /** What is wrong with demonstration files. */
  async demonstrationProblems(): Promise<FileProblem[]> {
    const lists = this.#settings.folders.map(async (root) => {
      const folder = await this.#open(root);
      await folder?.readDemonstrations();
      return (folder?.problemsIn("") ?? [])
        .map((each) => ({ ...each, file: join(root, each.path) }))
        .filter(({ file }) => this.#rootsOf(file)[0] === root);
    });
    return (await Promise.all(lists)).flat();
  }

  /** null also where that is left out: package managers write many rule files there. */
  async #ruledFolder(file: string): Promise<string | null> {
    const ruled = ruledFolder(file);
    if (ruled === null) return null;
    const places = await this.findAll(ruled);
    const reasons = places.map(({ folder, path }) => folder.reasonFor(path, "folder"));
    return places.length === 0 || (await Promise.all(reasons)).includes(null) ? ruled : null;
  }

  /** The folders that hold the file, the innermost first. */
  #rootsOf(file: string): string[] {
    const roots = this.#settings.folders.filter((root) => isWithin(file, root));
    return roots.sort((a, b) => b.length - a.length);
  }

  async #openAll(file: string): Promise<OpenFolder[]> {
    const opened = this.#rootsOf(file).map(async (root) => {
      const folder = await this.#open(root);
      return folder && { root, folder };
    });
    return (await Promise.all(opened)).filter((each) => each !== null);
  }

  /** What another open document says of the file: it and a link to it may both be open. */
  async #textElsewhere({ root, folder, path }: FoundFile): Promise<string | null> {
    for (const [file, text] of this.#texts)
      if (isWithin(file, root) && (await this.#findIn({ root, folder }, file)).path === path)
        return text;
    return null;
  }

  #open(root: string): Promise<FolderIndex | null> {
    const known = this.#opened.get(root);
    if (known !== undefined) return known;
    const opened = this.#openFresh(root);
    this.#opened.set(root, opened);
    return opened;
  }

  /** null when it cannot be read: there are no memories of it then. */
  async #openFresh(root: string): Promise<FolderIndex | null> {
    const cutting = { countTokens: this.#countTokens, limit: spanTokens };
    const { exclude, encodings } = this.#settings;
    const reading = { exclude, encodings, disk: this.#disk };
    const options = { cutting, ...reading, onFailure: this.#onFailure };
    const folder = await FolderIndex.open(root, options).catch(() => null);
    if (folder === null) {
      // It may be there the next time, as on a disk that is connected late.
      this.#opened.delete(root);
      return null;
    }
    for (const [file, text] of this.#texts)
      if (isWithin(file, root))
        folder.setText((await this.#findIn({ root, folder }, file)).path, text);
    return folder;
  }

  /** What a link leads to; the path itself where the file system does not say in time. */
  async #findIn({ root, folder }: OpenFolder, file: string): Promise<FoundFile> {
    const real = await this.#disk.realPath(file).catch(() => null);
    const isInside = real !== null && isWithin(real, folder.folder);
    return {
      root,
      folder,
      path: isInside ? pathWithin(folder.folder, real) : pathWithin(root, file),
    };
  }
}

/** Whether the same files may be read, and say the same. */
export function isReadAlike(a: FolderSettings, b: FolderSettings): boolean {
  const partsOf = ({ folders, exclude, encodings }: FolderSettings) => [
    folders,
    exclude,
    encodings,
  ];
  return isDeepStrictEqual(partsOf(a), partsOf(b));
}
