// Requests through the bundled `pith batch`, and what came of them.
import assert from "node:assert/strict";
import type { StageTimes } from "../../sidecar/completion/request.ts";
import type { TokenCounts } from "../../sidecar/protocol.ts";
import { parseLines, runPith } from "./run-pith.ts";

export interface Answer {
  id: string | number | null;
  line?: number;
  text?: string;
  finish?: string;
  alignment?: { way: string; keptTokens: number; tail: string; ids: number[]; logWeight: number };
  nll?: number;
  targetTokens?: number;
  selected?: { kind: string; index: number; score: number; positions: number }[];
  ids?: number[];
  pieces?: string[];
  tokens?: TokenCounts;
  ms?: StageTimes & { load: number };
  error?: { kind: string; message: string };
}

/** Every line is answered. */
export async function checkBatch(
  lines: readonly (object | string)[],
  model = "smollm2-135m",
  flags: readonly string[] = [],
) {
  const input = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  const { code, stdout, stderr } = await runPith(["batch", "--model", model, ...flags], {
    input: input.join("\n"),
  });
  assert.equal(code, 0, stderr);
  return parseLines<Answer>(stdout);
}
