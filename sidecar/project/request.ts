// What the editor asks of the memories of its workspace and what it is told, as plain records.
import type { MemoryRequest } from "../completion/request.ts";
import type { NothingReason, ReachedLimit } from "./folder-index.ts";
import type { FolderSettings } from "./folders.ts";
import type { Cursor } from "./near-text.ts";
import type { PlacedProblem, SkippedPath } from "./read-files.ts";
import type { SelectedMemory } from "./selection.ts";

export interface ProjectSettings extends FolderSettings {
  readonly isEnabled: boolean;
  /** Positions for all memories. */
  readonly budget: number;
  readonly form: MemoryRequest["form"];
  /** Bytes of the bank on the disk. */
  readonly bankLimit: number;
}

/** What has happened since the last time. */
export interface Changes {
  /** Texts of open editors by absolute path; null: closed. */
  readonly edits: readonly { readonly file: string; readonly text: string | null }[];
  /** Absolute paths of what was made, changed or deleted on the disk. */
  readonly touched: readonly string[];
}

export interface PauseWork extends Changes {
  /** Where the last completion was asked for. */
  readonly cursor: Cursor | null;
}

/** The work on memories, as people are told of it. */
export type MemoryActivity =
  | { readonly kind: "resting" }
  /** No memories can be made in the form that is wanted, and why. */
  | { readonly kind: "unavailable"; readonly message: string }
  | {
      readonly kind: "reading" | "encoding" | "decoding";
      readonly done: number;
      readonly total: number;
    };

export interface WorkOptions {
  readonly onActivity: (activity: MemoryActivity) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What was selected for a file, the best first. */
export interface Selection {
  /** Absolute path; null before the first selection. */
  readonly file: string | null;
  readonly budget: number;
  readonly memories: readonly SelectedMemory[];
}

/** A file or folder, or lines of a file. */
export interface Target {
  /** Absolute. */
  readonly file: string;
  readonly range?: LineRange | undefined;
}

export interface Lines extends Target {
  readonly range: LineRange;
}

/** From 0, the end exclusive. */
export interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}

export interface CompressReport {
  readonly files: number;
  readonly spans: number;
  readonly tokens: number;
  /** At the finest ratio that is stored. */
  readonly positions: number;
  readonly skipped: readonly SkippedPath[];
  /** Of demonstration files among them. */
  readonly problems: readonly PlacedProblem[];
  /** Of what was asked for: what gave no memory at all. */
  readonly nothing: readonly { readonly path: string; readonly reason: NothingReason }[];
  /** By what was asked for, an absolute path. */
  readonly limits: readonly FolderLimit[];
}

export interface FolderLimit extends ReachedLimit {
  readonly folder: string;
}
