import assert from "node:assert/strict";
import { test } from "node:test";
import { scanBrackets } from "../../sidecar/completion/brackets.ts";

const cases: [text: string, startQuote: string, openers: string, closers: string, quote: string][] =
  [
    ["", "", "", "", ""],
    ["f(a, [b", "", "([", "", ""],
    ["f(a)", "", "", "", ""],
    ["a) }", "", "", ")}", ""],
    ["(]", "", "(", "]", ""],
    ['f("(")', "", "", "", ""],
    ['f("(', "", "(", "", '"'],
    ["don't (\n[", "", "[", "", ""],
    ["`a ( \n ${[`]", "", "", "]", ""],
    ["'a\\'(' + [", "", "[", "", ""],
    ['abc" + (', '"', "(", "", ""],
    ["(", '"', "", "", '"'],
    ['"ends in a backslash \\', "", "", "", '"'],
  ];
for (const [text, startQuote, openers, closers, quote] of cases) {
  test(`${JSON.stringify(text)} leaves open "${openers}", closes "${closers}"`, () => {
    const scan = scanBrackets(text, startQuote);
    const of = (brackets: readonly { character: string }[]): string =>
      brackets.map(({ character }) => character).join("");
    assert.deepEqual([of(scan.openers), of(scan.closers), scan.quote], [openers, closers, quote]);
  });
}

test("an index is the bracket's place in the text, whatever was open before it", () => {
  assert.deepEqual(scanBrackets('b" )', '"').closers, [{ character: ")", index: 3 }]);
});
