// Single-line infilling on 50 tasks, beside llama.cpp on the same GGUF with the same template. Judged
// by execution (python3, node) and by equality with the line that was taken out. The goal is at most
// one task fewer than llama.cpp.
//
// Every prompt ends with a line end, which some tokenizers join with the indentation that follows
// (SmolLM2's): then it ends inside a token. --ways names what is compared: "off", "token" and "exact"
// are alignment settings, "trimmed" leaves the line end off by hand and wants it at the answer's
// beginning. The goal there is that "exact" passes no fewer tasks than "trimmed".
// Flags: --model ID, --variant NAME, --threads N, --ways NAME… (default off), --alone (without the peer).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { AlignmentSetting } from "../../sidecar/alignment/align.ts";
import type { Variant } from "../../sidecar/model/manifest.ts";
import { openModel } from "../../sidecar/service.ts";
import { type RealModelId, realWeights } from "../support/weights.ts";
import { type InfillTask, loadInfillTasks, passes } from "./infill-task.ts";
import { type Infiller, openLlamaInfiller } from "./llama-infill.ts";

interface Outcome {
  readonly text: string;
  readonly isExact: boolean;
  readonly isPassed: boolean;
}

const maxTokens = 64;
const { values } = parseArgs({
  options: {
    model: { type: "string", default: "qwen2.5-coder-0.5b" },
    variant: { type: "string" },
    threads: { type: "string", default: "2" },
    ways: { type: "string", multiple: true, default: ["off"] },
    alone: { type: "boolean", default: false },
  },
});
const threads = Number(values.threads);
const weights = await realWeights(values.model as RealModelId);
const folder = await mkdtemp(join(tmpdir(), "pith-infill-"));
try {
  const tasks = await loadInfillTasks();
  await checkTasks(tasks);
  const infillers = await openPithInfillers();
  if (!values.alone) infillers.push(await openLlamaInfiller(weights, { threads, maxTokens }));
  const outcomes = await solveInTurns(infillers, tasks);
  for (const infiller of infillers) await infiller.close();
  printScores(infillers, tasks, outcomes);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A task is one only if its own line passes and a missing line does not. */
async function checkTasks(tasks: readonly InfillTask[]): Promise<void> {
  for (const task of tasks) {
    if (!(await passes(task, task.line, folder)))
      throw new Error(`infill task ${task.id}: its own line fails`);
    if (await passes(task, "", folder))
      throw new Error(`infill task ${task.id}: passes without the line "${task.line.trim()}"`);
  }
}

async function openPithInfillers(): Promise<Infiller[]> {
  const variant = values.variant as Variant | undefined;
  const model = await openModel({ model: weights, home: "", threads, variant });
  if (model === null) throw new Error(`bench: ${weights} is not there`);
  const greedy = { temperature: 0, topP: 1, seed: 1, maxTokens };
  const complete = (alignment: AlignmentSetting) => async (prefix: string, suffix: string) =>
    (await model.complete({ prefix, suffix, stop: ["\n"], ...greedy, alignment })).text;
  const completeTrimmed = async (prefix: string, suffix: string) => {
    const request = { prefix: prefix.replace(/\n$/, ""), suffix, stop: [], ...greedy };
    const { text } = await model.complete({ ...request, alignment: "off" });
    return text.startsWith("\n") ? (text.split("\n")[1] ?? "") : "";
  };
  return values.ways.map((way, index) => ({
    name: `Pith, ${way}`,
    complete: way === "trimmed" ? completeTrimmed : complete(way as AlignmentSetting),
    close: async () => {
      if (index === values.ways.length - 1) await model.dispose();
    },
  }));
}

/** Prints each task as it is answered, since all of them take minutes. */
async function solveInTurns(
  infillers: readonly Infiller[],
  tasks: readonly InfillTask[],
): Promise<Outcome[][]> {
  const outcomes: Outcome[][] = infillers.map(() => []);
  for (const task of tasks) {
    console.log(`${task.id} (${task.language}): ${task.line.trim()}`);
    for (const [index, infiller] of infillers.entries()) {
      const text = await infiller.complete(task.prefix, task.suffix);
      const isExact = text.trim() === task.line.trim();
      const isPassed = await passes(task, text, folder);
      outcomes[index]?.push({ text, isExact, isPassed });
      const verdict = isExact ? "exact " : isPassed ? "passed" : "FAILED";
      console.log(
        `  ${verdict} ${infiller.name.padEnd(16)} ${isExact ? "" : text.trim()}`.trimEnd(),
      );
    }
  }
  return outcomes;
}

function printScores(
  infillers: readonly Infiller[],
  tasks: readonly InfillTask[],
  outcomes: readonly Outcome[][],
): void {
  const scores = infillers.map(({ name }, engine) => {
    const own = outcomes[engine] ?? [];
    const passed = own.filter(({ isPassed }) => isPassed).length;
    const passedPython = own.filter(
      ({ isPassed }, index) => isPassed && tasks[index]?.language === "python",
    ).length;
    return { name, exact: own.filter(({ isExact }) => isExact).length, passed, passedPython };
  });
  console.log(`\n${"".padEnd(16)} tasks  exact  passed  (Python, TypeScript and JavaScript)`);
  for (const { name, exact, passed, passedPython } of scores) {
    const cells = [String(tasks.length).padStart(5), String(exact).padStart(5)];
    const split = `(${passedPython}, ${passed - passedPython})`;
    console.log(`${name.padEnd(16)} ${cells.join("  ")}  ${String(passed).padStart(6)}  ${split}`);
  }
  const [pith] = scores;
  const llama = values.alone ? undefined : scores.at(-1);
  const sameText = tasks.filter(
    (_, index) => outcomes[0]?.[index]?.text === outcomes.at(-1)?.[index]?.text,
  ).length;
  const compared = pith && llama && { sameText, isMet: pith.passed >= llama.passed - 1 };
  console.log(JSON.stringify({ model: values.model, tasks: tasks.length, scores, ...compared }));
}
