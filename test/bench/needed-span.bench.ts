// What the needed span alone is worth by ratio, in the layout of worth.bench.ts: the shares that the
// planner reckons with. A sample's result is kept in .cache/worth/, so a run that is stopped goes on
// where it was. Flags: --model ID, --limit N (samples), --threads N, --seconds N (stop then).
import { appendFile, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import { createRandom } from "../../sidecar/engine/random.ts";
import type { RealModelId } from "../support/weights.ts";
import { openParts } from "./pith-parts.ts";
import { scoreSample } from "./worth-model.ts";
import { loadWorthSamples, type WorthSample } from "./worth-samples.ts";

interface Outcome {
  readonly id: string;
  /** By column, in nats. */
  readonly nll: Readonly<Record<string, number>>;
}

const ratios = [1, 4, 8, 16, 24];
const { values } = parseArgs({
  options: {
    model: { type: "string", default: "qwen2.5-coder-0.5b" },
    limit: { type: "string", default: "60" },
    threads: { type: "string", default: "2" },
    seconds: { type: "string", default: "36000" },
  },
});
const model = values.model as RealModelId;
const samples = (await loadWorthSamples("validation"))
  .filter(({ neededPlace, ranked }) => ranked[neededPlace ?? -1] !== undefined)
  .slice(0, Number(values.limit));
const outcomes = await measure();
const columns = ["raw", ...ratios.map((ratio) => `kept${ratio}`)];
const rows = columns.map((column) => ({ column, share: shareWithInterval(column) }));
console.log(`${model}, ${outcomes.length} samples, percent of what the raw span saves, 95 %`);
console.table(rows);
console.log(JSON.stringify({ model, samples: outcomes.length, rows }));

async function measure(): Promise<Outcome[]> {
  const file = `.cache/worth/needed-${model}.jsonl`;
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  const known = lines.map((line): Outcome => JSON.parse(line));
  const end = performance.now() + 1000 * Number(values.seconds);
  const parts = await openParts(model, Number(values.threads));
  try {
    for (const sample of samples) {
      if (known.some(({ id }) => id === sample.id)) continue;
      if (performance.now() > end) break;
      const nll: Record<string, number> = {};
      for (const [column, memory] of Object.entries(memoriesOf(sample)))
        nll[column] = (await scoreSample(parts, sample, memory)).nll;
      known.push({ id: sample.id, nll });
      await appendFile(file, `${JSON.stringify({ id: sample.id, nll })}\n`);
    }
  } finally {
    await parts.close();
  }
  return known;
}

function memoriesOf({
  ranked,
  neededPlace,
}: WorthSample): Record<string, MemoryRequest | undefined> {
  const span = ranked[neededPlace ?? -1]?.span;
  const context = span === undefined ? [] : [{ path: span.path, text: span.text }];
  const request = { demonstrations: [], context, isCold: false };
  const kept = ratios.map((ratio) => [`kept${ratio}`, { ...request, form: "kept", ratio }]);
  return { none: undefined, raw: { ...request, form: "raw" }, ...Object.fromEntries(kept) };
}

function shareWithInterval(column: string): string {
  const random = createRandom(1);
  const draws = 2000;
  const shares = Array.from({ length: draws }, () => {
    const drawn = outcomes.flatMap(() => outcomes[Math.floor(random() * outcomes.length)] ?? []);
    return shareOf(drawn, column);
  }).sort((a, b) => a - b);
  const at = (part: number): string => (100 * (shares[Math.floor(draws * part)] ?? 0)).toFixed(0);
  return `${(100 * shareOf(outcomes, column)).toFixed(0)} (${at(0.025)} to ${at(0.975)})`;
}

function shareOf(list: readonly Outcome[], column: string): number {
  const sum = (name: string) => list.reduce((total, { nll }) => total + (nll[name] ?? 0), 0);
  return (sum("none") - sum(column)) / (sum("none") - sum("raw"));
}
