// The moved suffix on the real model, a small version of test/bench/suffix.bench.ts: few enough
// places for every run, and bounds that a broken way of moving misses by far.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../../sidecar/engine/engine.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { type SuffixTrace, summarise, traceSuffixes } from "../bench/suffix-agreement.ts";
import { preparedModel } from "../support/weights.ts";

test("behind a moved suffix the 0.5B writes what it writes behind a fresh one", async () => {
  const model = await preparedModel("qwen2.5-coder-0.5b", "lossless");
  const engine = await Engine.load(model.engine, { threads: 2 });
  const tokenizer = Tokenizer.create(model.vocabulary);
  const traces: SuffixTrace[] = [];
  const options = { count: 8, typed: { from: 1, to: 16 } };
  for await (const trace of traceSuffixes({ engine, tokenizer }, options)) traces.push(trace);
  const { agreement, nllChange } = summarise(traces);
  assert.ok(agreement >= 0.75, `the best next token agrees at ${agreement} of the places`);
  assert.ok(Math.abs(nllChange) < 0.1, `the negative log-likelihood changes by ${nllChange}`);
  tokenizer.dispose();
  await engine.dispose();
});
