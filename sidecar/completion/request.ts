// What is asked of completion and what it answers, as plain records.
import type { Aligned, AlignmentSetting } from "../alignment/align.ts";
import type { Finish } from "./answer.ts";
import type { FaultCounter } from "./faults.ts";
import type { PromptParts } from "./layout.ts";
import type { LaidMemories } from "./memories.ts";
import type { TextReason } from "./postprocess.ts";
import type { PrefixLayout } from "./prefix-layout.ts";

/** A prompt of the batch contract: all of its text is used. */
export interface PromptText {
  /** Names the file in a header; without it there is none. */
  readonly path?: string | undefined;
  readonly prefix: string;
  /** Text behind the cursor; "" counts as given. */
  readonly suffix?: string | undefined;
  /** What stands in front of the header; without it there is not even the sink. */
  readonly memory?: MemoryRequest | undefined;
}

/** Texts of other places, the best of a kind last, and the form in which they enter the prompt. */
export interface MemoryRequest {
  readonly form: "raw" | "kept" | "embedded";
  readonly demonstrations: readonly { readonly text: string }[];
  readonly context: readonly ContextSpan[];
  /** Tokens for a position. Raw text is cut to that share; of a piece so much is kept at least. */
  readonly ratio?: number | undefined;
  /** Positions for all of them; where memories have neither ratio nor budget, a default. */
  readonly budget?: number | undefined;
  /** How many of the last demonstrations are used; default all. */
  readonly select?: number | undefined;
  /** Which part of a prefix longer than the near window is a memory too; default none. */
  readonly layout?: PrefixLayout | undefined;
  /** Embedded: compressed with the near text in front of each piece; default false. */
  readonly isConditional?: boolean | undefined;
  /** Without what earlier requests have encoded. */
  readonly isCold: boolean;
}

export interface ContextSpan {
  /** Without it the text has no header. */
  readonly path?: string | undefined;
  readonly text: string;
  /** That it is needed (memory/planner.ts); without any all are as likely, whatever their place. */
  readonly chance?: number | undefined;
}

export interface CompletionRequest extends PromptText {
  /** What is done when the prefix ends inside a token. */
  readonly alignment: AlignmentSetting;
  readonly maxTokens: number;
  /** Each ends the text and is not part of it. */
  readonly stop: readonly string[];
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

export interface Completion {
  readonly text: string;
  readonly finish: Finish;
  /** All ids that were chosen, those of a stop string too. */
  readonly ids: readonly number[];
  /** Of these ids, given the tail, in nats; NaN if there are none. */
  readonly meanLogProbability: number;
  readonly alignment: AlignmentReport;
  readonly tokens: TokenCounts;
  readonly ms: StageTimes;
}

/** What alignment did with the end of the prefix. */
export interface AlignmentReport {
  /** `token` where `exact` was asked for: the tail was over a limit. */
  readonly way: Aligned["way"];
  readonly keptTokens: number;
  /** The bytes that were made again. */
  readonly tail: Uint8Array;
  /** Tokens that hold it, the last one with what the answer begins with. */
  readonly ids: readonly number[];
  /**
   * Log of the mass that agreed with the tail: of all covers, or for `token` the product over its
   * steps, the importance weight of the path.
   */
  readonly logWeight: number;
}

export interface InlineAlignment extends AlignmentReport {
  /** The last of the tokens that were kept, in their order. */
  readonly lastKept: readonly number[];
}

export interface Score {
  /** Sum over the target's tokens, in nats. */
  readonly nll: number;
  readonly targetTokens: number;
  readonly tokens: TokenCounts;
  readonly ms: StageTimes;
}

export interface SelectRequest extends PromptText {
  readonly memory: MemoryRequest;
}

/** Which texts are needed, the best first. */
export interface TextSelection {
  readonly selected: readonly SelectedText[];
  readonly tokens: TokenCounts;
  readonly ms: StageTimes;
}

export interface SelectedText {
  readonly kind: "demonstration" | "span";
  /** In its list of the request. */
  readonly index: number;
  /** Reciprocal-rank score; 0: no ranking knows it. */
  readonly score: number;
  /** That it takes in the form, at the ratio and within the budget asked for. */
  readonly positions: number;
}

export interface InlineDocument {
  /** As the header shows it: relative to the workspace. */
  readonly path: string;
  readonly languageId: string;
  /** All the text before and behind the cursor. */
  readonly prefix: string;
  readonly suffix: string;
  readonly multiline: "auto" | "never";
  readonly alignment: AlignmentSetting;
}

/** Why there is nothing to show; all of them are in the protocol's closed list. */
export type InlineReason = TextReason | Refusal | "inside-word-off" | "low-confidence";

/** Why the model is not asked for a file. */
export type Refusal = "ignored-file" | "secret" | "not-checked";

export interface InlineCompletion {
  readonly text: string;
  /** Characters of the rest of the line that the text takes the place of. */
  readonly replaced: number;
  /** null exactly when there is a text. */
  readonly reason: InlineReason | null;
  /** null when the model was not asked. */
  readonly alignment: InlineAlignment | null;
  /** null when the model was not asked. */
  readonly use: WindowUse | null;
  readonly tokens: TokenCounts;
  readonly ms: InlineTimes;
}

/** What the window was used for. The parts and the reserve never exceed it. */
export interface WindowUse {
  /** Positions in all. */
  readonly window: number;
  readonly parts: PromptParts;
  /** Positions set apart for the answer, for the tail that is made again too. */
  readonly reserve: number;
  /** Characters that the near windows, the layout and post-processing left out. */
  readonly left: { readonly prefix: number; readonly suffix: number; readonly answer: number };
}

/** Positions of one request. */
export interface TokenCounts {
  readonly prefix: number;
  readonly suffix: number;
  /** Tokens of context and demonstrations, and the positions that they take in the prompt. */
  readonly contextBefore: number;
  readonly contextAfter: number;
  readonly generated: number;
  /** Rows run through the model, for any purpose. */
  readonly computed: number;
  /** Positions of the prompt that were in the cache or copied there. */
  readonly reused: number;
}

/** Milliseconds. */
export interface StageTimes {
  /** Turning context into what stands in the prompt. */
  readonly compress: number;
  readonly plan: number;
  readonly prefill: number;
  readonly decode: number;
  readonly total: number;
}

/** Milliseconds of the editor's completion, which compresses nothing: pauses make its memories. */
export interface InlineTimes extends Omit<StageTimes, "compress"> {
  /** Copying the blocks of memories into the cache; no part of `prefill`. */
  readonly attach: number;
}

export interface CancelOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface InlineOptions extends CancelOptions {
  /** What stands in front of the near text; default nothing. */
  readonly memories?: LaidMemories | undefined;
  /** That the document is, as `refresh` is told of it; default null, on no disk. */
  readonly file?: string | null | undefined;
  /** Why nothing may be offered, whatever the text says. */
  readonly refusal?: Refusal | null | undefined;
  /** What counts the document's syntax errors; default nothing, and a text's brackets decide. */
  readonly faults?: Promise<FaultCounter | null> | undefined;
}

export interface BatchOptions extends CancelOptions {
  /** From what an earlier request left that a cold one would compute alike; default false. */
  readonly exactReuse?: boolean | undefined;
}
