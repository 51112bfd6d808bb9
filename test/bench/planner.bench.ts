// What of the needed span stands in the prompt, by rule and budget: in how many samples any of it,
// and all of it, and what that is worth by the measured loss of kept entries (raw text: the share of
// its tokens). Runs no model; worth.bench.ts measures what becomes of it.
// Flags: --split validation|test, --budgets 96,256,….
import { parseArgs } from "node:util";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { pieceTokens } from "../../sidecar/memory/kept-encoder.ts";
import { cutPieces } from "../../sidecar/memory/pieces.ts";
import { keptWorth, planShares } from "../../sidecar/memory/planner.ts";
import { chancesOf } from "../../sidecar/selection/chance.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { cut } from "../support/memory-parts.ts";
import { realVocabulary } from "../support/vocabularies.ts";
import type { Split } from "./cross-file-packages.ts";
import { loadWorthSamples, type WorthSample } from "./worth-samples.ts";

const { values } = parseArgs({
  options: {
    split: { type: "string", default: "validation" },
    budgets: { type: "string", default: "96,256,512" },
  },
});
const finestRatio = 24;
const tokenizer = Tokenizer.create(await realVocabulary("qwen2.5-coder-0.5b"));
const loaded = await loadWorthSamples(values.split as Split);
const samples: { sample: WorthSample; pieces: number[][] }[] = [];
for (const sample of loaded) {
  const pieces = await Promise.all(sample.ranked.map(({ span }) => piecesOf(span)));
  samples.push({ sample, pieces });
}
tokenizer.dispose();

/** The share of the needed span's tokens or entries that the prompt holds, and what it is worth. */
interface Held {
  readonly share: number;
  readonly worth: number;
}

type Rule = (sample: WorthSample, pieces: readonly number[][], budget: number) => Held;

const byPlace = ({ ranked }: WorthSample) => ranked.map((_, place) => (place + 1) ** -1.35);
const byEvidence = ({ ranked }: WorthSample) => chancesOf(ranked);
const rules: Record<string, Rule> = {
  raw: holdRaw,
  "even, 4 spans": planned(4, ({ ranked }) => ranked.map(() => 1)),
  "even, 8 spans": planned(8, ({ ranked }) => ranked.map(() => 1)),
  "even, 16 spans": planned(16, ({ ranked }) => ranked.map(() => 1)),
  "by place, 16 spans": planned(16, byPlace),
  "by place, 32 spans": planned(32, byPlace),
  "by evidence, 8 spans": planned(8, byEvidence),
  "by evidence, 16 spans": planned(16, byEvidence),
  "by evidence, 32 spans": planned(32, byEvidence),
};
const rows = values.budgets.split(",").flatMap((budget) =>
  Object.entries(rules).map(([rule, hold]) => {
    const held = samples.map(({ sample, pieces }) => hold(sample, pieces, Number(budget)));
    const percent = (read: (each: Held) => number): string =>
      ((100 * held.reduce((sum, each) => sum + read(each), 0)) / held.length).toFixed(1);
    return {
      ...{ budget, rule },
      any: percent(({ share }) => Number(share > 0)),
      whole: percent(({ share }) => Number(share === 1)),
      worth: percent(({ worth }) => worth),
    };
  }),
);
console.log(`${values.split}, ${samples.length} samples, percent`);
console.table(rows);
console.log(JSON.stringify({ split: values.split, samples: samples.length, rows }));

async function piecesOf({ path, text }: { path: string; text: string }): Promise<number[]> {
  const header = encodeHeader(readLayout(tokenizer), tokenizer, path);
  const span = { header, path, text: `${text}\n` };
  const pieces = await cutPieces(tokenizer, span, { limit: pieceTokens, cut });
  return pieces.map(({ length }) => length);
}

function holdRaw({ neededPlace }: WorthSample, pieces: readonly number[][], budget: number): Held {
  const lengths = pieces.map(sum);
  const needed = lengths[neededPlace ?? lengths.length];
  if (needed === undefined) return { share: 0, worth: 0 };
  const left = Math.max(0, budget - sum(lengths.slice(0, neededPlace ?? 0)));
  const share = Math.min(1, left / needed);
  return { share, worth: share };
}

function planned(count: number, chances: (sample: WorthSample) => number[]): Rule {
  return (sample, pieces, budget) => {
    const each = chances(sample);
    const candidates = pieces
      .slice(0, count)
      .map((lengths, place) => ({ pieces: lengths, chance: each[place] ?? 0 }));
    const plan = planShares(candidates.toReversed(), { budget, finestRatio }).toReversed();
    const place = sample.neededPlace ?? count;
    const share = sum(plan[place]?.positions ?? []) / sum(pieces[place] ?? [1]);
    return { share, worth: keptWorth(share) };
  };
}

function sum(list: readonly number[]): number {
  return list.reduce((total, each) => total + each, 0);
}
