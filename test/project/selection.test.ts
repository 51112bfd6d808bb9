// What is selected: which demonstrations, how a budget is shared out, in which order it is laid.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { FolderIndex } from "../../sidecar/project/folder-index.ts";
import {
  type Candidate,
  candidatesFor,
  describeMemory,
  type Pieces,
  planMemories,
  sharesOf,
} from "../../sidecar/project/selection.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

/** One piece a text, one token a character. */
const pieces: Pieces = {
  piecesOf: async ({ text }) => [idsOf(text)],
  piecesOfDemonstrations: async (texts) => [[idsOf(texts.join("\n"))]],
};

const files = {
  ".git/HEAD": "",
  "all.pith.md": "for all languages\n",
  "typescript.pith.md":
    "---\nlanguage: typescript\n---\nMail parcel\n=>\nmailParcel();\n***\nWeigh\n",
  "python.pith.md": "---\nlanguage: python\n---\nfor python\n",
  "parcel.ts": "export function mailParcel(): void {}\n",
  "here.ts": "",
};
const cutting = { countTokens: (text: string) => text.length, limit: 128 };
const near = { path: "here.ts", before: "mailParcel", after: "" };

async function candidatesIn(
  context: TestContext,
  languageId: string,
  path = near.path,
): Promise<Candidate[]> {
  const folder = await scratchFolder(context, files);
  const index = await FolderIndex.open(folder, { cutting, exclude: [] });
  await index.readRest(() => {});
  return candidatesFor({ ...near, path, languageId }, index, pieces);
}

const languages: [language: string, paths: string[]][] = [
  ["typescript", ["all.pith.md", "typescript.pith.md"]],
  ["python", ["all.pith.md", "python.pith.md"]],
  ["rust", ["all.pith.md"]],
];
for (const [language, paths] of languages) {
  test(`in ${language} its own demonstrations are offered and those of all`, async (context) => {
    const candidates = await candidatesIn(context, language);
    const offered = candidates.filter(({ kind }) => kind === "demonstration");
    assert.deepEqual(offered.map(({ path }) => path).sort(), paths);
  });
}

test("a demonstration file that is being written is not offered to itself", async (context) => {
  const candidates = await candidatesIn(context, "typescript", "all.pith.md");
  assert.deepEqual(
    candidates.map(({ path }) => path),
    ["typescript.pith.md", "parcel.ts"],
  );
});

test("demonstrations come first and are as likely as the best span; what is alike comes last in its file", async (context) => {
  const candidates = await candidatesIn(context, "typescript");
  const kinds = candidates.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["demonstration", "demonstration", "span"]);
  const best = Math.max(...candidates.map(({ chance }) => chance));
  for (const { kind, chance } of candidates)
    if (kind === "demonstration") assert.equal(chance, best);
  const [own] = candidates;
  assert.equal(own?.text, "Weigh\nMail parcel\nmailParcel();");
  assert.deepEqual([own?.startLine, own?.endLine], [3, 8]);
});

const candidates = fc.array(
  fc.record({
    kind: fc.constantFrom("span" as const, "demonstration" as const),
    path: fc.constant("a.ts"),
    startLine: fc.constant(0),
    endLine: fc.constant(1),
    text: fc.constant(""),
    language: fc.constant("typescript"),
    pieces: fc.array(fc.array(fc.nat(300), { minLength: 1, maxLength: 40 }), {
      ...{ minLength: 1, maxLength: 3 },
    }),
    score: fc.constant(0),
    places: fc.constant({}),
    chance: fc.double({ min: 0.001, max: 1, noNaN: true }),
  }),
  { maxLength: 12 },
);
const options = fc.record({ budget: fc.nat(400), finestRatio: fc.constantFrom(1, 24) });

test("a plan spends at most the budget, and says of every candidate what becomes of it", () => {
  fc.assert(
    fc.property(candidates, options, (offered, { budget, finestRatio }) => {
      const planned = planMemories(offered, { budget, finestRatio });
      assert.deepEqual(
        planned.map(({ candidate }) => candidate),
        offered,
      );
      const described = planned.map(describeMemory);
      const spent = described.reduce((sum, { positions }) => sum + positions, 0);
      assert.ok(spent <= budget, `${spent} of ${budget}`);
      for (const { outcome, positions, tokens } of described) {
        assert.equal(positions === 0, outcome === "no-room");
        assert.equal(positions === tokens, outcome === "whole");
        if (finestRatio === 1) assert.notEqual(outcome, "compressed");
      }
    }),
  );
});

test("demonstrations are laid in front of spans, of each kind the best last", () => {
  fc.assert(
    fc.property(candidates, (offered) => {
      const planned = planMemories(offered, { budget: 10_000, finestRatio: 1 });
      const laid = sharesOf(planned).map(({ ids }) => ids);
      const ofKind = (kind: Candidate["kind"]) =>
        offered.filter((each) => each.kind === kind).toReversed();
      const wanted = [...ofKind("demonstration"), ...ofKind("span")];
      assert.deepEqual(
        laid,
        wanted.flatMap((each) => each.pieces),
      );
    }),
  );
});

function idsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}
