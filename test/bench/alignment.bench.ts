// Text that ends inside a token: accuracy of the unbroken prompt, and of the cut one without
// alignment, with one token healed, with token alignment and with exact prefix conditioning; what
// each costs in positions and milliseconds. The goals: 99 % of the unbroken accuracy with `exact`,
// 95 % with `token`.
// Flags: --model ID (default both), --count N (pairs a case, default 100), --threads N.
import { parseArgs } from "node:util";
import type { AlignmentSetting } from "../../sidecar/alignment/align.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { preparedModel, type RealModelId } from "../support/weights.ts";
import { cases, makePairs, type Pair } from "./alignment-pairs.ts";

const ways = ["whole", "off", "healed", "token", "exact"] as const;
type Way = (typeof ways)[number];

interface Outcome {
  readonly isRight: boolean;
  readonly computed: number;
  readonly regenerated: number;
  readonly ms: number;
}

type Outcomes = Record<Way, Outcome>;

const { values } = parseArgs({
  options: {
    model: { type: "string", multiple: true, default: ["smollm2-135m", "qwen2.5-coder-0.5b"] },
    count: { type: "string", default: "100" },
    threads: { type: "string", default: "2" },
  },
});

const results: Record<string, unknown> = {};
for (const id of values.model) results[id] = await measure(id as RealModelId);
process.stdout.write(`${JSON.stringify({ bench: "alignment", results })}\n`);

async function measure(id: RealModelId): Promise<unknown> {
  const prepared = await preparedModel(id, "lossless");
  const tokenizer = Tokenizer.create(prepared.vocabulary);
  const engine = await Engine.load(prepared.engine, { threads: Number(values.threads) });
  const pairs = makePairs(tokenizer, Number(values.count));
  const completers = {
    paper: new Completer(engine, tokenizer),
    healing: new Completer(engine, tokenizer, {
      ...defaults.alignment.limits,
      backedUpTokens: 1,
    }),
  };
  const outcomes: { pair: Pair; outcome: Outcomes }[] = [];
  for (const [index, pair] of pairs.entries()) {
    outcomes.push({ pair, outcome: await solve(completers, pair) });
    if (index % 50 === 49) process.stderr.write(`${id}: ${index + 1} of ${pairs.length} pairs\n`);
  }
  await engine.dispose();
  tokenizer.dispose();
  return report(id, outcomes);
}

async function solve(
  { paper, healing }: { paper: Completer; healing: Completer },
  pair: Pair,
): Promise<Outcomes> {
  const left = pair.rest.slice(pair.cut.length - pair.whole.length);
  return {
    whole: await ask(paper, { prefix: pair.whole, alignment: "off" }, pair.rest),
    off: await ask(paper, { prefix: pair.cut, alignment: "off" }, left),
    token: await ask(paper, { prefix: pair.cut, alignment: "token" }, left),
    exact: await ask(paper, { prefix: pair.cut, alignment: "exact" }, left),
    healed: await ask(healing, { prefix: pair.cut, alignment: "token" }, left),
  };
}

async function ask(
  completer: Completer,
  question: { prefix: string; alignment: AlignmentSetting },
  rest: string,
): Promise<Outcome> {
  const request = { ...question, maxTokens: 48, temperature: 0, topP: 1, seed: 1 };
  const start = performance.now();
  // A line that spans a line end is compared up to the next one.
  const stop = rest.includes("\n") ? [] : ["\n"];
  const answer = await completer.complete({ ...request, stop }, { exactReuse: true });
  const text = rest.includes("\n") ? answer.text.slice(0, rest.length) : answer.text;
  return {
    isRight: text === rest,
    computed: answer.tokens.computed,
    regenerated: answer.alignment.way === "off" ? 0 : answer.alignment.ids.length,
    ms: performance.now() - start,
  };
}

function report(id: string, outcomes: readonly { pair: Pair; outcome: Outcomes }[]): unknown {
  const rows = [...cases, "all" as const].map((kind) => {
    const own = outcomes.filter(({ pair }) => kind === "all" || pair.kind === kind);
    const right = (way: Way) => own.filter(({ outcome }) => outcome[way].isRight).length;
    return {
      kind,
      n: own.length,
      right: {
        whole: right("whole"),
        off: right("off"),
        healed: right("healed"),
        token: right("token"),
        exact: right("exact"),
      },
    };
  });
  process.stdout.write(
    `\n${id}\n| case | n | ${ways.join(" | ")} |\n|${" --- |".repeat(ways.length + 2)}\n`,
  );
  for (const { kind, n, right } of rows)
    process.stdout.write(
      `| ${kind} | ${n} | ${ways.map((way) => cell(right, way, n)).join(" | ")} |\n`,
    );
  const costs = ways.map((way) => ({
    way,
    computed: median(outcomes.map(({ outcome }) => outcome[way].computed)),
    regenerated: median(outcomes.map(({ outcome }) => outcome[way].regenerated)),
    ms: median(outcomes.map(({ outcome }) => outcome[way].ms)),
  }));
  for (const { way, computed, regenerated, ms } of costs)
    process.stdout.write(
      `${way}: median ${computed} positions, ${regenerated} tokens for the tail, ${ms.toFixed(1)} ms\n`,
    );
  return { rows, costs };
}

/** Count, share, and for cut prompts the share of the unbroken ones'. */
function cell(right: Record<Way, number>, way: Way, n: number): string {
  const count = right[way];
  const share = `${((100 * count) / Math.max(1, n)).toFixed(0)} %`;
  if (way === "whole") return `${count} (${share} ± ${interval(count, n)})`;
  return `${count} (${((100 * count) / Math.max(1, right.whole)).toFixed(1)} % of whole)`;
}

/** Half the 95 % interval of a share, in points (normal approximation). */
function interval(count: number, n: number): string {
  const share = count / Math.max(1, n);
  return (196 * Math.sqrt((share * (1 - share)) / Math.max(1, n))).toFixed(0);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
