// What memories are worth: the next line given eight spans of other files, by form and ratio, beside
// the raw spans, nothing, and raw text cut to the same number of positions. The kept share is
// (NLL of none - NLL of the form) / (NLL of none - NLL of raw), with a bootstrap interval over
// samples. A sample's results are kept in .cache/, so a run that is stopped goes on where it was.
// Flags: --model ID, --variant NAME (default the product's choice), --split NAME, --limit N,
// --ratios 4,8,…, --forms kept,cut,embedded, --adapter FILE (for embedded; default the committed one
// of the model), --threads N, --seconds N (stop then), --write (complete the line too),
// --reference FILE (only write the samples for the probe's reference.py).
import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import type { Variant } from "../../sidecar/model/manifest.ts";
import { type OpenModel, openModel } from "../../sidecar/service.ts";
import { createRandom } from "../support/random-tensor.ts";
import { type RealModelId, realWeights } from "../support/weights.ts";
import type { CrossFileSample } from "./cross-file.ts";
import type { Split } from "./cross-file-packages.ts";
import { loadSamples, openTokenizer, toReferenceSample } from "./cross-file-set.ts";
import { isSame, similarity } from "./written-line.ts";

interface Result {
  readonly nll: number;
  readonly positions: number;
  /** Of the scoring without what compression took. */
  readonly ms: number;
  readonly text?: string;
}

interface Outcome {
  readonly id: string;
  readonly target: string;
  readonly compressMs: number;
  readonly results: Readonly<Record<string, Result>>;
}

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "qwen2.5-coder-0.5b" },
    split: { type: "string", default: "validation" },
    limit: { type: "string", default: "50" },
    ratios: { type: "string", default: "4,8,12,24" },
    forms: { type: "string", default: "kept,cut" },
    adapter: { type: "string" },
    variant: { type: "string" },
    threads: { type: "string", default: "2" },
    seconds: { type: "string", default: "36000" },
    write: { type: "boolean", default: false },
    reference: { type: "string" },
  },
});
const model = values.model as RealModelId;
const variant = values.variant as Variant | undefined;
const samples = (await loadSamples(values.split as Split)).slice(0, Number(values.limit));
if (values.reference === undefined) await measure();
else await writeReference(values.reference);

async function writeReference(file: string): Promise<void> {
  const tokenizer = await openTokenizer(model);
  const records = samples.map((sample) => toReferenceSample(sample, tokenizer));
  await writeFile(file, JSON.stringify(records));
}

async function measure(): Promise<void> {
  const columns = columnsOf(values.ratios.split(",").map(Number), values.forms.split(","));
  const names = columns.map(({ name }) => name);
  const kind = [...names, values.write && "written", variant].filter(Boolean).join("-");
  const file = `.cache/memory/${model}-${values.split}-${kind.replaceAll(" ", "")}.jsonl`;
  const outcomes = await readOutcomes(file);
  const end = performance.now() + 1000 * Number(values.seconds);
  const threads = Number(values.threads);
  const { adapter = `sidecar/adapters/${model}/uni-plus-pool.safetensors` } = values;
  const weights = await realWeights(model);
  const opened = await openModel({ model: weights, home: "", threads, adapter, variant });
  if (opened === null) throw new Error(`bench: ${model} is not there`);
  try {
    for (const sample of samples) {
      if (outcomes.some(({ id }) => id === sample.id)) continue;
      if (performance.now() > end) break;
      const outcome = await scoreSample(opened, sample, columns);
      outcomes.push(outcome);
      await appendFile(file, `${JSON.stringify(outcome)}\n`);
    }
  } finally {
    await opened.dispose();
  }
  printTable(outcomes, columns);
}

interface Column {
  readonly name: string;
  readonly memory: (sample: CrossFileSample) => MemoryRequest;
}

function columnsOf(ratios: readonly number[], forms: readonly string[]): Column[] {
  const none = { demonstrations: [], context: [], isCold: false };
  const at = (form: "raw" | "kept" | "embedded", ratio?: number) => (sample: CrossFileSample) => ({
    ...{ ...none, form, ratio, context: sample.spans },
  });
  return [
    { name: "none", memory: () => ({ ...none, form: "raw" }) },
    { name: "raw", memory: at("raw") },
    ...ratios.flatMap((ratio) => [
      ...(forms.includes("cut") ? [{ name: `raw cut ${ratio}x`, memory: at("raw", ratio) }] : []),
      ...(forms.includes("kept") ? [{ name: `kept ${ratio}x`, memory: at("kept", ratio) }] : []),
      ...(forms.includes("embedded")
        ? [{ name: `embedded ${ratio}x`, memory: at("embedded", ratio) }]
        : []),
    ]),
  ];
}

async function scoreSample(
  opened: OpenModel,
  sample: CrossFileSample,
  columns: readonly Column[],
): Promise<Outcome> {
  const { id, path, near, target } = sample;
  const results: Record<string, Result> = {};
  let compressMs = 0;
  for (const { name, memory } of columns) {
    const request = { path, prefix: near, memory: memory(sample) };
    const { nll, tokens, ms } = await opened.score({ ...request, target });
    compressMs += ms.compress;
    results[name] = { nll, positions: tokens.contextAfter, ms: ms.total - ms.compress };
    if (!values.write) continue;
    const greedy = { temperature: 0, topP: 1, seed: 1, alignment: "off" } as const;
    const line = { maxTokens: 48, stop: ["\n"] };
    const { text } = await opened.complete({ ...request, ...line, ...greedy });
    results[name] = { ...results[name], text } as Result;
  }
  return { id, target, compressMs, results };
}

async function readOutcomes(file: string): Promise<Outcome[]> {
  await mkdir(".cache/memory", { recursive: true });
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

function printTable(outcomes: readonly Outcome[], columns: readonly Column[]): void {
  const rows = columns.map(({ name }) => {
    const mean = (read: (result: Result, outcome: Outcome) => number) =>
      outcomes.reduce((sum, each) => sum + read(each.results[name] as Result, each), 0) /
      outcomes.length;
    const [low, high] = bootstrap(outcomes, name);
    return {
      column: name,
      nll: round(mean(({ nll }) => nll)),
      share: round(100 * shareOf(outcomes, name)),
      low: round(100 * low),
      high: round(100 * high),
      ...(values.write && {
        exact: round(100 * mean(({ text = "" }, { target }) => Number(isSame(text, target)))),
        similarity: round(100 * mean(({ text = "" }, { target }) => similarity(text, target))),
      }),
      positions: round(mean(({ positions }) => positions)),
      ms: Math.round(mean(({ ms }) => ms)),
    };
  });
  const compressMs =
    outcomes.reduce((sum, each) => sum + each.compressMs, 0) / Math.max(1, outcomes.length);
  console.log(`${model}, ${values.split}, ${outcomes.length} samples, 95 % intervals`);
  console.table(rows);
  console.log(`encoding the spans of a sample: ${Math.round(compressMs)} ms`);
  console.log(JSON.stringify({ model, split: values.split, samples: outcomes.length, rows }));
}

function shareOf(outcomes: readonly Outcome[], name: string): number {
  const sum = (column: string) =>
    outcomes.reduce((total, { results }) => total + (results[column]?.nll ?? Number.NaN), 0);
  return (sum("none") - sum(name)) / (sum("none") - sum("raw"));
}

/** The middle 95 % of the shares of 2,000 draws with replacement. */
function bootstrap(outcomes: readonly Outcome[], name: string): [number, number] {
  const random = createRandom(1);
  const draws = 2000;
  const shares = Array.from({ length: draws }, () => {
    const drawn = outcomes.map(() => outcomes[Math.floor(random() * outcomes.length)] as Outcome);
    return shareOf(drawn, name);
  }).sort((a, b) => a - b);
  return [shares[Math.floor(draws * 0.025)] ?? 0, shares[Math.ceil(draws * 0.975) - 1] ?? 0];
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
