// What is asked of completion and what it answers, as plain records.
import type { Finish } from "./answer.ts";
import type { TextReason } from "./postprocess.ts";

/** A prompt of the batch contract: all of its text is used. */
export interface PromptText {
  /** Names the file in a header; without it there is none. */
  readonly path?: string | undefined;
  readonly prefix: string;
  /** Text behind the cursor; "" counts as given. */
  readonly suffix?: string | undefined;
}

export interface CompletionRequest extends PromptText {
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
  /** Of these ids, in nats; NaN if there are none. */
  readonly meanLogProbability: number;
  readonly tokens: TokenCounts;
  readonly ms: StageTimes;
}

export interface Score {
  /** Sum over the target's tokens, in nats. */
  readonly nll: number;
  readonly targetTokens: number;
  readonly tokens: TokenCounts;
  readonly ms: StageTimes;
}

export interface InlineDocument {
  /** As the header shows it: relative to the workspace. */
  readonly path: string;
  readonly languageId: string;
  /** All the text before and behind the cursor. */
  readonly prefix: string;
  readonly suffix: string;
  readonly multiline: "auto" | "never";
}

/** Why there is nothing to show; all of them are in the protocol's closed list. */
export type InlineReason = TextReason | "inside-word-off" | "low-confidence";

export interface InlineCompletion {
  readonly text: string;
  /** null exactly when there is a text. */
  readonly reason: InlineReason | null;
  readonly tokens: TokenCounts;
  readonly ms: StageTimes;
}

/** Positions of one request. */
export interface TokenCounts {
  readonly prefix: number;
  readonly suffix: number;
  readonly generated: number;
  /** Rows run through the model, for any purpose. */
  readonly computed: number;
  /** Positions of the prompt that were in the cache. */
  readonly reused: number;
}

/** Milliseconds. */
export interface StageTimes {
  readonly plan: number;
  readonly prefill: number;
  readonly decode: number;
  readonly total: number;
}
