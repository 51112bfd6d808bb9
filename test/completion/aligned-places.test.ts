// Alignment wherever a cursor can stand, through the completer on the tiny model: the tokens chosen
// for the typed end are those of plain runs from an empty cache, one for every way to write it, and
// what the cache holds changes nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { findCovers, pathTo } from "../../sidecar/alignment/covers.ts";
import { chooseCover, idsOf, likelyCovers } from "../../sidecar/alignment/exact.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { layOut, readLayout } from "../../sidecar/completion/layout.ts";
import type { CompletionRequest, InlineDocument } from "../../sidecar/completion/request.ts";
import { logNormaliser } from "../../sidecar/engine/sampler.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny();
});
after(() => tiny.close());

const request: Omit<CompletionRequest, "prefix"> = {
  maxTokens: 8,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 1,
  alignment: "exact",
};

const places: [label: string, prefix: string][] = [
  ["in a word", "let total = fo"],
  ["in a word at the start of a file", "re"],
  ["in white space at the start of a file", "  "],
  ["behind a character of two bytes", "// caf\u00e9"],
  ["behind a blank", "return "],
  ["in an indentation", "if (x) {\n   "],
  ["behind a line end", "if (x) {\n"],
  ["behind an empty line", "let a;\n\n"],
  ["behind a line end of Windows", "if (x) {\r\n"],
  ["in an indentation behind a line end of Windows", "if (x) {\r\n  "],
];

// The tiny vocabulary has one token a byte for these.
const stablePlaces: [label: string, prefix: string][] = [
  ["behind a character of three bytes", "x = '\u4e2d"],
  ["behind a character of four bytes", "s = '\u{1f44d}"],
  ["in an indentation of tabs", "if (x) {\n\t\t"],
  ["within a line end of Windows", "if (x) {\r"],
];

const layouts = ["left to right", "in the middle"] as const;
type Layout = (typeof layouts)[number];

function questionOf(layout: Layout, prefix: string): { tokenizer: Tokenizer; prompt: Prompted } {
  if (layout === "left to right") return { tokenizer: tiny.leftToRight, prompt: { prefix } };
  return { tokenizer: tiny.tokenizer, prompt: { prefix, suffix: "\n}\n" } };
}

type Prompted = Pick<CompletionRequest, "prefix" | "suffix">;

for (const layout of layouts) {
  for (const [label, prefix] of places) {
    test(`${label}, ${layout}: exact chooses as plain runs do`, async () => {
      const { tokenizer, prompt } = questionOf(layout, prefix);
      const completer = new Completer(tiny.engine, tokenizer);
      const { alignment } = await completer.complete({ ...request, ...prompt });
      const expected = await chooseByPlainRuns(tokenizer, prompt);
      assert.equal(alignment.way, "exact");
      assert.deepEqual(alignment.ids, expected.ids);
      assert.ok(Math.abs(alignment.logWeight - expected.logMass) < 1e-3);
    });
  }

  for (const [label, prefix] of stablePlaces) {
    test(`${label}, ${layout}: one cover, so nothing is chosen`, async () => {
      const { tokenizer, prompt } = questionOf(layout, prefix);
      const completer = new Completer(tiny.engine, tokenizer);
      const { alignment } = await completer.complete({ ...request, ...prompt });
      assert.equal(alignment.way, "off");
      assert.deepEqual((await chooseByPlainRuns(tokenizer, prompt)).covers, 1);
    });
  }

  for (const alignment of ["exact", "token"] as const) {
    test(`${alignment}, ${layout}: typing and deleting give the answers of an empty cache`, async () => {
      const texts = [
        "f",
        "fo",
        "for",
        "for ",
        "for (",
        "for",
        "fo",
        "f",
        "\n",
        "\n ",
        "\n  ",
        "\n",
        "",
      ];
      const { tokenizer } = questionOf(layout, "");
      const warm = new Completer(tiny.engine, tokenizer);
      for (const text of texts) {
        const { prompt } = questionOf(layout, `let a = 1;${text}`);
        const found = await warm.complete(
          { ...request, ...prompt, alignment },
          { exactReuse: true },
        );
        const cold = new Completer(tiny.engine, tokenizer);
        const expected = await cold.complete({ ...request, ...prompt, alignment });
        assert.deepEqual(found.ids, expected.ids, JSON.stringify(text));
        assert.equal(found.text, expected.text);
      }
    });
  }
}

test("in the editor, typing and deleting give the answers of a fresh start", async () => {
  const document: Omit<InlineDocument, "prefix"> = {
    ...{ path: "a.ts", languageId: "typescript", suffix: "\n}\n" },
    ...{ multiline: "auto", alignment: "exact" },
  };
  const warm = new Completer(tiny.engine, tiny.leftToRight);
  for (const typed of [
    "",
    "r",
    "re",
    "ret",
    "re",
    "r",
    "",
    "\n",
    "\n  ",
    "\n ",
    "\n  re",
    "\r\n",
  ]) {
    const asked = { ...document, prefix: `function f() {\n  let a = 1;${typed}` };
    const found = await warm.completeInline(asked);
    const fresh = await new Completer(tiny.engine, tiny.leftToRight).completeInline(asked);
    assert.deepEqual([found.text, found.reason], [fresh.text, fresh.reason], JSON.stringify(typed));
    assert.deepEqual(found.alignment?.ids, fresh.alignment?.ids);
  }
});

test("an empty file has no tail", async () => {
  const completer = new Completer(tiny.engine, tiny.tokenizer);
  const { alignment } = await completer.complete({ ...request, prefix: "" });
  assert.deepEqual([alignment.way, alignment.tail.length, alignment.ids], ["off", 0, []]);
});

test("beyond the limit of nodes exact falls back to token, and says so", async () => {
  const limits = { nodes: 0, backedUpTokens: 3 };
  const completer = new Completer(tiny.engine, tiny.tokenizer, limits);
  const prefix = "let total = const";
  const { alignment } = await completer.complete({ ...request, prefix });
  assert.equal(alignment.way, "token");
  const { ids } = await completer.complete({ ...request, prefix, alignment: "token" });
  assert.deepEqual(alignment.ids, ids.slice(0, alignment.ids.length));
});

// Every digit is a token of its own, so nothing that follows can move the border behind it.
test("behind a stable border all settings give one text", async () => {
  const prefixes = ["let port = 8", "for (1", "x[0", "a.b2", "3", "let a = 1;\n\n  b = 4"];
  for (const layout of layouts) {
    for (const prefix of prefixes) {
      const { tokenizer, prompt } = questionOf(layout, prefix);
      const completer = new Completer(tiny.engine, tokenizer);
      const answers: unknown[] = [];
      for (const alignment of ["off", "token", "exact"] as const) {
        const { ids, text } = await completer.complete({ ...request, ...prompt, alignment });
        answers.push({ ids, text });
      }
      assert.deepEqual(answers, [answers[0], answers[0], answers[0]], prefix);
    }
  }
});

test("a path's weight and its probability given the tail make up the model's own", async () => {
  const { leftToRight: tokenizer } = tiny;
  const completer = new Completer(tiny.engine, tokenizer);
  const prefix = "let total = const";
  const weights = new Set<string>();
  for (let seed = 1; seed <= 8; seed++) {
    const sampling = { ...request, prefix, temperature: 1, seed, alignment: "token" as const };
    const answer = await completer.complete({ ...sampling, maxTokens: 3 });
    const { keptTokens, logWeight } = answer.alignment;
    const kept = tokenizer.encode(prefix).subarray(0, keptTokens);
    const own = await plainLogProbability([...kept], answer.ids);
    const given = answer.meanLogProbability * answer.ids.length;
    assert.ok(Math.abs(given + logWeight - own) < 1e-3, `${given} and ${logWeight}, not ${own}`);
    weights.add(logWeight.toFixed(4));
  }
  assert.ok(weights.size > 1, "every sample has the same weight");
});

test("no length, no text: a token that crosses the tail's end counts", async () => {
  const completer = new Completer(tiny.engine, tiny.tokenizer);
  for (const alignment of ["exact", "token"] as const) {
    const asked = { ...request, prefix: "let total = co", alignment };
    const none = await completer.complete({ ...asked, maxTokens: 0 });
    assert.deepEqual([none.text, none.finish], ["", "length"]);
    const { ids, alignment: report, text } = await completer.complete({ ...asked, maxTokens: 1 });
    const bytes = tiny.tokenizer.decodeBytes(report.ids);
    const isCrossing = bytes.length > report.tail.length;
    assert.equal(ids.length, report.ids.length + (isCrossing ? 0 : 1), text);
  }
});

/** The covers scored by one plain run for each node, of the whole prompt from an empty cache. */
async function chooseByPlainRuns(
  tokenizer: Tokenizer,
  { prefix, suffix }: Prompted,
): Promise<{ ids: number[]; logMass: number; covers: number }> {
  const vocabulary = new ByteSortedVocabulary(tokenizer);
  const ids = tokenizer.encode(prefix);
  const trie = findCovers(tokenizer, vocabulary, ids);
  assert.ok(trie !== null);
  const prompt = layOut(readLayout(tokenizer), {
    header: [],
    prefix: ids.subarray(0, trie.keptCount),
    suffix: suffix === undefined ? null : tokenizer.encode(suffix),
  });
  const behind = [...prompt.head, ...prompt.suffix, ...prompt.middle];
  const rows = new Map<number, Float32Array>();
  for (const node of [-1, ...trie.nodes.keys()]) {
    const path = pathTo(trie.nodes, node).map((at) => trie.nodes[at]?.id ?? 0);
    rows.set(node, await plainLogits([...behind, ...path]));
  }
  const rowOf = (node: number) => {
    const logits = rows.get(node) ?? assert.fail(`node ${node}`);
    return { logits, logNormaliser: logNormaliser(logits) };
  };
  const draw = () => assert.fail("nothing is drawn");
  const scoring = { trie, vocabulary, rowOf };
  const chosen = chooseCover(scoring, { temperature: 0, draw });
  assert.ok(chosen !== null);
  const covers = likelyCovers(scoring, 1).length;
  return { ids: idsOf(trie, chosen.cover), logMass: chosen.logMass, covers };
}

async function plainLogProbability(
  kept: readonly number[],
  ids: readonly number[],
): Promise<number> {
  let sum = 0;
  for (const [at, id] of ids.entries()) {
    const logits = await plainLogits([...kept, ...ids.slice(0, at)]);
    sum += (logits[id] ?? Number.NaN) - logNormaliser(logits);
  }
  return sum;
}

async function plainLogits(ids: readonly number[]): Promise<Float32Array> {
  const { engine } = tiny;
  const cache = engine.createCache(ids.length);
  const { logits } = await engine.run(cache, ids, { logitsAt: "last" });
  return logits.slice();
}
