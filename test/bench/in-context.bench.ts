// In-context learning: the label of a text by the likelihoods of the two label words behind 0, 4, 16
// and 64 demonstrations, raw and as kept memories, on SST-2 and CoLA; and on SST-2 behind 64
// demonstrations of at least 100 tokens, each of several labelled reviews. What an item has in common
// with the one before is not run again. The sets are not part of this repository: without them the
// benchmark says so and ends. An item's result is kept in .cache/, so a run that is stopped goes on.
// Flags: --data FOLDER, --model ID, --task NAME (both again for more), --limit N (items), --seed N,
// --threads N, --seconds N (stop then), --adapter FILE: short demonstrations embedded by it instead of
// kept, and selected by its virtual tokens.
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { median } from "../../sidecar/cli/quantile.ts";
import type { Completer } from "../../sidecar/completion/complete.ts";
import type { Score } from "../../sidecar/completion/request.ts";
import type { RealModelId } from "../support/weights.ts";
import { pooledBy } from "./in-context-adapter.ts";
import { adapterColumns, type Column, drawnColumns, longColumns } from "./in-context-columns.ts";
import { type Example, type InContextSet, readSet, type SetName } from "./in-context-set.ts";
import { openParts, type PithParts } from "./pith-parts.ts";
import { wilson } from "./wilson.ts";

interface Task {
  readonly set: SetName;
  readonly columns: (set: InContextSet, seed: number, pith: PithParts) => Column[];
}

/** One item behind one column's demonstrations. */
interface Outcome {
  readonly column: string;
  readonly id: string;
  readonly label: string;
  readonly chosen: string;
  /** Tokens of the demonstrations, and the positions that they take. */
  readonly tokens: number;
  readonly positions: number;
  /** Positions run for both labels, and the time without encoding memories. */
  readonly computed: number;
  readonly ms: number;
  readonly encodeMs: number;
}

const shortColumns: Task["columns"] = (set, seed, pith) =>
  flags.adapter === undefined ? drawnColumns(set, seed) : adapterColumns(set, seed, pooledBy(pith));
const tasks: Readonly<Record<string, Task>> = {
  sst2: { set: "sst2", columns: shortColumns },
  cola: { set: "cola", columns: shortColumns },
  "sst2-long": {
    set: "sst2",
    columns: (set, seed, { tokenizer }) => longColumns(set, seed, tokenizer),
  },
};
/** Of a column, before the next one has its turn: a run that is stopped has about as many of each. */
const itemsOfTurn = 100;
const modelIds: readonly RealModelId[] = ["qwen2.5-coder-0.5b", "smollm2-135m"];

const { values: flags } = parseArgs({
  options: {
    data: { type: "string", default: "../shared/data/icl" },
    model: { type: "string", multiple: true },
    task: { type: "string", multiple: true },
    adapter: { type: "string" },
    limit: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
    seconds: { type: "string", default: "36000" },
  },
});
const end = performance.now() + 1000 * Number(flags.seconds);
const results: Record<string, object> = {};
for (const id of modelIds) {
  if (!(flags.model?.includes(id) ?? true)) continue;
  const pith = await openParts(id, Number(flags.threads), flags.adapter);
  for (const [name, task] of Object.entries(tasks)) {
    if (!(flags.task?.includes(name) ?? true)) continue;
    const set = await readSet(flags.data, task.set);
    if (set === null) console.log(`${name}: skipped, ${flags.data} has no ${task.set}.jsonl`);
    else results[`${id} ${name}`] = await measure(pith, { id, name, task, set });
  }
  await pith.close();
}
console.log(JSON.stringify(results));

async function measure(
  pith: PithParts,
  { id, name, task, set }: { id: RealModelId; name: string; task: Task; set: InContextSet },
) {
  const arm = flags.adapter === undefined ? "" : `-${basename(flags.adapter, ".safetensors")}`;
  const file = `.cache/in-context/${id}-${name}-${flags.seed}${arm}.jsonl`;
  await mkdir(".cache/in-context", { recursive: true });
  const known = await readFile(file, "utf8").catch(() => "");
  const outcomes: Outcome[] = known
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  const items = set.items.slice(0, Number(flags.limit));
  const columns = task.columns(set, Number(flags.seed), pith);
  const done = new Set(outcomes.map((each) => `${each.column} ${each.id}`));
  for (let start = 0; start < items.length; start += itemsOfTurn)
    for (const column of columns)
      for (const item of items.slice(start, start + itemsOfTurn)) {
        if (done.has(`${column.name} ${item.id}`)) continue;
        if (performance.now() > end) break;
        const outcome = await classify(pith.completer, { set, column, item });
        outcomes.push(outcome);
        await appendFile(file, `${JSON.stringify(outcome)}\n`);
      }
  const rows = columns
    .map(({ name: column }) => outcomes.filter((each) => each.column === column))
    .filter((own) => own.length > 0)
    .map((own) => summarise(own, set.labels));
  console.log(`\n${id}, ${name}, demonstrations drawn with seed ${flags.seed}`);
  console.table(rows);
  return rows;
}

async function classify(
  completer: Completer,
  { set, column, item }: { set: InContextSet; column: Column; item: Example },
): Promise<Outcome> {
  const prompt = { prefix: set.ask(item.text), memory: await column.memory(item) };
  const scores: Score[] = [];
  for (const label of set.labels)
    scores.push(await completer.score({ ...prompt, target: ` ${label}` }, { exactReuse: true }));
  const [first, second] = scores;
  if (first === undefined || second === undefined) throw new Error("bench: two labels expected");
  const sum = (read: (score: Score) => number) => read(first) + read(second);
  return {
    column: column.name,
    ...{ id: item.id, label: item.label },
    chosen: set.labels[first.nll <= second.nll ? 0 : 1],
    tokens: first.tokens.contextBefore,
    positions: first.tokens.contextAfter,
    computed: sum(({ tokens }) => tokens.computed),
    ms: sum(({ ms }) => ms.total - ms.compress),
    encodeMs: sum(({ ms }) => ms.compress),
  };
}

function summarise(outcomes: readonly Outcome[], labels: InContextSet["labels"]) {
  const right = outcomes.filter(({ label, chosen }) => label === chosen).length;
  const [low, high] = wilson(right, outcomes.length);
  const middle = (read: (outcome: Outcome) => number) => Math.round(median(outcomes.map(read)));
  return {
    column: outcomes[0]?.column,
    items: outcomes.length,
    tokens: middle(({ tokens }) => tokens),
    positions: middle(({ positions }) => positions),
    accuracy: percent(right / outcomes.length),
    low: percent(low),
    high: percent(high),
    matthews: Number(matthews(outcomes, labels).toFixed(3)),
    // Medians: an item whose demonstrations were in the cache.
    computed: middle(({ computed }) => computed),
    ms: middle(({ ms }) => ms),
    firstMs: Math.round(outcomes[0]?.ms ?? Number.NaN),
    firstEncodeMs: Math.round(outcomes[0]?.encodeMs ?? Number.NaN),
  };
}

/** Matthews' correlation of labels and choices; 0 where one of them is always the same. */
function matthews(outcomes: readonly Outcome[], [positive, negative]: InContextSet["labels"]) {
  const count = (label: string, chosen: string) =>
    outcomes.filter((each) => each.label === label && each.chosen === chosen).length;
  const [tp, fn] = [count(positive, positive), count(positive, negative)];
  const [fp, tn] = [count(negative, positive), count(negative, negative)];
  const scale = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
  return scale === 0 ? 0 : (tp * tn - fp * fn) / scale;
}

function percent(share: number): number {
  return Math.round(1000 * share) / 10;
}
