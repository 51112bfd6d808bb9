// Sets for in-context learning: texts with one of two labels, as demonstrations and as test items.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { jaccard } from "../../sidecar/selection/similarity.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";

export interface Example {
  readonly id: string;
  readonly text: string;
  readonly label: string;
}

export interface InContextSet {
  readonly labels: readonly [string, string];
  readonly demonstrations: readonly Example[];
  readonly items: readonly Example[];
  /** What stands before a label, as what one text asks. */
  readonly ask: (text: string) => string;
}

export type SetName = "sst2" | "cola";

const questions: Readonly<Record<SetName, Pick<InContextSet, "labels" | "ask">>> = {
  sst2: {
    labels: ["positive", "negative"],
    ask: (text) => `Review: ${text}\nSentiment:`,
  },
  cola: {
    labels: ["acceptable", "unacceptable"],
    ask: (text) => `Sentence: ${text}\nThis sentence is`,
  },
};

/** null where `folder` does not have the set. */
export async function readSet(folder: string, name: SetName): Promise<InContextSet | null> {
  const file = join(folder, `${name}.jsonl`);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return null;
  const lines = text.split("\n").filter((line) => line !== "");
  const examples: (Example & { readonly kind: string })[] = lines.map((line) => JSON.parse(line));
  const demonstrations = examples.filter(({ kind }) => kind === "demonstration");
  const items = examples.filter(({ kind }) => kind !== "demonstration");
  return { ...questions[name], demonstrations, items };
}

/** Question and label; whoever renders it adds a line end, so an empty line follows. */
export function demonstrate({ ask }: InContextSet, { text, label }: Example): string {
  return `${ask(text)} ${label}\n`;
}

/** As many of each label; a smaller draw with the same seed is part of a larger one. */
export function drawBalanced(
  { labels, demonstrations }: InContextSet,
  count: number,
  random: () => number,
): Example[] {
  const drawn = labels.flatMap((label) =>
    shuffle(
      demonstrations.filter((each) => each.label === label),
      random,
    ).slice(0, count / labels.length),
  );
  return shuffle(drawn, random);
}

/** The `count` demonstrations whose words are most like the text's, the best last. */
export function selectAlike(
  { demonstrations }: InContextSet,
  text: string,
  count: number,
): Example[] {
  const query = wordsOf(text);
  const scored = demonstrations.map((example) => ({
    example,
    score: jaccard(query, wordsOf(example.text)),
  }));
  return bestLast(scored, count);
}

export interface ScoredExample {
  readonly example: Example;
  readonly score: number;
}

/** The `count` with the highest score, the best last; equal ones by their ids. */
export function bestLast(scored: readonly ScoredExample[], count: number): Example[] {
  return [...scored]
    .sort((a, b) => b.score - a.score || (a.example.id < b.example.id ? -1 : 1))
    .slice(0, count)
    .reverse()
    .map(({ example }) => example);
}

/**
 * All demonstrations in `count` texts of several, about equally long: the longest left one goes to
 * the text that is shortest yet.
 */
export function joinDemonstrations(
  set: InContextSet,
  count: number,
  tokenizer: Tokenizer,
): string[] {
  const joined = Array.from({ length: count }, () => ({ texts: [] as string[], tokens: 0 }));
  const measured = set.demonstrations
    .map((example) => demonstrate(set, example))
    .map((text) => ({ text, tokens: tokenizer.encode(`${text}\n`).length }))
    .sort((a, b) => b.tokens - a.tokens);
  for (const { text, tokens } of measured) {
    const shortest = joined.reduce((least, each) => (each.tokens < least.tokens ? each : least));
    shortest.texts.push(text);
    shortest.tokens += tokens;
  }
  return joined.map(({ texts }) => texts.join("\n"));
}

/** Fisher and Yates. */
export function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
}
