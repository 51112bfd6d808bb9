// A real file being typed, 300 keystrokes: positions computed and time to ghost text, beside
// llama.cpp with its own prompt cache on the same GGUF, the same prompts and as many threads. The
// two take turns keystroke by keystroke, so that what else the machine does falls on both.
// Flags: --model ID (again for more; both backbones), --keys N, --alone (without the peer).
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openFileSource } from "../../sidecar/gguf/byte-source.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { readVocabulary } from "../../sidecar/model/vocabulary.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { keystrokes } from "../support/keystroke-trace.ts";
import { type RealModelId, realWeights } from "../support/weights.ts";
import {
  askAll,
  type GhostText,
  type GhostTextSource,
  type KeystrokeFigures,
  type Question,
  summarise,
} from "./ghost-text.ts";
import { openLlama } from "./llama-ghost-text.ts";
import { openPith } from "./pith-ghost-text.ts";

// Both engines' threads go on looking for work for some milliseconds after a run.
const pauseMs = 60;
const goalsMs: Readonly<Record<RealModelId, number>> = {
  "smollm2-135m": 150,
  "qwen2.5-coder-0.5b": 400,
};
const columns = [
  "shown",
  "computed",
  "bound",
  "headBound",
  "promptRows",
  "generated",
  "reusedShare",
  "p50Ms",
  "p95Ms",
  "lineKeys",
  "lineP50Ms",
  "lineP95Ms",
] as const;

const { values } = parseArgs({
  options: {
    model: { type: "string", multiple: true },
    keys: { type: "string", default: "300" },
    alone: { type: "boolean", default: false },
  },
});
const results: Record<string, KeystrokeFigures[]> = {};
for (const id of Object.keys(goalsMs) as RealModelId[]) {
  if (values.model !== undefined && !values.model.includes(id)) continue;
  const figures = await traceModel(id, Number(values.keys));
  results[id] = figures;
  print(id, figures);
}
console.log(JSON.stringify(results));

async function traceModel(id: RealModelId, count: number): Promise<KeystrokeFigures[]> {
  const weights = await realWeights(id);
  const pith = await openPith(id);
  const { threads } = pith.model.facts;
  const tokenizer = await readTokenizer(weights);
  const sources: GhostTextSource[] = [pith];
  if (!values.alone) sources.push(await openLlama(weights, { threads, tokenizer }));
  const questions = askAll(tokenizer, keystrokes(count));
  const answers = await answerInTurns(sources, questions);
  for (const source of sources) await source.close();
  tokenizer.dispose();
  return sources.map(({ name }, index) => summarise(name, questions, answers[index] ?? []));
}

async function readTokenizer(weights: string): Promise<Tokenizer> {
  const source = await openFileSource(weights);
  const { metadata } = await parseHeader(source);
  await source.close();
  return Tokenizer.create(readVocabulary(metadata, source.name));
}

async function answerInTurns(
  sources: readonly GhostTextSource[],
  questions: readonly Question[],
): Promise<GhostText[][]> {
  const answers: GhostText[][] = sources.map(() => []);
  for (const question of questions) {
    for (const [index, source] of sources.entries()) {
      await sleep(pauseMs);
      answers[index]?.push(await source.complete(question));
    }
  }
  return answers;
}

function print(id: RealModelId, figures: readonly KeystrokeFigures[]): void {
  console.log(`\n${id}, goal ${goalsMs[id]} ms for a line`);
  for (const each of figures) {
    const cells = columns.map((column) => `${column} ${Number(each[column].toFixed(3))}`);
    console.log(`  ${each.name}: ${each.keys} keystrokes, ${cells.join(", ")}`);
  }
}
