// Which files of a folder come first where not all can be read: sources before other texts, and of
// each what lies nearest to the files in use. In: paths within the folder. Out: their order. No disk.
import { posix } from "node:path";
import { isSourceName } from "../workspace/syntax/languages.ts";

/** Files that the cursor was in, or that were asked for by name: those of the last while. */
const usedLimit = 8;

interface Rank {
  readonly path: string;
  /** 0 for sources and demonstrations, 1 for every other text. */
  readonly tier: number;
  /** Folders to go up and down from the nearest file in use. */
  readonly distance: number;
}

export class ReadingOrder {
  #used: readonly string[] = [];
  #folders: readonly (readonly string[])[] = [];
  readonly #distances = new Map<string, number>();

  /** `path` came into use, while editors have `open`; "" is the folder itself, which says nothing. */
  use(path: string, open: Iterable<string>): void {
    const others = this.#used.filter((each) => each !== path);
    this.#used = path === "" ? others : [path, ...others].slice(0, usedLimit);
    const folders = new Set([...this.#used, ...open].map((each) => posix.dirname(each)));
    this.#folders = [...folders].map(namesOf);
    this.#distances.clear();
  }

  /** Of a folder from the files in use; 0 where none is. */
  distanceOf(folder: string): number {
    const known = this.#distances.get(folder);
    if (known !== undefined) return known;
    const names = namesOf(folder);
    const all = this.#folders.map((each) => stepsBetween(names, each));
    const distance = all.length === 0 ? 0 : Math.min(...all);
    this.#distances.set(folder, distance);
    return distance;
  }

  /**
   * The nearest first. Of folders that are as near each in turn gives a file, so that one of thousands
   * of files does not keep out the others.
   */
  sorted(paths: Iterable<string>): string[] {
    const counts = new Map<string, number>();
    const ranks = [...paths].sort().map((path) => {
      const rank = this.#rankOf(path);
      const place = `${rank.tier} ${posix.dirname(path)}`;
      const turn = counts.get(place) ?? 0;
      counts.set(place, turn + 1);
      return { ...rank, turn };
    });
    return ranks.sort((a, b) => compare(a, b) || a.turn - b.turn).map(({ path }) => path);
  }

  /** Whether `a` comes before `b` by more than its name. */
  isNearer(a: string, b: string): boolean {
    return compare(this.#rankOf(a), this.#rankOf(b)) < 0;
  }

  #rankOf(path: string): Rank {
    const distance = this.distanceOf(posix.dirname(path));
    return { path, tier: isSourceName(path) ? 0 : 1, distance };
  }
}

function compare(a: Rank, b: Rank): number {
  return a.tier - b.tier || a.distance - b.distance;
}

function namesOf(folder: string): string[] {
  return folder === "." || folder === "" ? [] : folder.split("/");
}

function stepsBetween(a: readonly string[], b: readonly string[]): number {
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common += 1;
  return a.length + b.length - 2 * common;
}
