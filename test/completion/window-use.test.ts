// The law of the window: what is reported of it adds up to the positions that the engine counted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Completer } from "../../sidecar/completion/complete.ts";
import type { InlineDocument } from "../../sidecar/completion/request.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny();
});
after(() => tiny.close());

const line = fc.constantFrom(
  "const total = 1;\n",
  "return total;\n",
  "\n",
  "  call(a, b);\n",
  "é ",
);
const text = fc.array(line, { maxLength: 60 }).map((lines) => lines.join(""));
const documents = fc.record({
  path: fc.constantFrom("a.ts", "src/deep/name.ts"),
  languageId: fc.constant("typescript"),
  prefix: text,
  suffix: text,
  multiline: fc.constantFrom("auto" as const, "never" as const),
  alignment: fc.constant("off" as const),
});

for (const kind of ["tokenizer", "leftToRight"] as const) {
  test(`the parts add up to the rows that were run or reused: ${kind}`, async () => {
    const completer = new Completer(tiny.engine, tiny[kind]);
    const check = fc.asyncProperty(documents, (document) => checkParts(completer, document));
    await fc.assert(check, { numRuns: 40, seed: 7 });
  });
}

test("what the near windows leave out is counted to the character", async () => {
  const completer = new Completer(tiny.engine, tiny.tokenizer);
  const lines = Array.from({ length: 2000 }, (_, index) => `line ${index};\n`).join("");
  const before = await useOf(completer, { prefix: lines, suffix: "\n" });
  assert.ok(before.left.prefix > 0 && before.left.suffix === 0);
  assert.ok(lines.slice(before.left.prefix).startsWith("line "));
  const kept = tiny.tokenizer.encode(lines.slice(before.left.prefix)).length;
  assert.equal(before.parts.prefix, kept);
  const behind = await useOf(completer, { prefix: "a = ", suffix: lines });
  const shown = lines.slice(0, lines.length - behind.left.suffix);
  assert.equal(behind.parts.suffix, tiny.tokenizer.encode(shown).length);
});

test("a model that goes left to right leaves out all of the text behind the cursor", async () => {
  const completer = new Completer(tiny.engine, tiny.leftToRight);
  const { parts, left } = await useOf(completer, { prefix: "a = ", suffix: "\nb = 2\n" });
  assert.deepEqual([parts.suffix, parts.markers, left.suffix], [0, 0, 7]);
});

async function checkParts(completer: Completer, document: InlineDocument): Promise<void> {
  const { use, tokens, reason } = await completer.completeInline(document);
  if (reason === "inside-word-off") return assert.equal(use, null);
  assert.ok(use !== null);
  const positions = Object.values(use.parts).reduce((sum, count) => sum + count, 0);
  // All ids of the answer were run, but the last one unless a token ended the text.
  const ofPrompt = tokens.computed + tokens.reused - tokens.generated;
  assert.ok(positions === ofPrompt || positions === ofPrompt + 1, `${positions}, ${ofPrompt}`);
  assert.ok(positions + use.reserve <= use.window);
  assert.ok(Object.values(use.left).every((count) => count >= 0));
}

async function useOf(completer: Completer, near: { prefix: string; suffix: string }) {
  const document = { path: "a.ts", languageId: "typescript", ...near };
  const { use } = await completer.completeInline({
    ...document,
    multiline: "never",
    alignment: "off",
  });
  assert.ok(use !== null);
  return use;
}
