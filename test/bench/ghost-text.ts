// The keystroke trace of the benchmark: what every engine is asked, what it answers, the figures.

import { median, quantile } from "../../sidecar/cli/quantile.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import {
  commonLength,
  encodeHeader,
  layOut,
  type Prompt,
  type PromptLayout,
  readLayout,
} from "../../sidecar/completion/layout.ts";
import { type Place, readPlace } from "../../sidecar/completion/place.ts";
import { PrefixWindow, SuffixWindow } from "../../sidecar/completion/window.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { type Keystroke, traceLanguage, tracePath } from "../support/keystroke-trace.ts";

/** A keystroke with what any engine has to complete behind it. */
export interface Question extends Keystroke {
  readonly prompt: Prompt;
  readonly place: Place;
  /** Ids behind the longest common prefix with the prompt before: of the prompt, of its head alone. */
  readonly newIds: number;
  readonly newHeadIds: number;
}

export interface GhostText {
  readonly text: string;
  /** Tokens of the answer. */
  readonly generated: number;
  /** Rows of the prompt that were run, and that were in the cache. */
  readonly promptRows: number;
  readonly reused: number;
  /** Rows run to decode. */
  readonly decodeRows: number;
  /** From the keystroke to the text, in this process. */
  readonly elapsedMs: number;
}

export interface GhostTextSource {
  readonly name: string;
  complete(question: Question): Promise<GhostText>;
  close(): Promise<void>;
}

export interface KeystrokeFigures {
  readonly name: string;
  readonly keys: number;
  readonly shown: number;
  /** Means over the trace. */
  readonly computed: number;
  readonly promptRows: number;
  readonly generated: number;
  /** Ids behind the longest common prefix, the generated ones, and two. */
  readonly bound: number;
  /** The same as if the suffix counted nothing. */
  readonly headBound: number;
  /** reused / (reused + rows of the prompt that were run). */
  readonly reusedShare: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** The same where one line was asked for, with the number of these keystrokes. */
  readonly lineKeys: number;
  readonly lineP50Ms: number;
  readonly lineP95Ms: number;
}

/** Keystrokes laid out for a model, as the product does it. */
export function askAll(tokenizer: Tokenizer, keystrokes: readonly Keystroke[]): Question[] {
  const layout = readLayout(tokenizer);
  const windows = {
    prefix: new PrefixWindow(tokenizer, defaults.prefix),
    suffix: new SuffixWindow(tokenizer, defaults.suffix.tokens),
  };
  let last: Prompt = { head: [], suffix: [], middle: [] };
  return keystrokes.map((keystroke) => {
    const prompt = layOutNear(layout, tokenizer, {
      prefix: windows.prefix.read(keystroke.prefix).ids,
      suffix: windows.suffix.read(keystroke.suffix).ids,
    });
    const ids = idsOf(prompt);
    const newIds = ids.length - commonLength(idsOf(last), ids);
    const newHeadIds = prompt.head.length - commonLength(last.head, prompt.head);
    last = prompt;
    const place = readPlace({ ...keystroke, languageId: traceLanguage }, "auto");
    return { ...keystroke, prompt, place, newIds, newHeadIds };
  });
}

export function idsOf({ head, suffix, middle }: Prompt): number[] {
  return [...head, ...suffix, ...middle];
}

/** Figures of a trace without its first keystroke, which found no cache. */
export function summarise(
  name: string,
  questions: readonly Question[],
  answers: readonly GhostText[],
): KeystrokeFigures {
  const warm = answers
    .map((answer, index) => ({ ...answer, question: questions[index] }))
    .slice(1)
    .flatMap(({ question, ...answer }) =>
      question === undefined ? [] : [{ question, ...answer }],
    );
  const lines = warm.filter(({ question }) => question.place.extent === "line");
  const mean = (value: (answer: (typeof warm)[number]) => number): number =>
    warm.reduce((sum, answer) => sum + value(answer), 0) / warm.length;
  const reused = mean((answer) => answer.reused);
  const promptRows = mean((answer) => answer.promptRows);
  return {
    name,
    keys: warm.length,
    shown: warm.filter(({ text }) => text !== "").length,
    computed: mean((answer) => answer.promptRows + answer.decodeRows),
    promptRows,
    generated: mean((answer) => answer.generated),
    bound: mean(({ question, generated }) => question.newIds + generated + 2),
    headBound: mean(({ question, generated }) => question.newHeadIds + generated + 2),
    reusedShare: reused / (reused + promptRows),
    p50Ms: median(warm.map(({ elapsedMs }) => elapsedMs)),
    p95Ms: quantile(
      warm.map(({ elapsedMs }) => elapsedMs),
      0.95,
    ),
    lineKeys: lines.length,
    lineP50Ms: median(lines.map(({ elapsedMs }) => elapsedMs)),
    lineP95Ms: quantile(
      lines.map(({ elapsedMs }) => elapsedMs),
      0.95,
    ),
  };
}

function layOutNear(
  layout: PromptLayout,
  tokenizer: Tokenizer,
  near: { readonly prefix: Uint32Array; readonly suffix: Uint32Array },
): Prompt {
  return layOut(layout, { header: encodeHeader(layout, tokenizer, tracePath), ...near });
}
