// Text that ends inside a token: how often the rest of the line is reproduced from the unbroken prompt
// and from the cut one, without alignment, with one token healed (the rule of transformers' token
// healing), with token alignment and with exact prefix conditioning; and what each costs. The goals:
// 99 % of the unbroken accuracy with `exact` and 95 % with `token`, over all cases; at most one extra
// run and 20 % of the time of a line of ten tokens for `exact`, at most three regenerated tokens for
// `token`.
// Flags: --model ID (default both), --case NAME (default all), --pairs N (a case, default 100),
// --threads N, --timed N (every so many pairs, default 4; 0: none), --cold (every prompt from an empty
// cache), --minutes N (stops after so long), --keep FILE (JSON lines, an answered pair each; what is
// there is not asked again).
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Engine } from "../../sidecar/engine/engine.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { preparedModel, type RealModelId } from "../support/weights.ts";
import { cases, makePairs, type Pair } from "./alignment-pairs.ts";
import { printAccuracy, printCosts, type Solved } from "./alignment-report.ts";
import { PairSolver } from "./alignment-solver.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", multiple: true, default: ["smollm2-135m", "qwen2.5-coder-0.5b"] },
    case: { type: "string", multiple: true, default: [...cases] },
    pairs: { type: "string", default: "100" },
    threads: { type: "string", default: "2" },
    timed: { type: "string", default: "4" },
    cold: { type: "boolean", default: false },
    minutes: { type: "string", default: "Infinity" },
    keep: { type: "string" },
  },
});
const deadlineMs = performance.now() + Number(values.minutes) * 60_000;

for (const id of values.model) {
  const solved = await measure(id as RealModelId);
  console.log(`\n${id}, ${values.threads} threads, ${solved.length} pairs`);
  const accuracy = printAccuracy(solved);
  const costs = printCosts(solved);
  console.log(JSON.stringify({ bench: "alignment", model: id, accuracy, costs }));
}

/** Solves the pairs that the file of kept ones lacks, while there is time. */
async function measure(id: RealModelId): Promise<Solved[]> {
  const prepared = await preparedModel(id, "lossless");
  const tokenizer = Tokenizer.create(prepared.vocabulary);
  const engine = await Engine.load(prepared.engine, { threads: Number(values.threads) });
  const solver = new PairSolver(engine, tokenizer, {
    isCold: values.cold,
    pairsToOneTimed: Number(values.timed),
  });
  const pairs = makePairs(tokenizer, Number(values.pairs)).filter(({ kind }) =>
    values.case.includes(kind),
  );
  const known = new Map(readKept(id).map((each) => [keyOf(each.pair), each]));
  const solved: Solved[] = [];
  for (const pair of pairs) {
    const found = known.get(keyOf(pair));
    if (found === undefined && performance.now() > deadlineMs) continue;
    const each = found ?? (await solver.solve(pair));
    solved.push(each);
    if (found === undefined && values.keep !== undefined)
      appendFileSync(values.keep, `${JSON.stringify({ model: id, ...each })}\n`);
  }
  await engine.dispose();
  tokenizer.dispose();
  return solved;
}

function readKept(id: string): Solved[] {
  if (values.keep === undefined || !existsSync(values.keep)) return [];
  const lines = readFileSync(values.keep, "utf8").split("\n");
  const records = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  return records.filter(({ model }) => model === id);
}

function keyOf({ kind, cut, rest }: Pair): string {
  return JSON.stringify([kind, cut, rest]);
}
