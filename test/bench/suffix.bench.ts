// The check of the one approximation on the real 0.5B: at 200 places in real code,
// behind 1 to 16 typed tokens, moved suffix rows against rows run again. Accepted from 98 % equal
// best next tokens and within 1 % of the negative log-likelihood of the true rest of the line.
// Flags: --count N, --from N, --to N (typed tokens), --fresh N (suffix ids run at every keystroke).
import { parseArgs } from "node:util";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { defaultThreadCount } from "../../sidecar/engine/threads.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { preparedModel } from "../support/weights.ts";
import { type SuffixTrace, summarise, traceSuffixes } from "./suffix-agreement.ts";

const { suffix } = defaults;
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    to: { type: "string", default: `${suffix.movedTokens}` },
    fresh: { type: "string", default: `${suffix.freshTokens}` },
  },
});
const typed = { from: Number(values.from), to: Number(values.to) };
const model = await preparedModel("qwen2.5-coder-0.5b", "lossless");
const engine = await Engine.load(model.engine, { threads: defaultThreadCount() });
const tokenizer = Tokenizer.create(model.vocabulary);
const options = { count: Number(values.count), typed, freshTokens: Number(values.fresh) };
const traces: SuffixTrace[] = [];
for await (const trace of traceSuffixes({ engine, tokenizer }, options)) traces.push(trace);

const quarter = (typed.to - typed.from + 1) / 4;
for (let part = 0; part < 4; part += 1) {
  const from = typed.from + part * quarter;
  print(traces.filter((trace) => trace.typed >= from && trace.typed < from + quarter));
}
print(traces);
console.log(JSON.stringify({ ...options, ...summarise(traces) }));
tokenizer.dispose();
await engine.dispose();

function print(part: readonly SuffixTrace[]): void {
  const counts = part.map((trace) => trace.typed);
  const { agreement, nllChange } = summarise(part);
  console.log(
    [
      `${Math.min(...counts)} to ${Math.max(...counts)} typed tokens`,
      `${part.length} places`,
      `best token equal ${(100 * agreement).toFixed(1)} %`,
      `negative log-likelihood ${(100 * nllChange).toFixed(2)} %`,
    ].join(", "),
  );
}
