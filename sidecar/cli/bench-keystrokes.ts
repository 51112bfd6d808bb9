// A trace of keystrokes: characters of a program typed one after another in the middle of it, each
// answered as in the editor before the next comes.

import type { ShownCompletion } from "../service.ts";
import { completeInline, type EngineThread } from "../thread-client.ts";
import { sampleCode } from "./bench-sample.ts";
import { median, quantile } from "./quantile.ts";

export interface KeystrokeFigures {
  readonly keys: number;
  /** From the keystroke to the answer, also an empty one. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  /** Rows run through the model a keystroke, decode steps included. */
  readonly meanComputed: number;
  readonly meanGenerated: number;
  /** reused / (reused + computed - decode steps), over the trace. */
  readonly reusedShare: number;
  readonly shown: number;
}

/** Types `keys` characters of the sample, of which there are 1,000 behind its middle. */
export async function traceKeystrokes(
  thread: EngineThread,
  keys: number,
): Promise<KeystrokeFigures> {
  const start = sampleCode.indexOf("\n", sampleCode.length / 2) + 1;
  // A line end stands behind the cursor all the time, as when a new line is written.
  const suffix = sampleCode.slice(sampleCode.indexOf("\n", start + keys));
  const answers: { elapsedMs: number; answer: ShownCompletion }[] = [];
  // The first request fills the cache: it is a file being opened, no keystroke.
  for (let typed = 0; typed <= keys; typed++) {
    const prefix = sampleCode.slice(0, start + typed);
    const startMs = performance.now();
    const answer = await thread.ask(completeInline, {
      ...{ file: null, path: "src/stock.ts", languageId: "typescript", prefix, suffix },
      ...{ multiline: "auto", alignment: "exact" },
    });
    if (typed > 0) answers.push({ elapsedMs: performance.now() - startMs, answer });
  }
  return summarise(answers);
}

function summarise(
  answers: readonly { elapsedMs: number; answer: ShownCompletion }[],
): KeystrokeFigures {
  const times = answers.map(({ elapsedMs }) => elapsedMs);
  const tokens = answers.map(({ answer }) => answer.tokens);
  const sum = (count: (each: ShownCompletion["tokens"]) => number) =>
    tokens.reduce((total, each) => total + count(each), 0);
  const reused = sum((each) => each.reused);
  // The first token of an answer needs no step of its own.
  const steps = sum((each) => Math.max(0, each.generated - 1));
  const prompt = sum((each) => each.computed) - steps;
  return {
    keys: answers.length,
    p50Ms: round(median(times)),
    p90Ms: round(quantile(times, 0.9)),
    meanComputed: round(sum((each) => each.computed) / answers.length),
    meanGenerated: round(sum((each) => each.generated) / answers.length),
    reusedShare: round(reused / (reused + prompt)),
    shown: answers.filter(({ answer }) => answer.reason === null).length,
  };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
