// `pith bench`: Pith alone on this machine. Loading, prefill and decode through the batch path, which
// starts cold, and a trace of keystrokes through the editor's. Every figure comes from the counts and
// times that the engine's thread reports; a table for people, then one line of JSON.
import { Command, InvalidArgumentError } from "commander";
import type { BatchRequest, ModelFacts } from "../service.ts";
import { complete, type EngineThread, splitTokens } from "../thread-client.ts";
import { type KeystrokeFigures, traceKeystrokes } from "./bench-keystrokes.ts";
import { sampleCode } from "./bench-sample.ts";
import { addModelFlags, type ModelFlags, variantFlag, withModel } from "./open-model.ts";
import { median } from "./quantile.ts";

interface BenchFlags extends ModelFlags {
  readonly json?: boolean;
  readonly repeat: number;
  readonly keys: number;
}

/** Medians over the repetitions. */
interface BenchFigures {
  readonly model: string;
  readonly variant: string;
  readonly threads: number;
  readonly loadMs: number;
  readonly prefill: readonly { tokens: number; tokensPerSecond: number }[];
  readonly decode: readonly { context: number; msPerToken: number; tokensPerSecond: number }[];
  readonly keystroke: KeystrokeFigures;
  readonly memory: { readonly residentMb: number; readonly peakMb: number };
}

const prefillLengths = [128, 512, 2048];
const decodeContexts = [128, 2048];
const decodedTokens = 32;
/** The trace types a part of the sample, and nobody waits for more repetitions. */
const mostTimes = 1000;

const worthHelp = `
What memories are worth is measured in a checkout: \`node build.mjs bench && node
out/test/bench/memory.bench.mjs --forms kept,cut,embedded\`; tables are in test/bench/README.md
(kept) and sidecar/adapters/README.md (embedded).`;

export function benchCommand(entry: URL): Command {
  return addModelFlags(new Command("bench"))
    .description("measure loading, prefill, decode, memory and keystrokes on this machine")
    .option("--repeat <count>", "runs of each measurement", parseCount, 3)
    .option("--keys <count>", "keystrokes of the trace", parseCount, 300)
    .option("--json", "the line of JSON alone")
    .addOption(variantFlag())
    .addHelpText("after", worthHelp)
    .action((flags: BenchFlags) => bench(entry, flags));
}

async function bench(entry: URL, flags: BenchFlags): Promise<void> {
  const figures = await withModel(entry, flags, ({ thread, facts }) =>
    measure(thread, facts, flags),
  );
  if (!flags.json) process.stdout.write(`${describeFigures(figures)}\n`);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

async function measure(
  thread: EngineThread,
  { id, variant, threads, ms }: ModelFacts,
  { repeat, keys }: BenchFlags,
): Promise<BenchFigures> {
  const note = (text: string) => process.stderr.write(`${text}\n`);
  const prompts = new Map<number, string>();
  for (const length of new Set([...prefillLengths, ...decodeContexts]))
    prompts.set(length, await cutToTokens(thread, length));
  note("warming up");
  await measureRun(thread, prompts.get(128) ?? "", decodedTokens);
  note("prefill and decode");
  const runs = await measureRuns(thread, prompts, repeat);
  note("keystrokes");
  const keystroke = await traceKeystrokes(thread, keys);
  const { rss } = process.memoryUsage();
  const { maxRSS } = process.resourceUsage();
  return {
    ...{ model: id, variant, threads },
    loadMs: round(ms.locate + ms.prepare + ms.tokenizer + ms.engine),
    prefill: prefillLengths.map((length) => prefillOf(runs.get(length) ?? [])),
    decode: decodeContexts.map((length) => decodeOf(runs.get(length) ?? [])),
    keystroke,
    // maxRSS is in kilobytes (libuv's uv_getrusage).
    memory: { residentMb: round(rss / 1e6), peakMb: round((maxRSS * 1024) / 1e6) },
  };
}

interface Run {
  readonly prefix: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Decode steps: the first token is chosen from the prefill's logits. */
  readonly steps: number;
}

/** Lengths take turns, so that a disturbance does not hit one of them alone. */
async function measureRuns(
  thread: EngineThread,
  prompts: ReadonlyMap<number, string>,
  repeat: number,
): Promise<Map<number, Run[]>> {
  const runs = new Map<number, Run[]>([...prompts.keys()].map((length) => [length, []]));
  for (let round = 0; round < repeat; round++)
    for (const [length, prompt] of prompts)
      runs.get(length)?.push(await measureRun(thread, prompt, decodedTokens));
  return runs;
}

async function measureRun(thread: EngineThread, prefix: string, maxTokens: number): Promise<Run> {
  const request: BatchRequest = {
    ...{ prefix, maxTokens, stop: [], temperature: 0, topP: 1, seed: 1 },
    alignment: "off",
  };
  const { tokens, ms } = await thread.ask(complete, request);
  const steps = tokens.computed - tokens.prefix;
  if (tokens.generated === 0 || tokens.computed < tokens.prefix)
    throw new Error(`bench: a run gave ${JSON.stringify(tokens)}`);
  return { prefix: tokens.prefix, prefillMs: ms.prefill, decodeMs: ms.decode, steps };
}

function prefillOf(runs: readonly Run[]): { tokens: number; tokensPerSecond: number } {
  const rates = runs.map(({ prefix, prefillMs }) => (prefix / prefillMs) * 1000);
  return { tokens: runs[0]?.prefix ?? 0, tokensPerSecond: round(median(rates)) };
}

function decodeOf(runs: readonly Run[]): BenchFigures["decode"][number] {
  const msPerToken = median(runs.map(({ decodeMs, steps }) => decodeMs / steps));
  return {
    context: runs[0]?.prefix ?? 0,
    msPerToken: round(msPerToken),
    tokensPerSecond: round(1000 / msPerToken),
  };
}

/** Source text of about `length` tokens; the figures name the count that it came to. */
async function cutToTokens(thread: EngineThread, length: number): Promise<string> {
  const text = sampleCode.repeat(Math.ceil((length * 8) / sampleCode.length));
  const { pieces } = await thread.ask(splitTokens, { text });
  return Buffer.concat(pieces.slice(0, length)).toString("utf8");
}

function describeFigures(figures: BenchFigures): string {
  const { model, variant, threads, loadMs, prefill, decode, keystroke, memory } = figures;
  const rows = [
    [`${model}, ${variant}, ${threads} threads`, ""],
    ["load", `${loadMs} ms`],
    ...prefill.map((each) => [`prefill ${each.tokens}`, `${each.tokensPerSecond} tokens/s`]),
    ...decode.map((each) => [
      `decode at ${each.context}`,
      `${each.msPerToken} ms, ${each.tokensPerSecond} tokens/s`,
    ]),
    [`${keystroke.keys} keystrokes`, `p50 ${keystroke.p50Ms} ms, p90 ${keystroke.p90Ms} ms`],
    ["computed a keystroke", `${keystroke.meanComputed} positions`],
    ["reused", `${round(keystroke.reusedShare * 100)} % of the prompt's positions`],
    ["memory", `${memory.residentMb} MB, at most ${memory.peakMb} MB`],
    // Measured with PyTorch by sidecar/training/evaluate.py, not here.
    [
      "embedded memories",
      "what they keep of far text: sidecar/adapters/README.md of the repository",
    ],
  ];
  return rows.map(([name = "", value = ""]) => `${name.padEnd(24)}${value}`).join("\n");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > mostTimes)
    throw new InvalidArgumentError(`a whole number from 1 to ${mostTimes} is wanted.`);
  return count;
}
