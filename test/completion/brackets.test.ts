import assert from "node:assert/strict";
import { test } from "node:test";
import { type Opener, scanBrackets } from "../../sidecar/completion/brackets.ts";

const cases: [text: string, within: string, openers: string, closers: string, quote: string][] = [
  ["", "", "", "", ""],
  ["f(a, [b", "", "([", "", ""],
  ["f(a)", "", "", "", ""],
  ["a) }", "", "", ")}", ""],
  ["(]", "", "(", "]", ""],
  ['f("(")', "", "", "", ""],
  ['f("(', "", "(", "", '"'],
  ["don't (\n[", "", "[", "", ""],
  ["`a ( \n [`]", "", "", "]", ""],
  ["`a ( \n ${[`]`", "", "", "", ""],
  ["`${f(", "", "", "", ""],
  [`\`\${a}\` + (`, "", "(", "", ""],
  ['a}` + "${', "`{", "", "}`", ""],
  [`{a} \${b}\``, "`", "", "`", ""],
  ['f"{a(" + (', "", "", "", '"'],
  ['f"{{" + (', "", "(", "", ""],
  ['"{" + (', "", "(", "", ""],
  ['$"{a[', "", "", "", ""],
  ['"#{a["b"]}" + (', "", "(", "", ""],
  ['"\\(a + (', "", "", "", ""],
  ['"$(a "b")" (', "", "(", "", ""],
  ['"${a\n(', "", "(", "", ""],
  ['"""a " (""" + (', "", "(", "", ""],
  ["String, List<User>> users", "<", "", ">", ""],
  ["a > b", "", "", "", ""],
  ["(a) => a > 1>", "<", "", ">", ""],
  ["'a\\'(' + [", "", "[", "", ""],
  ['abc" + (', '"', "(", '"', ""],
  ["(", '"', "", "", '"'],
  ['"ends in a backslash \\', "", "", "", '"'],
];
for (const [text, within, openers, closers, quote] of cases) {
  test(`${JSON.stringify(text)} in ${within} leaves open "${openers}", closes "${closers}"`, () => {
    const scan = scanBrackets(text, openersOf(within));
    const of = (brackets: readonly { character: string }[]): string =>
      brackets.map(({ character }) => character).join("");
    assert.deepEqual([of(scan.openers), of(scan.closers), scan.quote], [openers, closers, quote]);
  });
}

test("an index is the bracket's place in the text, whatever was open before it", () => {
  assert.deepEqual(scanBrackets('b" )', openersOf('"')).closers, [
    { character: '"', index: 1 },
    { character: ")", index: 3 },
  ]);
});

function openersOf(characters: string): Opener[] {
  return Array.from(characters, (character) => ({ character, index: -1 }));
}
