// Every file of test/cases/ is a case: a document, what was written at its cursor, and what has to
// be shown.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { languageOf } from "../sidecar/workspace/syntax/languages.ts";
import { type Case, parseCase, type Step } from "./support/case-file.ts";
import { CaseRunner, type Suggestion, typeOver } from "./support/case-run.ts";
import { ErrorCounter } from "./support/parsed-code.ts";

const folder = "test/cases";
const runner = new CaseRunner();
const errors = new ErrorCounter();
after(() => runner.close());

for (const name of caseNames())
  test(name, async () => {
    const file = join(folder, name);
    const each = parseCase(file, readFileSync(file, "utf8"));
    await checkCase(each, await runner.suggest(each));
  });

async function checkCase(each: Case, suggestion: Suggestion): Promise<void> {
  let document = each;
  let shown = suggestion;
  for (const step of each.steps) {
    if (step.typed !== "") {
      shown = typeOver(document, shown, step.typed);
      document = { ...document, prefix: document.prefix + step.typed };
    }
    await checkStep(document, step, shown);
  }
}

async function checkStep(document: Case, step: Step, { text, replaced }: Suggestion) {
  const { prefix, suffix } = document;
  const accepted = prefix + text + suffix.slice(replaced);
  checkOneOf("shown", text, step.shown);
  checkOneOf("after accepting", accepted, step.after);
  for (const pattern of step.notShown)
    assert.doesNotMatch(text, pattern, `${JSON.stringify(text)} is shown`);
  if (!step.isWhole) return;
  const { grammar } = languageOf(document.path);
  assert.ok(grammar !== null, `there is no grammar for ${document.path}`);
  const before = await errors.count(grammar, prefix + suffix);
  const behind = await errors.count(grammar, accepted);
  assert.ok(behind <= before, `${before} errors became ${behind} in\n${accepted}`);
}

function checkOneOf(what: string, actual: string, expected: readonly string[]): void {
  if (expected.length === 1) assert.equal(actual, expected[0], what);
  else if (expected.length > 1)
    assert.ok(
      expected.includes(actual),
      `${what}: ${JSON.stringify(actual)} is none of those named`,
    );
}

function caseNames(): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".case"))
    .sort();
}

const head = "path: a.ts\n";
const document = "--- document\nf(‸)\n";
const generated = "--- generated\na\n";
const malformed: [label: string, text: string, message: RegExp][] = [
  [
    "a line of the head that is none",
    `${head}paths: b\n${document}`,
    /^a\.case:2: "paths: b" is no/,
  ],
  ["a section that is none", `${head}${document}--- show\n`, /^a\.case:4: "show" is none of/],
  ["no document", `${head}${generated}`, /^a\.case:1: there is no section "document"/],
  ["no cursor", `${head}--- document\nf()\n${generated}`, /^a\.case:2: the document has 0 of ‸/],
  ["two cursors", `${head}--- document\n‸f(‸)\n${generated}`, /^a\.case:2: the document has 2/],
  ["two documents", `${head}${document}${document}`, /^a\.case:4: there is a second section/],
  ["no path", `${document}${generated}--- shown\n`, /^a\.case:1: the head has no "path"/],
  ["neither a text nor a model", `${head}${document}--- shown\n`, /^a\.case:1: either the head/],
  ["nothing to hold", `${head}${document}${generated}`, /nothing is said of what has to hold/],
  [
    "nothing to hold once typed",
    `${head}${document}${generated}--- shown\na\n--- typed\na\n`,
    /^a\.case:8: nothing/,
  ],
  [
    "a value that is none",
    `${head}cut: no\n${document}${generated}--- shown\n`,
    /^a\.case:2: "cut" is "no", not yes/,
  ],
];
for (const [label, text, message] of malformed)
  test(`a malformed case says where: ${label}`, () => {
    assert.throws(() => parseCase("a.case", text), { message });
  });
