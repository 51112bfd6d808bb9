// Tokens -> the text of an answer, no longer than it has to be. In: choices as the model makes
// them. Out: the text, its ids, and what ended it. Asks for no further choice once the text is known
// to be complete.
import type { Choice } from "../engine/sampler.ts";

export type Finish = "stop" | "length" | "end";

export interface Answer {
  readonly text: string;
  /** "stop": the text was complete; "end": a token ended it; "length": it was cut. */
  readonly finish: Finish;
  readonly tokens: readonly AnswerToken[];
}

export interface AnswerToken extends Choice {
  /** Where its characters begin in the text; a part of a character counts to the next token. */
  readonly start: number;
}

/** What has become certain with each id; half a character at the end is never asked for. */
export interface StreamDecoder {
  push(id: number): string;
}

/**
 * Reads choices until they end or the text is complete.
 * @param isComplete is asked after every token that added characters, with the text and its length
 *   before that token.
 */
export async function readAnswer(
  choices: AsyncGenerator<Choice, "end" | "length">,
  decoder: StreamDecoder,
  isComplete: (text: string, lengthBefore: number) => boolean,
): Promise<Answer> {
  const tokens: AnswerToken[] = [];
  let text = "";
  try {
    for (;;) {
      const next = await choices.next();
      if (next.done === true) return { text, finish: next.value, tokens };
      tokens.push({ ...next.value, start: text.length });
      const piece = decoder.push(next.value.id);
      text += piece;
      if (piece !== "" && isComplete(text, text.length - piece.length)) {
        return { text, finish: "stop", tokens };
      }
    }
  } finally {
    await choices.return("length");
  }
}

/** Where the earliest of `stops` begins that ends behind `from`, or -1. */
export function findStop(text: string, stops: readonly string[], from: number): number {
  const found = stops
    .filter((stop) => stop !== "")
    .map((stop) => text.indexOf(stop, Math.max(0, from - stop.length + 1)))
    .filter((index) => index >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

/** Mean log-probability of the tokens that begin before `length` characters; NaN if there are none. */
export function meanLogProbability(tokens: readonly AnswerToken[], length = Infinity): number {
  const shown = tokens.filter(({ start }) => start < length);
  return shown.reduce((sum, { logProbability }) => sum + logProbability, 0) / shown.length;
}
