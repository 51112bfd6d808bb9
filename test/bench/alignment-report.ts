// The tables of the alignment benchmark: answers in, Markdown out.
import { createRandom } from "../../sidecar/engine/random.ts";
import { cases, type Pair } from "./alignment-pairs.ts";
import { wilson } from "./wilson.ts";

const ways = ["whole", "off", "healed", "token", "exact"] as const;
type Way = (typeof ways)[number];

export interface Answered {
  readonly text: string;
  readonly isRight: boolean;
}

/** Of a completion with a given number of new tokens behind a cached prompt. */
export interface Cost {
  /** Rows run through the model. */
  readonly computed: number;
  /** Runs of the model. */
  readonly runs: number;
  /** Whether it has all its tokens: the model did not end the text before. */
  readonly isFull: boolean;
  readonly ms: number;
}

export interface AlignedAnswer extends Answered {
  /** Tokens that hold the tail. */
  readonly regenerated: number;
  /** null where it was not measured. */
  readonly cost: Cost | null;
}

export interface Solved {
  readonly pair: Pair;
  readonly answers: {
    readonly whole: Answered;
    readonly healed: Answered;
    readonly off: AlignedAnswer;
    readonly token: AlignedAnswer;
    readonly exact: AlignedAnswer;
  };
}

/**
 * Lines reproduced, a case a row: of the unbroken prompts with the 95 % interval of their share, of the
 * cut ones with the ratio to the unbroken; over all cases with that ratio's interval.
 */
export function printAccuracy(solved: readonly Solved[]): object[] {
  console.log(`\n| case | pairs | ${ways.join(" | ")} |\n|${" --- |".repeat(ways.length + 2)}`);
  const rows = [...cases, "all" as const].map((kind) => {
    const own = solved.filter(({ pair }) => kind === "all" || pair.kind === kind);
    const right = Object.fromEntries(ways.map((way) => [way, countRight(own, way)]));
    const ratios = Object.fromEntries(ways.map((way) => [way, ratioInterval(own, way)]));
    const unbroken = countRight(own, "whole");
    const cells = ways.map((way) => {
      const count = countRight(own, way);
      if (way !== "whole") return `${count} (${percent(count / unbroken)})`;
      const [low, high] = wilson(count, own.length);
      return `${count} (${percent(low)} to ${percent(high)})`;
    });
    console.log(`| ${kind} | ${own.length} | ${cells.join(" | ")} |`);
    return { kind, pairs: own.length, right, ratios };
  });
  // What is typed tells the model something, so a cut prompt can do better than the unbroken one: how
  // many lines the cut loses is another question.
  const reproduced = solved.filter(({ answers }) => answers.whole.isRight);
  for (const way of ways.filter((each) => each !== "whole")) {
    const [low, high] = ratioInterval(solved, way);
    const lost = reproduced.length - countRight(reproduced, way);
    const interval = `${percent(low)} to ${percent(high)}`;
    console.log(`${way}, of whole, 95 %: ${interval}; lost ${lost} of its ${reproduced.length}`);
  }
  return rows;
}

/** What each way costs more than `off`, over the timed pairs, and a ten-token line's share of it. */
export function printCosts(solved: readonly Solved[]): object[] {
  const timed = solved.filter(({ answers }) => answers.off.cost !== null);
  const full = timed.filter(({ answers }) =>
    [answers.off, answers.token, answers.exact].every(({ cost }) => cost?.isFull),
  );
  if (full.length === 0) return [];
  const offMs = median(full.map(({ answers }) => answers.off.cost?.ms ?? Number.NaN));
  console.log(`\noff: ${offMs.toFixed(1)} ms for ten new tokens, p50 of ${full.length}`);
  return (["token", "exact"] as const).map((way) => {
    const more = (pick: (cost: Cost) => number) =>
      full.map(({ answers }) => {
        const [own, off] = [answers[way].cost, answers.off.cost];
        return own === null || off === null ? Number.NaN : pick(own) - pick(off);
      });
    const regenerated = solved.map(({ answers }) => answers[way].regenerated);
    const cost = {
      way,
      pairs: full.length,
      regenerated: [median(regenerated), Math.max(...regenerated)],
      positions: median(more(({ computed }) => computed)),
      runs: median(more(({ runs }) => runs)),
      ms: median(more(({ ms }) => ms)),
      share: median(more(({ ms }) => ms)) / offMs,
    };
    const tail = `${cost.regenerated[0]} tokens for the tail (at most ${cost.regenerated[1]})`;
    const extra = `${cost.positions} positions, ${cost.runs} runs, ${cost.ms.toFixed(1)} ms`;
    console.log(`${way}, p50: ${tail}, ${extra} more than off, ${percent(cost.share)} of its time`);
    return cost;
  });
}

function countRight(solved: readonly Solved[], way: Way): number {
  return solved.filter(({ answers }) => answers[way].isRight).length;
}

/** The 95 % interval of right / right of whole, by resampling pairs (bootstrap, 2,000 rounds). */
function ratioInterval(solved: readonly Solved[], way: Way): [low: number, high: number] {
  const random = createRandom(1);
  const ratios = Array.from({ length: 2000 }, () => {
    const drawn = solved.map(() => solved[Math.floor(random() * solved.length)] as Solved);
    return countRight(drawn, way) / countRight(drawn, "whole");
  }).sort((a, b) => a - b);
  return [ratios[50] ?? Number.NaN, ratios[1949] ?? Number.NaN];
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
