// What memories are worth end to end: lines of whole repositories, to be completed from a name on that
// another file defines, the product's own ranking of all spans of the other files, the editor's layout. At equal
// positions: the best spans raw, kept at even shares, and the planner's mixture. A result is kept in
// .cache/worth/, so a run that is stopped goes on where it was.
// Flags: --model ID, --split NAME, --limit N (samples), --budgets 96,256,…, --threads N,
// --seconds N (stop then).
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createRandom } from "../../sidecar/engine/random.ts";
import type { RealModelId } from "../support/weights.ts";
import type { Split } from "./cross-file-packages.ts";
import { openParts, type PithParts } from "./pith-parts.ts";
import { completeSample, type Result } from "./worth-model.ts";
import { memoryOf, type Rule, rules } from "./worth-rules.ts";
import { loadWorthSamples, type WorthSample } from "./worth-samples.ts";
import { isSame, similarity } from "./written-line.ts";

interface Outcome {
  readonly id: string;
  readonly target: string;
  /** By column, see `nameOf`. */
  readonly results: Readonly<Record<string, Result>>;
}

interface Column {
  readonly rule: Rule;
  readonly budget: number;
}

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "qwen2.5-coder-0.5b" },
    split: { type: "string", default: "validation" },
    limit: { type: "string", default: "50" },
    budgets: { type: "string", default: "96,256,512" },
    threads: { type: "string", default: "2" },
    seconds: { type: "string", default: "36000" },
  },
});
const model = values.model as RealModelId;
const samples = (await loadWorthSamples(values.split as Split)).slice(0, Number(values.limit));
const columns: Column[] = [
  { rule: "none", budget: 0 },
  ...values.budgets
    .split(",")
    .flatMap((budget) =>
      rules.flatMap((rule) => (rule === "none" ? [] : [{ rule, budget: Number(budget) }])),
    ),
];
const outcomes = await measure();
printRecall();
printTable();

async function measure(): Promise<Outcome[]> {
  const file = `.cache/worth/${model}-${values.split}-${values.budgets}.jsonl`;
  await mkdir(".cache/worth", { recursive: true });
  const text = await readFile(file, "utf8").catch(() => "");
  const known = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Outcome => JSON.parse(line));
  const end = performance.now() + 1000 * Number(values.seconds);
  const parts = await openParts(model, Number(values.threads));
  try {
    for (const sample of samples) {
      if (known.some(({ id }) => id === sample.id)) continue;
      if (performance.now() > end) break;
      const outcome = await measureSample(parts, sample);
      known.push(outcome);
      await appendFile(file, `${JSON.stringify(outcome)}\n`);
    }
  } finally {
    await parts.close();
  }
  return known;
}

async function measureSample(parts: PithParts, sample: WorthSample): Promise<Outcome> {
  const results: Record<string, Result> = {};
  // The greatest budget first: what is stored of a span then serves the smaller ones.
  for (const column of columns.toReversed()) {
    const memory = memoryOf(sample, column, parts.tokenizer);
    results[nameOf(column)] = await completeSample(parts, sample, memory);
  }
  return { id: sample.id, target: sample.target, results };
}

function nameOf({ rule, budget }: Column): string {
  return rule === "none" ? rule : `${rule} ${budget}`;
}

function printRecall(): void {
  const measured = samples.filter(({ id }) => outcomes.some((each) => each.id === id));
  const recall = [1, 4, 8, 16].map((depth) => {
    const found = measured.filter(({ neededPlace }) => (neededPlace ?? depth) < depth);
    return `at ${depth} ${percent(found.length / measured.length)}`;
  });
  console.log(`${model}, ${values.split}, ${outcomes.length} samples, 95 % intervals`);
  console.log(`recall of the needed span in percent: ${recall.join(", ")}`);
}

function printTable(): void {
  const rows = columns.map((column) => {
    const mean = (read: Read) => meanOf(outcomes.map((each) => read(each, nameOf(column))));
    const overRaw = (read: Read): string => {
      if (column.rule === "none" || column.rule === "raw") return "";
      const raw = nameOf({ ...column, rule: "raw" });
      return interval(outcomes.map((each) => read(each, nameOf(column)) - read(each, raw)));
    };
    return {
      column: nameOf(column),
      nll: mean(readNll).toFixed(2),
      exact: percent(mean(readExact)),
      similarity: percent(mean(readSimilarity)),
      "exact over raw": overRaw(readExact),
      "similarity over raw": overRaw(readSimilarity),
      positions: mean(({ results }, name) => results[name]?.positions ?? Number.NaN).toFixed(0),
      ms: mean(({ results }, name) => results[name]?.ms ?? Number.NaN).toFixed(0),
    };
  });
  console.table(rows);
  const encoding = outcomes.map(({ results }) =>
    Object.values(results).reduce((sum, { compressMs }) => sum + compressMs, 0),
  );
  console.log(`encoding the spans of a sample: ${meanOf(encoding).toFixed(0)} ms`);
  console.log(JSON.stringify({ model, split: values.split, samples: outcomes.length, rows }));
}

/** A measure of a sample's result in a column. */
type Read = (outcome: Outcome, name: string) => number;

function readNll({ results }: Outcome, name: string): number {
  return results[name]?.nll ?? Number.NaN;
}

function readExact({ results, target }: Outcome, name: string): number {
  return Number(isSame(results[name]?.text ?? "", target));
}

function readSimilarity({ results, target }: Outcome, name: string): number {
  return similarity(results[name]?.text ?? "", target);
}

/** The mean of paired differences in percentage points, with its bootstrap interval. */
function interval(differences: readonly number[]): string {
  const random = createRandom(1);
  const draws = 2000;
  const means = Array.from({ length: draws }, () =>
    meanOf(differences.map(() => differences[Math.floor(random() * differences.length)] ?? 0)),
  ).sort((a, b) => a - b);
  const low = means[Math.floor(draws * 0.025)] ?? 0;
  const high = means[Math.ceil(draws * 0.975) - 1] ?? 0;
  return `${percent(meanOf(differences))} (${percent(low)} to ${percent(high)})`;
}

function meanOf(list: readonly number[]): number {
  return list.reduce((sum, each) => sum + each, 0) / list.length;
}

function percent(value: number): string {
  return (100 * value).toFixed(1);
}
