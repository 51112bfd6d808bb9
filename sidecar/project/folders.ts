// The folders of the workspace, each opened when something in it is asked for. In: what the editor
// says of them and of its documents. Out: the folder that holds a file.
import { join, relative, sep } from "node:path";
import { UnsupportedError } from "../errors.ts";
import { pieceTokens } from "../memory/kept-encoder.ts";
import { isRuleFile } from "../workspace/ignore-rules.ts";
import { FolderIndex, type PlacedDemonstration } from "./folder-index.ts";

export interface FolderSettings {
  /** Absolute paths. */
  readonly folders: readonly string[];
  /** Patterns as in `.gitignore`. */
  readonly exclude: readonly string[];
}

export interface FoundFile {
  /** Of the workspace, as the editor names it. */
  readonly root: string;
  readonly folder: FolderIndex;
  /** Within the folder, with `/`. */
  readonly path: string;
}

/** Tokens of a span, so that its header fits into the piece with it. */
const spanTokens = pieceTokens - 16;

export class Folders {
  readonly #countTokens: (text: string) => number;
  readonly #opened = new Map<string, Promise<FolderIndex | null>>();
  /** Of open editors, by absolute path. */
  readonly #texts = new Map<string, string>();
  #settings: FolderSettings = { folders: [], exclude: [] };

  constructor(countTokens: (text: string) => number) {
    this.#countTokens = countTokens;
  }

  /** What was read stays where it is still true. */
  configure(settings: FolderSettings): void {
    const isReadAlike = settings.exclude.join("\n") === this.#settings.exclude.join("\n");
    for (const root of this.#opened.keys())
      if (!isReadAlike || !settings.folders.includes(root)) this.#opened.delete(root);
    this.#settings = settings;
  }

  /** Null for a file in no folder, or in one that cannot be read. */
  async find(file: string): Promise<FoundFile | null> {
    const root = this.#rootOf(file);
    const folder = root === null ? null : await this.#open(root);
    if (root === null || folder === null) return null;
    return { root, folder, path: relative(root, file).split(sep).join("/") };
  }

  /** @throws UnsupportedError for a file in no folder of the workspace. */
  async require(file: string): Promise<FoundFile> {
    const found = await this.find(file);
    if (found === null)
      throw new UnsupportedError(`memories: ${file} is in no folder of the workspace`);
    return found;
  }

  /** The text of an open editor; null when it was closed. */
  async edit(file: string, text: string | null): Promise<void> {
    if (text === null) this.#texts.delete(file);
    else this.#texts.set(file, text);
    const place = await this.find(file);
    place?.folder.setText(place.path, text);
  }

  /** A file was made, changed or deleted on the disk. */
  async touch(file: string): Promise<void> {
    const root = this.#rootOf(file);
    // Other rules may hold for any file now.
    if (root !== null && isRuleFile(file)) this.#opened.delete(root);
    const place = await this.find(file);
    place?.folder.touch(place.path);
  }

  /** With the absolute paths of their files. */
  async demonstrations(): Promise<(PlacedDemonstration & { readonly file: string })[]> {
    const lists = this.#settings.folders.map(async (root) => {
      const folder = await this.#open(root);
      return (folder?.demonstrations ?? []).map((each) => ({
        ...each,
        file: join(root, each.path),
      }));
    });
    return (await Promise.all(lists)).flat();
  }

  /** The innermost folder that holds the file. */
  #rootOf(file: string): string | null {
    const roots = this.#settings.folders.filter(
      (root) => file === root || file.startsWith(withSeparator(root)),
    );
    return roots.sort((a, b) => b.length - a.length)[0] ?? null;
  }

  #open(root: string): Promise<FolderIndex | null> {
    const opened = this.#opened.get(root) ?? this.#openFresh(root);
    this.#opened.set(root, opened);
    return opened;
  }

  /** null when it cannot be read: there are no memories of it then. */
  async #openFresh(root: string): Promise<FolderIndex | null> {
    const cutting = { countTokens: this.#countTokens, limit: spanTokens };
    const { exclude } = this.#settings;
    const folder = await FolderIndex.open(root, { cutting, exclude }).catch(() => null);
    for (const [file, text] of this.#texts)
      if (this.#rootOf(file) === root)
        folder?.setText(relative(root, file).split(sep).join("/"), text);
    return folder;
  }
}

function withSeparator(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
