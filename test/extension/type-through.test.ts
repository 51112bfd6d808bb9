import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Rest, restOf } from "../../extension/type-through.ts";

// `$0` is the cursor, `[…]` the ghost text behind it.
const cases: [label: string, shown: string, now: string, rest: Rest | null][] = [
  ["nothing typed yet", "a = $0[b + c;]", "a = $0", { text: "b + c;", replaced: 0 }],
  ["some of it typed", "a = $0[b + c;]", "a = b +$0", { text: " c;", replaced: 0 }],
  ["all of it typed", "a = $0[b + c;]", "a = b + c;$0", null],
  ["something else typed", "a = $0[b + c;]", "a = d$0", null],
  ["a character deleted", "a = $0[b + c;]", "a =$0", null],
  ["a change before the cursor", "a = $0[b;]", "z = $0", null],
  ["a change after the cursor", "f($0[b])\nend", "f(b$0)\nEND", null],
  [
    "a line break and its indent",
    "if (a) {$0[\n  b();]",
    "if (a) {\n  $0",
    { text: "b();", replaced: 0 },
  ],
  [
    "a bracket closed by the editor",
    "call$0[(a, b);]",
    "call($0)",
    { text: "a, b);", replaced: 1 },
  ],
  [
    "a quote closed by the editor",
    "say($0['hello'])",
    "say('$0')",
    { text: "hello'", replaced: 1 },
  ],
  ["a closing bracket that the text lacks", "x = $0[(y]", "x = ($0)", null],
  ["a word put in behind the cursor", "a = $0[b + c;]", "a = b$0 + c;", null],
];

for (const [label, shown, now, rest] of cases)
  test(`${label}: ${rest === null ? "nothing stays" : "the rest stays"}`, () =>
    checkRest(shown, now, rest));

test("a text that takes the place of characters goes on doing so", () => {
  const shown = { uri: "a.ts", head: "f(", tail: ")", text: "a, b)", replaced: 1 };
  assert.deepEqual(restOf(shown, "a.ts", "f(a", ")"), { text: ", b)", replaced: 1 });
});

test("a closer that is replaced may be typed over", () => {
  const shown = { uri: "a.ts", head: "if (", tail: "))\n", text: "a()) {", replaced: 2 };
  assert.deepEqual(restOf(shown, "a.ts", "if (a()", ")\n"), { text: ") {", replaced: 1 });
  assert.deepEqual(restOf(shown, "a.ts", "if (a())", "\n"), { text: " {", replaced: 0 });
  assert.equal(restOf(shown, "a.ts", "if (a", ")\n"), null);
  assert.equal(restOf({ ...shown, replaced: 0 }, "a.ts", "if (a()", ")\n"), null);
});

test("text typed into one document does not go on in another", () => {
  const shown = { uri: "a.ts", head: "", tail: "", text: "abc", replaced: 0 };
  assert.equal(restOf(shown, "b.ts", "a", ""), null);
});

test("what was typed and what is left make up the text that was shown", () => {
  const texts = fc.string({ minLength: 1 });
  const property = fc.property(fc.string(), texts, fc.nat(), (head, text, count) => {
    const typed = text.slice(0, count % text.length);
    const shown = { uri: "a.ts", head, tail: "tail", text, replaced: 0 };
    assert.equal(typed + restOf(shown, "a.ts", head + typed, "tail")?.text, text);
  });
  fc.assert(property);
});

function checkRest(before: string, now: string, expected: Rest | null): void {
  const [, head = "", text = "", tail = ""] = /^(.*)\$0\[(.*)\](.*)$/s.exec(before) ?? [];
  const [headNow = "", tailNow = ""] = now.split("$0");
  const shown = { uri: "a.ts", head, tail, text, replaced: 0 };
  assert.deepEqual(restOf(shown, "a.ts", headNow, tailNow), expected);
}
