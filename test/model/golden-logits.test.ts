// The real models against golden logits of an independent forward pass (test/golden/logits).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { Engine } from "../../sidecar/engine/engine.ts";
import { bestId, logProbability } from "../../sidecar/engine/sampler.ts";
import type { PreparedModel } from "../../sidecar/model/prepare.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { exactModel, preparedModel, type RealModelId } from "../support/weights.ts";

interface Golden {
  readonly ids: readonly number[];
  /** Per position. */
  readonly logSumExp: readonly number[];
  /** Of the next id, in nats: one fewer than positions. */
  readonly nll: readonly number[];
  /** Per position the 20 best ids, best first, and their logits. */
  readonly bestIds: readonly (readonly number[])[];
  readonly bestLogits: readonly (readonly number[])[];
}

/** How far a form of the model may be from the golden logits, over all texts together. */
interface Tolerance {
  /** Greatest difference of one of the 20 best logits. */
  readonly logit: number;
  /** Mean over positions of the KL divergence, in nats. */
  readonly divergence: number;
  /** Share of positions with the same best id. */
  readonly sameBest: number;
  /** Relative difference of the mean NLL. */
  readonly nll: number;
}

interface Form {
  readonly label: string;
  readonly open: (id: RealModelId) => Promise<PreparedModel>;
  readonly tolerance: Tolerance;
}

const modelIds: readonly RealModelId[] = ["smollm2-135m", "qwen2.5-coder-0.5b"];
const texts = ["python", "typescript", "prose"];

const forms: readonly Form[] = [
  {
    // The codes of the file and float32 sums: what is left is rounding (8e-5 measured), and that of
    // the goldens to five decimals.
    label: "lossless weights and float32 products",
    open: exactModel,
    tolerance: { logit: 5e-4, divergence: 2e-6, sameBest: 1, nll: 1e-5 },
  },
  {
    // Inputs of products are rounded to 8 bits, a scale a block of 32, as llama.cpp does. Measured
    // 0.9, 0.003, 0.970, 0.0006 on the 135M: where two ids are almost equal, either may win, and so
    // few positions say little; the agreement benchmark compares 2,000.
    label: "the lossless variant",
    open: (id) => preparedModel(id, "lossless"),
    tolerance: { logit: 1.5, divergence: 0.01, sameBest: 0.95, nll: 0.005 },
  },
  {
    // Inputs have a scale a block of up to 128, so their rounding counts for more than that of the
    // weights. Measured 2.3, 0.007, 0.940, 0.008 on the 135M and 0.6, 0.0014, 0.987, 0.003 on the 0.5B.
    label: "the fast variant",
    open: (id) => preparedModel(id, "fast"),
    tolerance: { logit: 3.5, divergence: 0.015, sameBest: 0.91, nll: 0.015 },
  },
];

for (const id of modelIds)
  for (const { label, open, tolerance } of forms)
    test(`${id}: ${label} gives the golden logits`, async (context) => {
      const prepared = await open(id);
      const tokenizer = Tokenizer.create(prepared.vocabulary);
      const engine = await Engine.load(prepared.engine, { threads: 2 });
      try {
        const rows = [];
        for (const text of texts) rows.push(...(await compare({ engine, tokenizer }, id, text)));
        checkRows(context, rows, tolerance);
      } finally {
        tokenizer.dispose();
        await engine.dispose();
      }
    });

interface Row {
  readonly logit: number;
  readonly divergence: number;
  readonly isSameBest: boolean;
  /** The golden one and ours; null at the last position. */
  readonly nll: readonly [number, number] | null;
}

async function compare(
  { engine, tokenizer }: { engine: Engine; tokenizer: Tokenizer },
  model: RealModelId,
  text: string,
): Promise<Row[]> {
  const golden = readGolden(model, text);
  const source = readFileSync(`test/golden/logits/${text}.txt`, "utf8");
  assert.deepEqual([...tokenizer.encode(source)], golden.ids);
  assert(golden.ids.length >= 24 && golden.ids.length <= 64, `${golden.ids.length} tokens`);
  const cache = engine.createCache(golden.ids.length);
  const { logits } = await engine.run(cache, golden.ids, { logitsAt: "all" });
  const size = engine.shape.vocabularySize;
  return golden.ids.map((_, row) =>
    compareRow(golden, row, logits.subarray(row * size, (row + 1) * size)),
  );
}

function compareRow(golden: Golden, row: number, logits: Float32Array): Row {
  const bestIds = golden.bestIds[row] ?? [];
  const bestLogits = golden.bestLogits[row] ?? [];
  const expected = bestLogits.map((logit) => logit - (golden.logSumExp[row] ?? Number.NaN));
  const found = bestIds.map((id) => logProbability(logits, id));
  const next = golden.ids[row + 1];
  return {
    logit: Math.max(
      ...bestIds.map((id, at) => Math.abs((logits[id] ?? 0) - (bestLogits[at] ?? 0))),
    ),
    divergence: coarseDivergence(expected, found),
    isSameBest: bestId(logits) === bestIds[0],
    nll: next === undefined ? null : [golden.nll[row] ?? 0, -logProbability(logits, next)],
  };
}

/**
 * KL divergence from log-probabilities of the same few events, all other events being one: a lower
 * bound of the full divergence, which the 20 best logits alone allow to compute.
 */
function coarseDivergence(expected: readonly number[], found: readonly number[]): number {
  const rest = (logs: readonly number[]) =>
    Math.log(Math.max(1 - logs.reduce((sum, each) => sum + Math.exp(each), 0), 1e-12));
  const [all, other] = [
    [...expected, rest(expected)],
    [...found, rest(found)],
  ];
  return all.reduce((sum, each, at) => sum + Math.exp(each) * (each - (other[at] ?? 0)), 0);
}

function checkRows(context: TestContext, rows: readonly Row[], tolerance: Tolerance): void {
  const scored = rows.flatMap(({ nll }) => (nll === null ? [] : [nll]));
  const expected = mean(scored.map(([golden]) => golden));
  const measured: Tolerance = {
    logit: Math.max(...rows.map(({ logit }) => logit)),
    divergence: mean(rows.map(({ divergence }) => divergence)),
    sameBest: mean(rows.map(({ isSameBest }) => Number(isSameBest))),
    nll: Math.abs(mean(scored.map(([, own]) => own)) / expected - 1),
  };
  const report = `${rows.length} positions: ${JSON.stringify(measured)}`;
  context.diagnostic(report);
  assert(measured.logit <= tolerance.logit, report);
  assert(measured.divergence <= tolerance.divergence, report);
  assert(measured.sameBest >= tolerance.sameBest, report);
  assert(measured.nll <= tolerance.nll, report);
}

function readGolden(model: RealModelId, text: string): Golden {
  return JSON.parse(readFileSync(`test/golden/logits/${model}.${text}.json`, "utf8"));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
