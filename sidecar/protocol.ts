// Every message between the editor and the sidecar that LSP itself does not define, and the words
// both sides share. Inline completions themselves are LSP 3.18's `textDocument/inlineCompletion`.
import { NotificationType, RequestType, RequestType0 } from "vscode-jsonrpc";

/** The settings of package.json's `pith.*`, sent as `initializationOptions` and with `pith/settings`. */
export interface Settings {
  enable: boolean;
  /** Language id -> completions on; `*` is the rule for languages not named. */
  languages: Record<string, boolean>;
  /** A catalogue id, or the path of a GGUF file. */
  model: string;
  /** Where models and everything else of Pith lives; empty: `PITH_HOME`, else the platform's data folder. */
  modelFolder: string;
  /** 0: max(2, min(4, physical cores - 1)). */
  threads: number;
  multiline: "auto" | "never";
  /** What is done for text that ends inside a token. */
  alignment: "exact" | "token" | "off";
  /** Text of other places in front of the near text. */
  memories: MemorySettings;
  bank: { /** Megabytes that memories may take on the disk. */ limit: number };
  /** Patterns as in `.gitignore`, of files that never become memories. */
  exclude: string[];
  /** Language id -> what the editor calls the encoding of its files; `*` is the rule for the rest. */
  encodings: Record<string, string>;
  trace: "off" | "messages" | "verbose";
  /** False in an untrusted workspace: nothing is completed there. */
  isTrusted: boolean;
}

export interface MemorySettings {
  enable: boolean;
  /** Positions of the window for all memories together. */
  budget: number;
  form: MemoryForm;
}

/** How other text enters the prompt: what matters most of it, an adapter's virtual tokens, or whole. */
export type MemoryForm = "kept" | "embedded" | "raw";

/** Why a completion is empty. Closed: every empty answer carries one of these. */
export const emptyReasons = [
  "model-missing",
  "model-loading",
  "disabled",
  "language-off",
  "untrusted",
  "ignored-file",
  "not-checked",
  "secret",
  "too-large",
  "inside-word-off",
  "cancelled",
  "superseded",
  "end-of-text",
  "repeats-suffix",
  "repeats-itself",
  "breaks-syntax",
  "only-space",
  "low-confidence",
  "engine-failed",
] as const;
export type EmptyReason = (typeof emptyReasons)[number];

/** The state of the sidecar, as the status item shows it. */
export type SidecarState =
  | { kind: "model-missing"; model: string; byteLength: number | null }
  | { kind: "downloading"; model: string; fraction: number }
  | { kind: "preparing"; model: string; fraction: number }
  | { kind: "loading"; model: string }
  | { kind: "ready"; model: string }
  | { kind: "failed"; model: string; message: string };

/** Counts of one completion. Positions are rows of the window; `reused` were attended to, not run. */
export interface TokenCounts {
  prefix: number;
  suffix: number;
  contextBefore: number;
  contextAfter: number;
  generated: number;
  computed: number;
  reused: number;
}

/** Milliseconds of each stage of one completion. */
export interface StageTimes {
  load: number;
  plan: number;
  /** Copying memories into the cache. */
  attach: number;
  prefill: number;
  decode: number;
  total: number;
}

/** What became of one completion request; sent after each, the empty ones too. */
export interface CompletionReport {
  uri: string;
  version: number;
  /** null when a text was shown. */
  reason: EmptyReason | null;
  text: string;
  tokens: TokenCounts;
  ms: StageTimes;
  /** From the request's arrival to its answer. */
  latencyMs: number;
}

/** Lines from 0, the end exclusive. */
export interface LineRange {
  startLine: number;
  endLine: number;
}

/** Where the text of a memory stands. */
export interface MemoryPlace extends LineRange {
  kind: "span" | "demonstration";
  /** Relative to its workspace folder, with `/`. */
  path: string;
}

export interface DocumentLines {
  uri: string;
  range: LineRange;
}

/** What positions of the window are spent on. */
export type BudgetKind = "sink" | "memory" | "header" | "prefix" | "suffix" | "markers" | "reserve";

/** One source of the positions of a prompt; of memories there may be many. */
export interface BudgetSource {
  kind: BudgetKind;
  /** Of a memory: where its text comes from. */
  place?: MemoryPlace;
  /** Tokens of the text that it stands for. */
  before: number;
  /** Positions that it takes of the window. */
  after: number;
}

/** Text that was left out, and why. */
export interface DroppedText {
  kind: "prefix" | "suffix" | "answer";
  characters: number;
  /**
   * `window`: further away than the near window reaches; `not-infilling`: the model does not see
   * text behind the cursor; `behind-end`: what the model wrote behind the end of what is shown.
   */
  why: "window" | "not-infilling" | "behind-end";
}

/** A stage of one completion; together they are the time from the request to its answer. */
export interface Stage {
  kind: "wait" | "plan" | "attach" | "prefill" | "decode";
  ms: number;
}

/** What became of a text that ended inside a token. */
export interface AlignmentFacts {
  way: "exact" | "token" | "off";
  keptTokens: number;
  /** The text that was made again; half a character as U+FFFD. */
  tail: string;
  /** Tokens that hold it. */
  ids: number[];
}

/** Where the positions and the time of one completion went, for the token-budget view. */
export interface BudgetReport extends Pick<TokenCounts, "generated" | "computed" | "reused"> {
  uri: string;
  version: number;
  /** Of the answer, in ms since 1970. */
  time: number;
  reason: EmptyReason | null;
  /** Characters of the text that was shown. */
  shown: number;
  /** Positions in all; 0 when the model was not asked, and there are no sources then. */
  window: number;
  /** They add up to the positions used, the reserve among them, and never exceed the window. */
  sources: BudgetSource[];
  stages: Stage[];
  dropped: DroppedText[];
  /** Candidates of the selection that take no position; absent where nothing was selected. */
  droppedMemories?: number;
  /** That keep files of the workspace out of the selection; absent where none was reached. */
  limits?: ReachedLimit[];
  /** null when the model was not asked. */
  alignment: AlignmentFacts | null;
}

/** A limit of reading a workspace folder that was reached, and what it kept out. */
export interface ReachedLimit {
  /**
   * `files`: known, and further from the files in use than those that are read; `names` (of files)
   * and `folders`: not even listed.
   */
  kind: "files" | "names" | "folders";
  limit: number;
  left: number;
}

/** Why a span or demonstration takes the positions that it takes. */
export type MemoryOutcome =
  /** Every token of it stands in front, because it is probably needed. */
  | "whole"
  /** It stands in front at a ratio. */
  | "compressed"
  /** The budget was used up by better ones. */
  | "no-room";

/** One candidate for the place of the last completion, by the product's ranking. */
export interface SelectedMemory extends MemoryPlace {
  /** Reciprocal-rank score. */
  score: number;
  /** Its place, from 0, in each ranking that knows it: why it is here. */
  places: Record<string, number>;
  /** Of its text. */
  tokens: number;
  /** That it takes of the window; 0 unless it is used. */
  positions: number;
  outcome: MemoryOutcome;
}

/** What was selected for a document, the best first. */
export interface Selection {
  /** null before the first selection. */
  uri: string | null;
  budget: number;
  memories: SelectedMemory[];
}

/** The work on memories, as the status item and the progress of requests show it. */
export type MemoryActivity =
  | { kind: "resting" }
  /** None can be made in the form of the settings, and why; completions do without. */
  | { kind: "unavailable"; message: string }
  /** Files of the workspace. */
  | { kind: "reading"; done: number; total: number }
  /** Spans that become memories. */
  | { kind: "encoding"; done: number; total: number }
  /** Pieces whose text the model writes again. */
  | { kind: "decoding"; done: number; total: number };

/** A token of a memory's text and how much of it was kept. */
export interface KeptToken {
  /** Its bytes, base64. */
  piece: string;
  /** Share of the key/value heads that kept it, 0 to 1. */
  share: number;
}

/** A text with what its memory holds of it. */
export type KeptText = ShadedText | DecodedText;

/** Of a kept memory. */
export interface ShadedText {
  kind: "kept";
  place: MemoryPlace;
  positions: number;
  tokens: KeptToken[];
}

/** Of an embedded memory. */
export interface DecodedText {
  kind: "decoded";
  place: MemoryPlace;
  positions: number;
  tokenCount: number;
  text: string;
  /** What the model writes from the virtual tokens alone, at most as many tokens as the text has. */
  decoded: string;
}

/** What became of texts that were to become memories. */
export interface CompressReport {
  files: number;
  spans: number;
  /** Of all spans, and the positions that they take at the coarsest stored ratio. */
  tokens: number;
  positions: number;
  /** Files and folders left out, with a reason of `skip-reason.ts`. */
  skipped: { path: string; reason: string }[];
  /** What is wrong with demonstration files among them; lines are counted from 1. */
  problems: { path: string; line: number; message: string }[];
  /**
   * Of what was asked for: what gave no memory at all, with a reason of `skip-reason.ts`, or `empty`,
   * or `demonstrations`, which become memories where they are used.
   */
  nothing?: { path: string; reason: string }[];
  /** By what was asked for, an absolute path. */
  limits?: (ReachedLimit & { folder: string })[];
}

/** Whose tokens a budget for a model elsewhere is counted in. */
export type Encoding = keyof RemoteCounts | "model";

/** Text for a model elsewhere. */
export interface CompressedContext {
  text: string;
  tokens: number;
  spans: number;
}

/** An example of a demonstration file. */
export interface DemonstrationEntry extends MemoryPlace {
  uri: string;
  /** Of its file. */
  title: string | null;
  /** What it shows, in one line. */
  summary: string;
}

export interface BankFacts {
  memories: number;
  byteLength: number;
  limit: number;
}

export interface ModelEntry {
  id: string;
  title: string;
  licence: string;
  byteLength: number;
  state: "present" | "partial" | "absent";
  /** Where the file lies or would lie. */
  file: string;
}

export interface TokenSplit {
  ids: number[];
  /** The bytes of each token, base64. */
  pieces: string[];
}

/** Tokens of a text by the encodings of models elsewhere, as tiktoken has them. */
export interface RemoteCounts {
  o200k: number;
  cl100k: number;
}

/** editor -> sidecar: the settings changed. */
export const settingsChanged = new NotificationType<Settings>("pith/settings");
/** sidecar -> editor: the state changed. */
export const stateChanged = new NotificationType<SidecarState>("pith/state");
/** sidecar -> editor: one completion was answered. */
export const completed = new NotificationType<CompletionReport>("pith/completed");
/** editor -> sidecar: whether a token-budget view is to be seen. */
export const budgetWatched = new NotificationType<{ isVisible: boolean }>("pith/budget/watch");
/** sidecar -> editor: where one completion went; sent while a view is to be seen, the last one at once. */
export const budgeted = new NotificationType<BudgetReport>("pith/budget");

/** editor -> sidecar: the models of the catalogue and the side-loaded ones. */
export const listModels = new RequestType0<ModelEntry[], void>("pith/models/list");
/** editor -> sidecar: fetch a model, with `$/progress` on `token`; cancel by `$/cancelRequest`. */
export const downloadModel = new RequestType<{ id: string; token: string }, ModelEntry, void>(
  "pith/models/download",
);
/** editor -> sidecar: delete a model's files, the prepared ones too. */
export const deleteModel = new RequestType<{ id: string }, void, void>("pith/models/delete");
/** editor -> sidecar: split a text with the exact tokenizer of the open model. */
export const splitTokens = new RequestType<{ text: string }, TokenSplit, void>("pith/tokens");
/** editor -> sidecar: the ids of the tokens that the open model has hardly seen; may take seconds. */
export const underTrained = new RequestType0<number[], void>("pith/tokens/underTrained");
/** editor -> sidecar: count a text as models elsewhere would; nothing is sent to any of them. */
export const countRemote = new RequestType<{ text: string }, RemoteCounts, void>(
  "pith/tokens/remote",
);
/** sidecar -> editor: what the idle work on memories is at. */
export const memoryActivity = new NotificationType<MemoryActivity>("pith/memories/activity");
/** editor -> sidecar: what was selected for the last completion, and why. */
export const readSelection = new RequestType0<Selection, void>("pith/memories/selection");
/** editor -> sidecar: what memories of some lines hold of them, with `$/progress` on `token`. */
export const readKept = new RequestType<
  { targets: DocumentLines[]; token: string },
  KeptText[],
  void
>("pith/memories/kept");
/** editor -> sidecar: encode files, folders or lines into the bank, with `$/progress` on `token`. */
export const compress = new RequestType<
  { targets: { uri: string; range?: LineRange }[]; token: string },
  CompressReport,
  void
>("pith/memories/compress");
/** editor -> sidecar: the spans that matter at a place as text, within `budget` tokens. */
export const copyContext = new RequestType<
  { uri: string; line: number; character: number; budget: number; encoding: Encoding },
  CompressedContext,
  void
>("pith/memories/context");
/** editor -> sidecar: the demonstrations of the workspace. */
export const listDemonstrations = new RequestType0<DemonstrationEntry[], void>(
  "pith/demonstrations/list",
);
export const readBank = new RequestType0<BankFacts, void>("pith/bank/facts");
/** editor -> sidecar: delete every memory. */
export const purgeBank = new RequestType0<void, void>("pith/bank/purge");
/** editor -> sidecar: facts for a bug report, without any text of the user's. */
export const diagnostics = new RequestType0<Record<string, string>, void>("pith/diagnostics");
