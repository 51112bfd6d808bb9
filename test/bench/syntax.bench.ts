// How often accepting what is shown leaves a file with more syntax errors than it had: the 0.5B at
// gaps in real code in thirteen languages (syntax-places.ts), with the closers behind the cursor
// that an editor inserts; errors are tree-sitter's, of the whole file. Flags: --seed N, --limit N
// (places of a language), --count N (asked in this run), --record FILE (what was
// written and shown), --baseline FILE (a record: how many shown there are shown still).
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
console.log(JSON.stringify({ seed: Number(values.seed), ...summarise(rows) }));
process.exit(0);

/** A record goes on where it was left. */
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
