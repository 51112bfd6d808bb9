// What is known of the files of one folder that were looked at. In: what was found at each path. Out:
// a ranking of their spans, demonstrations with what is wrong with them, and what was left out.
import type { DemonstrationProblem } from "../selection/demonstration-problem.ts";
import type { Demonstration, DemonstrationFile } from "../selection/demonstrations.ts";
import { identifiersOf } from "../selection/identifiers.ts";
import { type RankedSpan, SpanIndex, type SpanQuery } from "../selection/span-index.ts";
import type { SkipReason } from "../workspace/skip-reason.ts";
import type { Import } from "../workspace/syntax/syntax.ts";
import type { Span, SpannedFile } from "../workspace/workspace.ts";
import { isBelow } from "./folder-listing.ts";

/** An example of a demonstration file and where it stands. */
export interface PlacedDemonstration extends Demonstration {
  /** Relative to the folder. */
  readonly path: string;
  /** Empty where it serves all. */
  readonly languages: readonly string[];
  readonly title: string | null;
}

/** What is wrong with a demonstration file. */
export interface PlacedProblem extends DemonstrationProblem {
  /** Relative to the folder. */
  readonly path: string;
}

export interface SkippedPath {
  /** Relative to the folder; of a folder with a `/` at its end. */
  readonly path: string;
  readonly reason: SkipReason;
}

/** What reading a file gives. */
export type FoundFile = DemonstrationFile | SpannedFile | { readonly skipped: SkipReason };

/** The spans themselves are in the ranking. */
interface SpannedState {
  readonly kind: "spanned";
  readonly imports: readonly Import[];
  readonly identifiers: ReadonlySet<string>;
}

type FileState =
  | SpannedState
  | { readonly kind: "demonstrations"; readonly file: DemonstrationFile }
  | { readonly kind: "skipped"; readonly reason: SkipReason };

export class ReadFiles {
  /** By path; of folders only those that were left out, with a `/` at their end. */
  readonly #states = new Map<string, FileState>();
  readonly #index = new SpanIndex<Span>();

  /** In place of what was known of the path. What lies in a folder that was left out is not told. */
  keep(path: string, found: FoundFile): void {
    if ("skipped" in found && this.#isInSkipped(path)) return;
    this.#states.set(path, stateOf(found));
    this.#index.setFile(path, "spans" in found ? found.spans : []);
  }

  forget(path: string): void {
    this.#states.delete(path);
    this.#index.setFile(path, []);
  }

  /** Whether its spans are ranked, be there none. */
  isSpanned(path: string): boolean {
    return this.#states.get(path)?.kind === "spanned";
  }

  /** Nothing of a file that is not spanned. */
  namesIn(path: string): Omit<SpannedState, "kind"> {
    const state = this.#states.get(path);
    if (state?.kind !== "spanned") return { imports: [], identifiers: new Set() };
    return { imports: state.imports, identifiers: state.identifiers };
  }

  /** Of every spanned file, by its path. */
  get identifiers(): [path: string, ReadonlySet<string>][] {
    return [...this.#states].flatMap(([path, state]) =>
      state.kind === "spanned" ? [[path, state.identifiers]] : [],
    );
  }

  /** Of which something is known, below `path`; folders with a `/` at their end. */
  pathsIn(path: string): string[] {
    return [...this.#states.keys()].filter((each) => isBelow(each, path));
  }

  /** Whether a folder was left out as a whole. */
  isSkippedFolder(path: string): boolean {
    return this.#states.has(`${path}/`);
  }

  spansOf(path: string): readonly Span[] {
    return this.#index.spansOf(path);
  }

  spansIn(path: string): Span[] {
    return this.#index.spans.filter((span) => isBelow(span.path, path));
  }

  rank(query: SpanQuery): RankedSpan<Span>[] {
    return this.#index.rank(query);
  }

  /** What was left out at, below or around `path`. */
  skippedIn(path: string): SkippedPath[] {
    return [...this.#states].flatMap(([each, state]) => {
      const reason = reasonOf(state);
      const isMeant = isBelow(each, path) || isBelow(path, each.replace(/\/$/, ""));
      return reason !== null && isMeant ? [{ path: each, reason }] : [];
    });
  }

  /** Demonstration files at and below `path`. */
  demonstrationFilesIn(path: string): [path: string, DemonstrationFile][] {
    return [...this.#states].flatMap(([each, state]) =>
      state.kind === "demonstrations" && isBelow(each, path) ? [[each, state.file]] : [],
    );
  }

  get demonstrations(): PlacedDemonstration[] {
    return this.demonstrationFilesIn("").flatMap(([path, { languages, title, demonstrations }]) =>
      demonstrations.map((each) => ({ ...each, path, languages, title })),
    );
  }

  problemsIn(path: string): PlacedProblem[] {
    return this.demonstrationFilesIn(path).flatMap(([each, { problems }]) =>
      problems.map((problem) => ({ ...problem, path: each })),
    );
  }

  #isInSkipped(path: string): boolean {
    const names = path.split("/").slice(0, -1);
    return names.some((_, depth) => this.isSkippedFolder(names.slice(0, depth + 1).join("/")));
  }
}

function stateOf(found: FoundFile): FileState {
  if ("skipped" in found) return { kind: "skipped", reason: found.skipped };
  if ("demonstrations" in found) return { kind: "demonstrations", file: found };
  const identifiers = new Set(found.spans.flatMap((span) => identifiersOf(span.text)));
  return { kind: "spanned", imports: found.imports, identifiers };
}

/** Why a file is left out; null for one that is not. */
function reasonOf(state: FileState): SkipReason | null {
  if (state.kind === "skipped") return state.reason;
  const isEmpty = state.kind === "demonstrations" && state.file.demonstrations.length === 0;
  return isEmpty ? "malformed" : null;
}
