// How often accepting what is shown leaves a file with more syntax errors than it had: the 0.5B at
// gaps in real code in thirteen languages (syntax-places.ts), with the closers behind the cursor
// that an editor inserts; errors are tree-sitter's, of the whole file.
// Flags: --seed N; --limit N: places of a language; --count N: places asked in this run, the others
// later; --record FILE: what was written and shown, goes on where it was left; --baseline FILE: the
// record of another version: how many of those shown there are shown still; --texts FILE: what was
// written, as test/completion/syntax-places.test.ts reads it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { pickSyntaxPlaces, type SyntaxPlace } from "../support/syntax-places.ts";
import { printTable, type Row, summarise } from "./syntax-report.ts";
import { type SyntaxResult, SyntaxTrial } from "./syntax-trial.ts";

type SyntaxRecord = Record<string, SyntaxResult>;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "2" },
    limit: { type: "string", default: "1000" },
    count: { type: "string", default: "1000" },
    record: { type: "string" },
    baseline: { type: "string" },
    texts: { type: "string" },
  },
});
const places = firstOfEach(await pickSyntaxPlaces(Number(values.seed)), Number(values.limit));
const record: SyntaxRecord = readRecord(values.record);
const trial = await SyntaxTrial.open();
for (const place of places.filter(({ id }) => !(id in record)).slice(0, Number(values.count))) {
  record[place.id] = await trial.run(place);
  if (values.record !== undefined) writeFileSync(values.record, JSON.stringify(record, null, 1));
}
const baseline = values.baseline === undefined ? null : readRecord(values.baseline);
const rows = places.flatMap((place): Row[] => {
  const result = record[place.id];
  return result === undefined ? [] : [{ place, result, baseline: baseline?.[place.id] ?? null }];
});
printTable(rows, ({ place }) => place.language);
printTable(rows, ({ place }) => place.kind);
if (values.texts !== undefined) writeFileSync(values.texts, writeTexts(rows));
await trial.close();
console.log(JSON.stringify({ seed: Number(values.seed), ...summarise(rows) }));

function readRecord(file: string | undefined): SyntaxRecord {
  if (file === undefined || !existsSync(file)) return {};
  return JSON.parse(readFileSync(file, "utf8")) as SyntaxRecord;
}

function firstOfEach(all: readonly SyntaxPlace[], limit: number): SyntaxPlace[] {
  const counts = new Map<string, number>();
  return all.filter(({ language }) => {
    const count = counts.get(language) ?? 0;
    counts.set(language, count + 1);
    return count < limit;
  });
}

/** A line a place, so that a change of one is seen. */
function writeTexts(rows: readonly Row[]): string {
  const lines = rows.map(({ place, result: { generated, isCut }, baseline }) => {
    const wasShown = (baseline?.shown ?? "") !== "";
    const text = { generated, ...(isCut ? { isCut } : {}), ...(wasShown ? { wasShown } : {}) };
    return `${JSON.stringify(place.id)}: ${JSON.stringify(text)}`;
  });
  return `{\n"seed": ${Number(values.seed)},\n"written": {\n${lines.join(",\n")}\n}\n}\n`;
}
