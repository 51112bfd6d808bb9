// Recall of the rankers: how often the span that holds the needed definition is among the best 1, 4,
// 8 and 16 of all spans of a package's other files. No model runs; the 0.5B's tokenizer counts.
// Flags: --split validation|test, --count N (samples of each kind and package).
import { parseArgs } from "node:util";
import { createRandom } from "../../sidecar/engine/random.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { realVocabulary } from "../support/vocabularies.ts";
import { sourcePackages } from "./cross-file-packages.ts";
import { makeRankers } from "./selection-rankers.ts";
import { type Kind, readPackage, tokensOf } from "./selection-samples.ts";

const { values } = parseArgs({
  options: {
    split: { type: "string", default: "validation" },
    count: { type: "string", default: "12" },
  },
});
const depths = [1, 4, 8, 16];
const resamples = 2_000;

/** The place of the needed span from 0, Infinity where the ranker does not know it. */
interface Result {
  readonly kind: Kind;
  readonly place: number;
}

const tokenizer = Tokenizer.create(await realVocabulary("qwen2.5-coder-0.5b"));
const tokens = tokensOf(tokenizer);
const results = new Map<string, Result[]>();
for (const source of sourcePackages.filter(({ split }) => split === values.split)) {
  const found = await readPackage(source, tokens, Number(values.count));
  console.log(`${found.name}: ${found.samples.length} samples, ${found.spans.length} spans`);
  for (const [name, rank] of Object.entries(makeRankers(found))) {
    const list = results.get(name) ?? [];
    results.set(name, list);
    for (const sample of found.samples) {
      const place = rank(sample).indexOf(sample.needed);
      list.push({ kind: sample.kind, place: place < 0 ? Number.POSITIVE_INFINITY : place });
    }
  }
}
tokenizer.dispose();

const samples = [...results.values()][0] ?? [];
const named = samples.filter(({ kind }) => kind === "named").length;
console.log(`\n${samples.length} samples, ${named} named and ${samples.length - named} unnamed`);
console.log(
  `| | ${depths.map((depth) => `at ${depth}`).join(" | ")} | named, at 8 | unnamed, at 8 |`,
);
console.log(`| --- |${" --- |".repeat(depths.length + 2)}`);
for (const [name, list] of results) {
  const columns = depths.map((depth) => recallWithInterval(list, depth));
  for (const kind of ["named", "unnamed"])
    columns.push(
      recallWithInterval(
        list.filter((result) => result.kind === kind),
        8,
      ),
    );
  console.log(`| ${name} | ${columns.join(" | ")} |`);
}
const recalls = [...results].map(([name, list]) => [
  name,
  depths.map((depth) => recall(list, depth)),
]);
console.log(
  JSON.stringify({
    split: values.split,
    samples: samples.length,
    depths,
    recalls: Object.fromEntries(recalls),
  }),
);

function recall(list: readonly Result[], depth: number): number {
  return list.filter(({ place }) => place < depth).length / list.length;
}

/** In percent, with a 95 % interval by resampling the samples. */
function recallWithInterval(list: readonly Result[], depth: number): string {
  const random = createRandom(1);
  const drawn = Array.from({ length: resamples }, () =>
    recall(
      list.map(() => list[Math.floor(random() * list.length)] ?? { kind: "named", place: 0 }),
      depth,
    ),
  ).sort((a, b) => a - b);
  const at = (share: number): number => drawn[Math.floor(share * resamples)] ?? Number.NaN;
  const percent = (value: number): string => (100 * value).toFixed(0);
  return `${percent(recall(list, depth))} (${percent(at(0.025))} to ${percent(at(0.975))})`;
}
