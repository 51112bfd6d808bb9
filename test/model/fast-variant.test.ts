// `--variant fast` from the command line to the text, on real weights.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { parseLines, runPith } from "../cli/run-pith.ts";
import { realWeights } from "../support/weights.ts";

interface Answer {
  readonly text?: string;
  readonly nll?: number;
}

const prefix = "def add(a, b):\n    return";

before(() => realWeights("smollm2-135m"));

test("the fast variant completes, and its NLL is near that of the lossless one", async () => {
  const [fast, lossless] = [await answersOf("fast"), await answersOf("lossless")];
  assert.equal(fast.text, " a + b");
  // Another variant, and not the same one under another name.
  assert.notEqual(fast.nll, lossless.nll);
  assert.ok(Math.abs(fast.nll / lossless.nll - 1) < 0.05, `${fast.nll} and ${lossless.nll} nats`);
});

async function answersOf(variant: string): Promise<{ text: string; nll: number }> {
  const requests = [
    { id: 1, op: "complete", prefix, maxTokens: 8, stop: ["\n"] },
    { id: 2, op: "score", prefix, target: " a + b\n\n\ndef subtract(a, b):\n    return a - b\n" },
  ];
  const { code, stdout, stderr } = await runPith(
    ["batch", "--model", "smollm2-135m", "--variant", variant],
    { input: requests.map((request) => JSON.stringify(request)).join("\n") },
  );
  assert.equal(code, 0, stderr);
  const [completion, score] = parseLines<Answer>(stdout);
  return { text: completion?.text ?? "", nll: score?.nll ?? Number.NaN };
}
