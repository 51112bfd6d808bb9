// Whether the token budget slows the typing: the same keys with the view open and hidden, block by
// block in turns, in a real editor, and the paired difference with its 95 % bootstrap interval.
// Needs the browser and the editor that `npm test` installs. Flags: --pairs N, --minutes N (then it
// stops, with what it has), --resume (goes on from there).
import { mkdirSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { createRandom } from "../support/random-tensor.ts";
import { type LatencyPair, PairFile, PanelLatency } from "./panel-latency.ts";

const folder = ".cache/panel-bench";
const draws = 2000;
const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "500" },
    minutes: { type: "string", default: "60" },
    resume: { type: "boolean", default: false },
  },
});

if (!values.resume) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const file = new PairFile(folder);
const end = Date.now() + 60_000 * Number(values.minutes);
if (wholePairs().length < Number(values.pairs)) await measure();
print();

async function measure(): Promise<void> {
  const latency = await PanelLatency.start(file.blocks.length);
  try {
    while (wholePairs().length < Number(values.pairs) && Date.now() < end) {
      file.add(await latency.block(file.blocks.length));
      console.error(`${wholePairs().length} pairs`);
    }
  } finally {
    await latency.close();
  }
}

/** Keys that were followed by ghost text both times. */
function wholePairs(): { open: number; hidden: number }[] {
  return file.blocks
    .flat()
    .filter((pair): pair is { open: number; hidden: number } => isWhole(pair));
}

function isWhole({ open, hidden }: LatencyPair): boolean {
  return open !== null && hidden !== null;
}

function print(): void {
  const pairs = wholePairs();
  const differences = pairs.map(({ open, hidden }) => open - hidden);
  const figures = {
    keys: file.blocks.flat().length,
    pairs: pairs.length,
    openMedianMs: round(median(pairs.map(({ open }) => open))),
    hiddenMedianMs: round(median(pairs.map(({ hidden }) => hidden))),
    meanDifferenceMs: round(mean(differences)),
    meanIntervalMs: interval(differences, mean).map(round),
    medianDifferenceMs: round(median(differences)),
    medianIntervalMs: interval(differences, median).map(round),
  };
  console.table(figures);
  console.log(JSON.stringify(figures));
}

/** The middle 95 % of the values of draws with replacement. */
function interval(list: readonly number[], of: (list: number[]) => number): number[] {
  const random = createRandom(1);
  const found = Array.from({ length: draws }, () =>
    of(list.map(() => list[Math.floor(random() * list.length)] ?? 0)),
  ).sort((a, b) => a - b);
  return [found[Math.floor(0.025 * draws)] ?? 0, found[Math.ceil(0.975 * draws) - 1] ?? 0];
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, each) => sum + each, 0) / list.length;
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
