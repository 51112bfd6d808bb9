// Text that ends inside a token, through the completer: on the tiny model with any text, on real
// weights where a person would look.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Completer } from "../../sidecar/completion/complete.ts";
import type { CompletionRequest } from "../../sidecar/completion/request.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import type { PreparedModel } from "../../sidecar/model/prepare.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";
import { preparedModel } from "../support/weights.ts";

const request: Omit<CompletionRequest, "prefix" | "alignment"> = {
  maxTokens: 12,
  stop: [],
  temperature: 0,
  topP: 1,
  seed: 1,
};

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny();
});
after(() => tiny.close());

const texts = fc.string({
  unit: fc.constantFrom(..."abcdeino stru(){}.;=0123", "  ", "\n", "\r\n", "\t", "for ", "é", "中"),
  minLength: 1,
  maxLength: 40,
});

for (const alignment of ["exact", "token"] as const) {
  for (const suffix of [undefined, "\n}\n"]) {
    const layout = suffix === undefined ? "left to right" : "in the middle";
    test(`${alignment}, ${layout}: what is made again are the bytes typed`, async () => {
      const completer = new Completer(tiny.engine, tiny.tokenizer);
      const check = async (prefix: string, temperature: number) => {
        const answer = await completer.complete(
          { ...request, prefix, suffix, alignment, temperature },
          { exactReuse: true },
        );
        const { keptTokens, tail, ids } = answer.alignment;
        const kept = tiny.tokenizer.encode(prefix).subarray(0, keptTokens);
        const typed = Buffer.concat([tiny.tokenizer.decodeBytes(kept), tail]);
        assert.equal(typed.toString("utf8"), prefix);
        const made = Buffer.from(tiny.tokenizer.decodeBytes(ids));
        assert.ok(made.subarray(0, tail.length).equals(Buffer.from(tail)));
        const generated = Buffer.from(tiny.tokenizer.decodeBytes(answer.ids));
        assert.ok(generated.subarray(0, made.length).equals(made));
      };
      await fc.assert(fc.asyncProperty(texts, fc.constantFrom(0, 1), check), { numRuns: 60 });
    });
  }
}

test("the editor's answer has the last of the ids that were kept", async () => {
  const completer = new Completer(tiny.engine, tiny.tokenizer);
  for (const prefix of ["fo", "const the = (string) => { for (const thing of ri"]) {
    const document = { path: "a.ts", languageId: "typescript", multiline: "never" } as const;
    const asked = { ...document, prefix, suffix: "", alignment: "exact" } as const;
    const { alignment } = await completer.completeInline(asked);
    assert.ok(alignment !== null && alignment.way !== "off");
    const kept = tiny.tokenizer.encode(prefix).subarray(0, alignment.keptTokens);
    assert.deepEqual(alignment.lastKept, [...kept.slice(-8)]);
  }
});

test("a prompt in the cache gives the same aligned text as a fresh one", async () => {
  const warm = new Completer(tiny.engine, tiny.tokenizer);
  for (const end of ["fo", "for", "for ", "for (", "for (in"]) {
    const asked = { ...request, prefix: `let a = 1;\n${end}`, alignment: "exact" as const };
    const found = await warm.complete(asked, { exactReuse: true });
    const fresh = await new Completer(tiny.engine, tiny.tokenizer).complete(asked);
    assert.deepEqual(found.ids, fresh.ids);
  }
});

const shown: [prefix: string, text: RegExp][] = [
  ["function greet(name) {\n  conso", /^le\.log\(/],
  ["const items = new Arr", /^ay/],
  ['def add(a, b):\n    """Add two numbers."""\n', /^ {4}return a \+ b/],
];

let prepared: PreparedModel;
let engine: Engine;
let tokenizer: Tokenizer;
before(async () => {
  prepared = await preparedModel("smollm2-135m", "lossless");
  tokenizer = Tokenizer.create(prepared.vocabulary);
  engine = await Engine.load(prepared.engine, { threads: 2 });
});
after(async () => {
  await engine.dispose();
  tokenizer.dispose();
});

test("SmolLM2-135M goes on inside a word and behind a line end", async () => {
  const completer = new Completer(engine, tokenizer);
  for (const [prefix, expected] of shown)
    for (const alignment of ["exact", "token"] as const) {
      const { text } = await completer.complete({ ...request, prefix, alignment });
      assert.match(text, expected, `${alignment}: ${JSON.stringify(prefix)}`);
    }
});

// Both tokenizers keep every digit apart, so a number's end is a border whatever follows.
const stable = ["const port = 80", "for i in range(1", "int[] a = new int[5", "x = items[0", "v1"];

test("SmolLM2-135M gives one text in all settings behind a border that holds", async () => {
  const completer = new Completer(engine, tokenizer);
  for (const prefix of stable) {
    const texts: string[] = [];
    for (const alignment of ["off", "token", "exact"] as const)
      texts.push((await completer.complete({ ...request, prefix, alignment, stop: ["\n"] })).text);
    assert.deepEqual(texts, [texts[0], texts[0], texts[0]], prefix);
  }
});
