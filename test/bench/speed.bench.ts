// Pith's engine beside llama.cpp on the same GGUF, ids and threads: prefill, decode, load time and
// peak memory, in turns within one run. llama.cpp runs with and without flash attention, and every
// ratio is to the better of the two. Flags: --model ID, --variant NAME (both again for more),
// --threads N, --rounds N, --loads N.
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../../sidecar/cli/quantile.ts";
import type { Variant } from "../../sidecar/model/manifest.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { readCorpus } from "../support/corpus.ts";
import { preparedModel, type RealModelId, realWeights } from "../support/weights.ts";
import { BusyMeter, takeTurns } from "./harness.ts";
import { type LlamaSpeedOptions, loadLlamaSpeed } from "./llama-speed.ts";
import { loadPithSpeed, type PithSpeedOptions } from "./pith-speed.ts";
import { EngineProcess, engineArgument, serveEngine, type Work } from "./speed-engine.ts";

/** Whom to load, as it goes to the process that does. */
type Contestant =
  | { readonly name: string; readonly pith: PithSpeedOptions }
  | { readonly name: string; readonly llama: LlamaSpeedOptions };

interface Measurement {
  readonly name: string;
  /** Tokens that the work is divided by. */
  readonly tokens: number;
  readonly unit: "tokens/s" | "ms/token";
  readonly work: Work;
}

/** Medians over the rounds, in the measurement's unit. */
interface Row {
  readonly name: string;
  readonly unit: string;
  readonly values: Readonly<Record<string, number>>;
  /** Speed over that of the better llama.cpp: above 1 is faster. */
  readonly ratios: Readonly<Record<string, number>>;
}

interface ModelResult {
  readonly rows: readonly Row[];
  /** The share of the processors that other programs had during the measurements. */
  readonly othersBusy: number | null;
}

const capacity = 2560;
const decodedTokens = 32;
const modelIds: readonly RealModelId[] = ["smollm2-135m", "qwen2.5-coder-0.5b"];
const variants: readonly Variant[] = ["fast", "lossless"];

const argument = engineArgument();
if (argument === undefined) await main();
else await serve(JSON.parse(argument));

function serve(contestant: Contestant): Promise<void> {
  return serveEngine(() =>
    "pith" in contestant ? loadPithSpeed(contestant.pith) : loadLlamaSpeed(contestant.llama),
  );
}

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      model: { type: "string", multiple: true },
      variant: { type: "string", multiple: true },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "7" },
      loads: { type: "string", default: "3" },
    },
  });
  const threads = Number(flags.threads);
  const processor = cpus()[0]?.model ?? "unknown";
  const models: Record<string, ModelResult> = {};
  for (const id of modelIds) {
    if (!(flags.model?.includes(id) ?? true)) continue;
    const chosen = variants.filter((variant) => flags.variant?.includes(variant) ?? true);
    const contestants = await contestantsOf(id, chosen, threads);
    const result = await compare(contestants, await measurementsOf(id), {
      rounds: Number(flags.rounds),
      loads: Number(flags.loads),
    });
    models[id] = result;
    print(id, `${threads} threads of ${processor}`, result);
  }
  console.log(JSON.stringify({ processor, threads, models }));
}

async function contestantsOf(
  id: RealModelId,
  chosen: readonly Variant[],
  threads: number,
): Promise<Contestant[]> {
  const weights = await realWeights(id);
  const contestants: Contestant[] = [];
  for (const variant of chosen) {
    const { engine: model } = await preparedModel(id, variant);
    contestants.push({ name: `Pith ${variant}`, pith: { model, threads, capacity } });
  }
  for (const flashAttention of [false, true])
    contestants.push({
      name: flashAttention ? "llama.cpp, flash" : "llama.cpp",
      llama: { weights, threads, capacity, flashAttention },
    });
  return contestants;
}

async function measurementsOf(id: RealModelId): Promise<Measurement[]> {
  const { vocabulary } = await preparedModel(id, "lossless");
  const tokenizer = Tokenizer.create(vocabulary);
  const code = readCorpus().filter(({ language }) => language === "typescript");
  const ids = [...tokenizer.encode(code.map(({ text }) => text).join("\n"))];
  tokenizer.dispose();
  const prefill = (tokens: number, chunk: number): Measurement => ({
    name: `prefill ${tokens}${chunk < 512 ? ` by ${chunk}` : ""}`,
    tokens,
    unit: "tokens/s",
    work: { kind: "prefill", kept: 0, ids: ids.slice(0, tokens), chunk },
  });
  const decode = (context: number): Measurement => ({
    name: `decode at ${context}`,
    tokens: decodedTokens,
    unit: "ms/token",
    work: {
      kind: "decode",
      context: ids.slice(0, context),
      ids: ids.slice(context, context + decodedTokens),
    },
  });
  return [
    prefill(128, 512),
    prefill(512, 512),
    prefill(512, 64), // The editor's chunks, so that a keystroke need not wait.
    prefill(2048, 512),
    decode(2048),
    decode(128),
  ];
}

async function compare(
  contestants: readonly Contestant[],
  measurements: readonly Measurement[],
  { rounds, loads }: { readonly rounds: number; readonly loads: number },
): Promise<ModelResult> {
  const loadMs = await takeTurns(contestants, loads, async (contestant) => {
    const started = await startProcess(contestant);
    await started.stop();
    return started.loadMs;
  });
  const processes = new Map<Contestant, EngineProcess>();
  for (const contestant of contestants) processes.set(contestant, await startProcess(contestant));
  const meter = new BusyMeter(() => [
    process.pid,
    ...[...processes.values()].map(({ processId }) => processId),
  ]);
  const peakMb = new Map<Contestant, number[]>();
  const rows: Row[] = [rowOf("load", "ms", loadMs)];
  for (const { name, tokens, unit, work } of measurements) {
    const bestIds = new Map<Contestant, number>();
    const values = await takeTurns(contestants, rounds, async (contestant) => {
      const measured = await processOf(processes, contestant).measure(work);
      peakMb.set(contestant, [measured.peakMb]);
      // The same work must come to the same id every time, or something else was measured.
      const before = bestIds.get(contestant) ?? measured.bestId;
      if (before !== measured.bestId)
        throw new Error(`${contestant.name}: ${name} gave id ${before}, then ${measured.bestId}`);
      bestIds.set(contestant, before);
      return unit === "ms/token" ? measured.ms / tokens : (tokens / measured.ms) * 1000;
    });
    rows.push(rowOf(name, unit, values));
  }
  rows.push(rowOf("peak memory", "MB", peakMb));
  const othersBusy = meter.foreignShare();
  for (const each of processes.values()) await each.stop();
  return { rows, othersBusy };
}

function startProcess(contestant: Contestant): Promise<EngineProcess> {
  return EngineProcess.start(fileURLToPath(import.meta.url), JSON.stringify(contestant));
}

function processOf(
  processes: ReadonlyMap<Contestant, EngineProcess>,
  contestant: Contestant,
): EngineProcess {
  const found = processes.get(contestant);
  if (found === undefined) throw new Error(`${contestant.name}: no process`);
  return found;
}

function rowOf(
  name: string,
  unit: string,
  values: ReadonlyMap<Contestant, readonly number[]>,
): Row {
  const medians = [...values].map(
    ([contestant, each]) => [contestant, rounded(median(each))] as const,
  );
  const isBetterLarger = unit === "tokens/s";
  const peers = medians.filter(([contestant]) => "llama" in contestant).map(([, value]) => value);
  const best = isBetterLarger ? Math.max(...peers) : Math.min(...peers);
  const ratios = medians
    .filter(([contestant]) => "pith" in contestant)
    .map(
      ([{ name }, value]) => [name, rounded(isBetterLarger ? value / best : best / value)] as const,
    );
  return {
    name,
    unit,
    values: Object.fromEntries(medians.map(([contestant, value]) => [contestant.name, value])),
    ratios: Object.fromEntries(ratios),
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

function print(id: string, machine: string, { rows, othersBusy }: ModelResult): void {
  const busy = othersBusy === null ? "an unknown share" : `${Math.round(othersBusy * 100)} %`;
  console.log(`\n${id}, ${machine}; other programs had ${busy} of the processors`);
  const table = rows.map(({ name, unit, values, ratios }) => {
    const ratioCells = Object.entries(ratios).map(([each, ratio]) => [
      `${each} / llama.cpp`,
      ratio,
    ]);
    return [`${name}, ${unit}`, { ...values, ...Object.fromEntries(ratioCells) }];
  });
  console.table(Object.fromEntries(table));
}
