import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { commonLength, encodeHeader, layOut, readLayout } from "../../sidecar/completion/layout.ts";
import type { CompletionRequest, InlineDocument } from "../../sidecar/completion/request.ts";
import { PrefixWindow } from "../../sidecar/completion/window.ts";
import { bestId, logProbability } from "../../sidecar/engine/sampler.ts";
import { CancelledError, LimitError } from "../../sidecar/errors.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { keystrokes, traceLanguage, tracePath } from "../support/keystroke-trace.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny();
});
after(() => tiny.close());

const request: CompletionRequest = {
  path: "a.ts",
  prefix: "const total = ",
  suffix: ";\n",
  maxTokens: 24,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 1,
  alignment: "off",
};
const document: InlineDocument = {
  path: "a.ts",
  languageId: "typescript",
  prefix: "const total = ",
  suffix: "\n",
  multiline: "auto",
  alignment: "off",
};

function createCompleter(): Completer {
  return new Completer(tiny.engine, tiny.tokenizer);
}

/** The prompt as ids, laid out by hand. */
function promptIds({ path, prefix, suffix }: CompletionRequest): number[] {
  const { tokenizer } = tiny;
  const special = (name: string): number => tokenizer.specialId(`<|${name}|>`) ?? Number.NaN;
  const header = path === undefined ? [] : [special("file_sep"), ...tokenizer.encode(`${path}\n`)];
  if (suffix === undefined) return [...header, ...tokenizer.encode(prefix)];
  return [
    ...header,
    special("fim_prefix"),
    ...tokenizer.encode(prefix),
    special("fim_suffix"),
    ...tokenizer.encode(suffix),
    special("fim_middle"),
  ];
}

/** The greedy answer and the id behind it, without caches that are used twice. */
async function plainGreedy(prompt: readonly number[], count: number): Promise<number[]> {
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const cache = tiny.engine.createCache(4096);
    const { logits } = await tiny.engine.run(cache, [...prompt, ...ids], { logitsAt: "last" });
    ids.push(bestId(logits));
  }
  return ids;
}

test("a greedy answer is the best id again and again, from the laid-out prompt", async () => {
  for (const each of [
    request,
    { ...request, suffix: undefined },
    { ...request, path: undefined },
    { ...request, suffix: "" },
  ]) {
    const { ids } = await createCompleter().complete({ ...each, maxTokens: 6 });
    assert.deepEqual(ids, (await plainGreedy(promptIds(each), 6)).slice(0, ids.length));
    assert.ok(ids.length > 0);
  }
});

test("every request starts from a cold cache and counts every row", async () => {
  const completer = createCompleter();
  const first = await completer.complete(request);
  const second = await completer.complete(request);
  assert.equal(second.text, first.text);
  const prompt = promptIds(request).length;
  // The last id was chosen and never run; an id that ends the text is never part of the answer.
  const decoded = first.ids.length - (first.finish === "end" ? 0 : 1);
  for (const { tokens } of [first, second]) {
    assert.deepEqual(tokens, {
      prefix: tiny.tokenizer.encode(request.prefix).length,
      suffix: tiny.tokenizer.encode(";\n").length,
      ...{ contextBefore: 0, contextAfter: 0 },
      generated: first.ids.length,
      computed: prompt + decoded,
      reused: 0,
    });
  }
});

test("with exact reuse the same prompt runs one row of it", async () => {
  const completer = createCompleter();
  const first = await completer.complete(request);
  const again = await completer.complete(request, { exactReuse: true });
  assert.equal(again.text, first.text);
  assert.equal(again.tokens.reused, promptIds(request).length - 1);
  assert.equal(again.tokens.computed + again.tokens.reused, first.tokens.computed);
});

test("a stop string ends the text and is not part of it, across tokens", async () => {
  const { text } = await createCompleter().complete(request);
  for (let start = 1; start + 3 <= text.length; start += 2) {
    const stop = text.slice(start, start + 3);
    const stopped = await createCompleter().complete({ ...request, stop: ["\u0000", stop] });
    assert.equal(stopped.text, text.slice(0, text.indexOf(stop)));
    assert.equal(stopped.finish, "stop");
  }
});

test("a special token ends the text, the greatest length cuts it", async () => {
  const finishes = new Set<string>();
  for (let index = 0; index < 12; index += 1) {
    const each = { ...request, prefix: `${"abcdefghijkl".slice(index)} `, maxTokens: 40 };
    const { finish, ids } = await createCompleter().complete(each);
    finishes.add(finish);
    assert.ok(ids.every((id) => !tiny.tokenizer.isSpecial(id)));
    if (finish === "length") assert.equal(ids.length, 40);
    if (finish === "end") {
      const next = await tiny.engine.run(
        tiny.engine.createCache(4096),
        [...promptIds(each), ...ids],
        { logitsAt: "last" },
      );
      assert.ok(tiny.tokenizer.isSpecial(bestId(next.logits)));
    }
  }
  assert.deepEqual([...finishes].sort(), ["end", "length"]);
});

test("no tokens asked for gives an empty text", async () => {
  const { text, finish, ids } = await createCompleter().complete({ ...request, maxTokens: 0 });
  assert.deepEqual([text, finish, ids], ["", "length", []]);
});

test("at temperature 0 the seed is ignored, above it equal seeds agree", async () => {
  const textOf = async (temperature: number, seed: number): Promise<string> =>
    (await createCompleter().complete({ ...request, temperature, seed })).text;
  assert.equal(await textOf(0, 1), await textOf(0, 2));
  assert.equal(await textOf(1, 5), await textOf(1, 5));
  assert.notEqual(await textOf(1, 5), await textOf(1, 6));
});

test("a prompt that does not fit the window is a LimitError with value and limit", async () => {
  const long = { ...request, prefix: "x ".repeat(4000) };
  const count = promptIds(long).length + request.maxTokens;
  await assert.rejects(createCompleter().complete(long), {
    name: "LimitError",
    message: `completion: ${count} tokens of prompt and answer exceed the window of 4096`,
  });
  await assert.rejects(createCompleter().score({ ...long, target: "a" }), LimitError);
});

test("a score is the sum over the target's tokens, whatever the pieces it is run in", async () => {
  const target = "return the string in the ring;\n".repeat(6);
  const score = await createCompleter().score({ ...request, target });
  const ids = [...tiny.tokenizer.encode(target)];
  const prompt = promptIds(request);
  const { logits } = await tiny.engine.run(tiny.engine.createCache(4096), [...prompt, ...ids], {
    logitsAt: "all",
  });
  const size = tiny.engine.shape.vocabularySize;
  const expected = ids.reduce((sum, id, index) => {
    const row = prompt.length - 1 + index;
    return sum - logProbability(logits.subarray(row * size, (row + 1) * size), id);
  }, 0);
  assert.ok(Math.abs(score.nll - expected) < 1e-4 * ids.length, `${score.nll}, ${expected}`);
  assert.equal(score.targetTokens, ids.length);
  assert.ok(ids.length > 64);
  assert.equal(score.tokens.computed, prompt.length + ids.length - 1);
});

test("a score with exact reuse runs what is new, and is the cold score", async () => {
  const completer = createCompleter();
  const asked = { ...request, suffix: undefined };
  await completer.score({ ...asked, target: " the string" });
  const other = { ...asked, target: " return the ring" };
  const warm = await completer.score(other, { exactReuse: true });
  // The prompt's last id is always run: its logits are needed.
  assert.equal(warm.tokens.computed, 1 + warm.targetTokens - 1);
  const cold = await completer.score(other);
  assert.ok(Math.abs(warm.nll - cold.nll) < 1e-4 * cold.targetTokens, `${warm.nll}, ${cold.nll}`);
});

test("an empty target costs nothing to know, an empty prompt is a document's border", async () => {
  const completer = createCompleter();
  assert.equal((await completer.score({ ...request, target: "" })).nll, 0);
  const { tokens } = await completer.complete({
    ...request,
    path: undefined,
    prefix: "",
    suffix: undefined,
  });
  assert.ok(tokens.computed >= 1);
});

test("a cancelled request leaves the next one right", async () => {
  const completer = createCompleter();
  const { text } = await createCompleter().completeInline(document);
  const aborted = AbortSignal.abort();
  await assert.rejects(completer.completeInline(document, { signal: aborted }), CancelledError);
  const controller = new AbortController();
  const running = completer.completeInline(
    { ...document, prefix: `${"const a = 1;\n".repeat(20)}${document.prefix}` },
    { signal: controller.signal },
  );
  setImmediate(() => controller.abort());
  await assert.rejects(running, CancelledError);
  assert.equal((await completer.completeInline(document)).text, text);
});

test("requests at the same time are answered as if one after the other", async () => {
  const texts = ["a = ", "const b = ", "return "].map((prefix) => ({ ...request, prefix }));
  const apart: string[] = [];
  for (const each of texts) apart.push((await createCompleter().complete(each)).text);
  const completer = createCompleter();
  const together = await Promise.all(texts.map((each) => completer.complete(each)));
  assert.deepEqual(
    together.map(({ text }) => text),
    apart,
  );
});

test("inside a word nothing is offered and nothing is run", async () => {
  const start = tiny.engine.counters.positions;
  const inside = { ...document, prefix: "const to", suffix: "tal = 1;\n" };
  const { text, reason } = await createCompleter().completeInline(inside);
  assert.deepEqual([text, reason], ["", "inside-word-off"]);
  assert.equal(tiny.engine.counters.positions, start);
});

test("a text is shown or a reason is given, never both", async () => {
  const completer = createCompleter();
  const reasons = new Set<string | null>();
  for (const { prefix, suffix } of keystrokes(40)) {
    const answer = await completer.completeInline({ ...document, prefix, suffix });
    assert.equal(answer.text === "", answer.reason !== null);
    reasons.add(answer.reason);
  }
  // Random weights are unsure of every token.
  assert.ok(reasons.has("low-confidence"), [...reasons].join());
});

test("half a character at the cursor is no word and breaks nothing", async () => {
  const completer = createCompleter();
  const ask = (prefix: string, suffix: string, alignment: InlineDocument["alignment"]) =>
    completer.completeInline({ ...document, prefix, suffix, alignment });
  assert.equal((await ask("a = '\ud83d", "\ude00';\n", "exact")).reason, "inside-word-off");
  for (const alignment of ["exact", "token", "off"] as const) {
    for (const [prefix, suffix] of [
      ["a = '\ud83d", "';\n"],
      ["a = '", "\ude00';\n"],
      ["a\ud83d = '\ude00b", "';\n\ud83d"],
    ] as const) {
      const { text, reason } = await ask(prefix, suffix, alignment);
      assert.equal(text === "", reason !== null);
    }
  }
});

test("a text that would add faults is not shown, and one that cannot be counted is", async () => {
  const reasonWith = async (count: (text: string) => number | null) => {
    const faults = Promise.resolve({ count });
    return (await createCompleter().completeInline(document, { faults })).reason;
  };
  const { reason } = await createCompleter().completeInline(document);
  assert.equal(await reasonWith((text) => (text === "" ? 0 : 1)), "breaks-syntax");
  assert.equal(await reasonWith(() => 0), reason);
  assert.equal(await reasonWith(() => null), reason);
});

test("typing in the middle runs what is new, and the suffix every few tokens", async () => {
  const { freshTokens } = defaults.suffix;
  const { typedTokens, dearer } = await typeThrough(tiny.tokenizer, freshTokens);
  assert.ok(dearer.length > 0);
  assert.ok(dearer.length <= typedTokens / defaults.suffix.movedTokens, `${dearer.length} times`);
  for (const { excess, suffix } of dearer) assert.ok(excess <= suffix, "the suffix is run once");
});

test("typing left to right runs what is new and nothing else", async () => {
  assert.deepEqual((await typeThrough(tiny.leftToRight, 0)).dearer, []);
});

/**
 * Types through a real file; `dearer` are the keystrokes that ran more than the ids of the head
 * behind the longest common prefix with the last head, the generated ones and `freshTokens`.
 */
async function typeThrough(
  tokenizer: Tokenizer,
  freshTokens: number,
): Promise<{ typedTokens: number; dearer: { excess: number; suffix: number }[] }> {
  const completer = new Completer(tiny.engine, tokenizer);
  const headOf = createHeadReader(tokenizer);
  const dearer: { excess: number; suffix: number }[] = [];
  let last: readonly number[] = [];
  let typedTokens = 0;
  for (const { prefix, suffix } of keystrokes(300)) {
    const document = { path: tracePath, languageId: traceLanguage, prefix, suffix };
    const { tokens } = await completer.completeInline({
      ...document,
      ...{ multiline: "auto", alignment: "off" },
    });
    const head = headOf(prefix);
    const newTokens = head.length - commonLength(last, head);
    const excess = tokens.computed - newTokens - tokens.generated - freshTokens;
    if (excess > 0) dearer.push({ excess, suffix: tokens.suffix });
    typedTokens += Math.min(newTokens, defaults.suffix.movedTokens + 1);
    last = head;
  }
  return { typedTokens, dearer };
}

/** The ids of header and near prefix, as the completer has them before the suffix. */
function createHeadReader(tokenizer: Tokenizer): (prefix: string) => readonly number[] {
  const layout = readLayout(tokenizer);
  const header = encodeHeader(layout, tokenizer, tracePath);
  const window = new PrefixWindow(tokenizer, defaults.prefix);
  return (text) => layOut(layout, { header, prefix: window.read(text).ids, suffix: [] }).head;
}
