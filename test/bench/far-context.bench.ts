// 8,000 tokens of far context in sixteen spans and 224 of near text: the time to the first token after
// an edit in the first, the eighth or the last span. Pith has the memories of all spans (that of the
// edited one is encoded before, and reported apart), attaches them and runs the near text; llama.cpp
// is given the raw text, cold, and keeping what stands before the edit, with and without flash
// attention. They take turns.
// Then the positions that keystrokes run behind the memories and without them.
// An edit's times are kept in .cache/, so a run that is stopped goes on where it was.
// Flags: --model ID (again for more), --rounds N, --threads N, --keys N, --seconds N (stop then).
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../../sidecar/cli/quantile.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { commonLength, type PromptBlock } from "../../sidecar/completion/layout.ts";
import { PromptCache } from "../../sidecar/completion/prompt-cache.ts";
import type { Completion, MemoryRequest } from "../../sidecar/completion/request.ts";
import { keystrokes } from "../support/keystroke-trace.ts";
import { type RealModelId, realWeights } from "../support/weights.ts";
import { edit, type FarContext, idsOfRaw, makeFarContext } from "./far-context-prompt.ts";
import { askAll } from "./ghost-text.ts";
import { BusyMeter } from "./harness.ts";
import { type LlamaSpeedOptions, loadLlamaSpeed } from "./llama-speed.ts";
import { openParts, type PithParts } from "./pith-parts.ts";
import { EngineProcess, engineArgument, serveEngine } from "./speed-engine.ts";

const tokens = { far: 8000, near: 224 };
// From the last to the first, so that what stands before an edit is in llama.cpp's cache as it was.
const editedSpans = [15, 7, 0];
const flashSettings = [true, false];
const chunk = 512;
const capacity = 9216;
// Both engines' threads go on looking for work for some milliseconds after a run.
const pauseMs = 60;
const modelIds: readonly RealModelId[] = ["smollm2-135m", "qwen2.5-coder-0.5b"];
/** Of kept memories: the goal's ratio, and what a request without one gets. */
const shares = { "kept 12x": { ratio: 12 }, "kept, default budget": {} } as const;
type Share = keyof typeof shares;
const shareNames = Object.keys(shares) as Share[];

/** An edit, in a round, beside llama.cpp with or without flash attention. */
interface Unit {
  readonly round: number;
  readonly flashAttention: boolean;
  readonly span: number;
}

interface Outcome extends Unit {
  readonly rawTokens: number;
  /** Positions of the memories. */
  readonly positions: Readonly<Record<Share, number>>;
  /** Positions run for the first token. */
  readonly computed: Readonly<Record<Share, number>>;
  /** Idle work: the memory of the edited span. */
  readonly encoding: { readonly ms: number; readonly computed: number };
  /** To the first token; Pith's are medians, llama.cpp's cold one is shared by a round's edits. */
  readonly ms: Readonly<Record<string, number>>;
  /** Of the first token, what finding the memories took: tokenising and looking up. */
  readonly lookUpMs: number;
  readonly othersBusy: number | null;
}

const argument = engineArgument();
if (argument === undefined) await main();
else await serveEngine(() => loadLlamaSpeed(JSON.parse(argument)));

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      model: { type: "string", multiple: true },
      rounds: { type: "string", default: "2" },
      threads: { type: "string", default: "2" },
      keys: { type: "string", default: "60" },
      seconds: { type: "string", default: "36000" },
    },
  });
  const end = performance.now() + 1000 * Number(flags.seconds);
  const results: Record<string, object> = {};
  for (const id of modelIds) {
    if (!(flags.model?.includes(id) ?? true)) continue;
    const threads = Number(flags.threads);
    const pith = await openParts(id, threads);
    const outcomes = await measureEdits(id, pith, { threads, rounds: Number(flags.rounds), end });
    const keys = await countKeystrokes(pith, Number(flags.keys));
    await pith.close();
    results[id] = { ...report(id, outcomes), keys };
  }
  console.log(JSON.stringify(results));
}

async function measureEdits(
  id: RealModelId,
  pith: PithParts,
  { threads, rounds, end }: { threads: number; rounds: number; end: number },
): Promise<Outcome[]> {
  const file = `.cache/far-context/${id}-${threads}.jsonl`;
  await mkdir(".cache/far-context", { recursive: true });
  const known = await readFile(file, "utf8").catch(() => "");
  const outcomes: Outcome[] = known
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  const missing = Array.from({ length: rounds }, (_, round) =>
    flashSettings.map((flashAttention) =>
      editedSpans.map((span) => ({ round, flashAttention, span })),
    ),
  )
    .flat(2)
    .filter((unit) => !outcomes.some((each) => nameOf(each) === nameOf(unit)));
  if (missing.length === 0) return outcomes;
  const original = makeFarContext(pith.layout, pith.tokenizer, tokens);
  const all = await firstToken(pith, original, "kept 12x");
  console.log(`${id}: encoding all spans took ${Math.round(all.ms.compress)} ms`);
  const weights = await realWeights(id);
  for (const flashAttention of flashSettings) {
    const units = missing.filter((unit) => unit.flashAttention === flashAttention);
    if (units.length === 0) continue;
    const llama = await startLlama({ weights, threads, capacity, flashAttention });
    let cold = { round: -1, ms: Number.NaN };
    for (const unit of units) {
      if (performance.now() > end) break;
      if (unit.round !== cold.round) {
        const ids = idsOfRaw(pith.layout, pith.tokenizer, original);
        const { ms } = await llama.measure({ kind: "prefill", kept: 0, ids, chunk });
        cold = { round: unit.round, ms };
      }
      const outcome = await measureEdit({ pith, llama, original, coldMs: cold.ms }, unit);
      outcomes.push(outcome);
      await appendFile(file, `${JSON.stringify(outcome)}\n`);
    }
    await llama.stop();
  }
  return outcomes;
}

function nameOf({ round, flashAttention, span }: Unit): string {
  return `${round} ${flashAttention} ${span}`;
}

/** The first run, which reads the weights, is not measured. */
async function startLlama(options: LlamaSpeedOptions): Promise<EngineProcess> {
  const program = fileURLToPath(import.meta.url);
  const started = await EngineProcess.start(program, JSON.stringify(options));
  await started.measure({ kind: "prefill", kept: 0, ids: new Array(chunk).fill(1), chunk });
  return started;
}

interface Subjects {
  readonly pith: PithParts;
  readonly llama: EngineProcess;
  readonly original: FarContext;
  /** llama.cpp's time for the raw text, which its cache now begins with up to the edited span. */
  readonly coldMs: number;
}

async function measureEdit(
  { pith, llama, original, coldMs }: Subjects,
  unit: Unit,
): Promise<Outcome> {
  const meter = new BusyMeter(() => [process.pid, llama.processId]);
  const name = `edit${unit.round}${unit.flashAttention ? "a" : "b"}`;
  const edited = edit(original, unit.span, `${name} = true`);
  const { layout, tokenizer } = pith;
  const [before, after] = [original, edited].map((each) => idsOfRaw(layout, tokenizer, each));
  if (before === undefined || after === undefined) throw new Error("bench: no prompts");
  const encoding = await firstToken(pith, edited, "kept 12x");
  const ofPith: Record<Share, Completion[]> = { "kept 12x": [], "kept, default budget": [] };
  const askPith = async () => {
    for (const share of shareNames) {
      await sleep(pauseMs);
      ofPith[share].push(await firstToken(pith, edited, share));
    }
  };
  await askPith();
  await sleep(pauseMs);
  const kept = commonLength(before, after);
  const work = { kind: "prefill", kept, ids: after.slice(kept), chunk } as const;
  const cached = await llama.measure(work);
  for (let turn = 0; turn < 2; turn += 1) await askPith();
  const ms: Record<string, number> = { cold: coldMs, "prompt cache": cached.ms };
  for (const share of shareNames) ms[share] = median(ofPith[share].map((each) => each.ms.total));
  const perShare = (read: (completion: Completion) => number) =>
    Object.fromEntries(shareNames.map((share) => [share, median(ofPith[share].map(read))]));
  return {
    ...{ ...unit, ms, rawTokens: after.length },
    positions: perShare((each) => each.tokens.contextAfter) as Outcome["positions"],
    computed: perShare((each) => each.tokens.computed) as Outcome["computed"],
    encoding: {
      ms: encoding.ms.compress,
      computed: encoding.tokens.computed - (ofPith["kept 12x"][0]?.tokens.computed ?? 0),
    },
    lookUpMs: median(ofPith["kept 12x"].map((each) => each.ms.compress)),
    othersBusy: meter.foreignShare(),
  };
}

/** From a cold prompt cache; memories that are not known yet are encoded first. */
function firstToken(
  { completer }: PithParts,
  { spans, path, near }: FarContext,
  share: Share,
): Promise<Completion> {
  const memory: MemoryRequest = {
    ...{ form: "kept", demonstrations: [], context: spans, isCold: false },
    ...shares[share],
  };
  const greedy = { temperature: 0, topP: 1, seed: 1, alignment: "off" } as const;
  return completer.complete({ path, prefix: near, memory, maxTokens: 1, stop: [], ...greedy });
}

/** Positions of the prompt that each keystroke of the trace runs, without memories and behind them. */
async function countKeystrokes(pith: PithParts, count: number) {
  const { spans } = makeFarContext(pith.layout, pith.tokenizer, { ...tokens, far: 1000 });
  const request = { form: "kept", demonstrations: [], context: spans, isCold: false } as const;
  const prefix = { near: [], first: "", far: "" };
  const { blocks } = await pith.memories.lay({ ...request, ratio: 12 }, prefix, { chunk: 256 });
  const without = await keystrokeRows(pith, [], count);
  const behind = await keystrokeRows(pith, blocks, count);
  return {
    keystrokes: without.length,
    memoryPositions: blocks.reduce((sum, { length }) => sum + length, 0),
    positionsWithout: sumOf(without),
    positionsBehindMemories: sumOf(behind),
    differing: without.filter((rows, index) => rows !== behind[index]).length,
  };
}

/** The first keystroke finds an empty cache and does not count. */
async function keystrokeRows(
  { engine, tokenizer }: PithParts,
  blocks: readonly PromptBlock[],
  count: number,
): Promise<number[]> {
  const { window: capacity, suffix } = defaults;
  const cache = new PromptCache(engine, { capacity, ...suffix });
  const rows: number[] = [];
  for (const { prompt } of askAll(tokenizer, keystrokes(count + 1))) {
    const before = engine.counters.positions;
    await cache.fill({ ...prompt, blocks }, { reuse: "moved", chunk: defaults.chunk.interactive });
    rows.push(engine.counters.positions - before);
  }
  return rows.slice(1);
}

/** llama.cpp counts with the setting that is faster on the mean. */
function report(id: RealModelId, outcomes: readonly Outcome[]) {
  const spans = editedSpans.toReversed();
  const rowOf = (label: string, name: string, own: readonly Outcome[]) => {
    const msOf = spans.map((span) =>
      median(own.filter((each) => each.span === span).map(({ ms }) => ms[name] ?? Number.NaN)),
    );
    return { label, msOf, meanMs: sumOf(msOf) / msOf.length };
  };
  const llamas = (["cold", "prompt cache"] as const).map((name) =>
    flashSettings.map((flash) => {
      const own = outcomes.filter(({ flashAttention }) => flashAttention === flash);
      return rowOf(`llama.cpp${flash ? ", flash attention" : ""}, ${name}`, name, own);
    }),
  );
  // A setting that was not run to its end has no mean.
  const [cold, cached] = llamas.map((rows) =>
    Math.min(...rows.map(({ meanMs }) => meanMs).filter((ms) => !Number.isNaN(ms))),
  );
  const ofPith = shareNames.map((share) => rowOf(`Pith, ${share}`, share, outcomes));
  const rows = [
    ...llamas.flat(),
    ...ofPith.map((row) => ({
      ...row,
      fasterThanCold: rounded((cold ?? Number.NaN) / row.meanMs),
      fasterThanPromptCache: rounded((cached ?? Number.NaN) / row.meanMs),
    })),
  ];
  const mean = (read: (outcome: Outcome) => number) => sumOf(outcomes.map(read)) / outcomes.length;
  const facts = {
    edits: outcomes.length,
    rawTokens: mean((each) => each.rawTokens),
    positions: outcomes[0]?.positions,
    computed: outcomes[0]?.computed,
    encodingMs: mean(({ encoding }) => encoding.ms),
    encodingPositions: mean(({ encoding }) => encoding.computed),
    lookUpMs: mean(({ lookUpMs }) => lookUpMs),
    othersBusy: mean(({ othersBusy }) => othersBusy ?? Number.NaN),
  };
  console.log(
    `\n${id}: ms to the first token after an edit in span ${spans.map((span) => span + 1)}`,
  );
  console.table(
    rows.map(({ msOf, ...row }) => ({ ...row, msOf: msOf.map(Math.round).join(", ") })),
  );
  console.log(facts);
  return { rows, ...facts };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0);
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
