// What runs away and what only repeats. `|` is where the text begins behind its line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findRunaway } from "../../sidecar/completion/repetition.ts";

function lengthOf(marked: string, isCut = false): number | null {
  const [linePrefix = "", text = ""] = marked.split("|");
  return findRunaway(text, linePrefix, isCut)?.length ?? null;
}

const kept: [label: string, marked: string, kept: string][] = [
  ["a phrase", "x = |a; the end of the end of the end of the end", "a;"],
  ["a phrase that the line began", "x = x or y or |x or y or x or y or x", ""],
  ["one word", "# |It is very very very very", "It is"],
  ["a word that ends like the repeated one", "# |colour our our our", "colour"],
  ["a line", "  |foo(bar);\n  foo(bar);\n  foo(bar);\n", "foo(bar);"],
  ["a line behind another", "|a();\n  foo();\n  foo();\n  foo();\n", "a();\n  foo();"],
  ["two lines in turn", "|if a:\n  b()\nif a:\n  b()\nif a:\n  b()\n", "if a:\n  b()"],
  ["one word between signs", "f(|foo, foo, foo, foo, foo, foo)", ""],
  ["words without blanks", "a = |b.c.dd.c.dd.c.dd.c.dd.c.dd", "b"],
  ["characters of a script without blanks", "# |价格的总和价格的总和价格的总和", ""],
];
for (const [label, marked, expected] of kept)
  test(`${label} runs away`, () => {
    const text = marked.slice(marked.indexOf("|") + 1);
    assert.equal(text.slice(0, lengthOf(marked) ?? undefined), expected);
  });

const legitimate: [label: string, marked: string][] = [
  ["twice is no runaway", "|the end of the end of"],
  ["zeros", "a = [|0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"],
  ["a matrix", "|[1, 0, 0],\n[1, 0, 0],\n[1, 0, 0],\n[1, 0, 0],\n"],
  ["tabs", 'a = "|\\t\\t\\t\\t\\t\\t\\t\\t"'],
  ["a ruler", "// |======================================"],
  ["format", 'printf("|%s, %s, %s, %s, %s, %s"'],
  ["data", "a = [|null, null, null, null, null, null]"],
  ["data of two words", "a = [|true, false, true, false, true, false]"],
  ["bytes", "a = [|0x00, 0xff, 0x00, 0xff, 0x00, 0xff]"],
  ["cells", "<tr>|<td></td><td></td><td></td><td></td></tr>"],
  ["a table's rule", "|| --- | --- | --- | --- |\n"],
  ["nested types", "|std::vector<std::vector<std::vector<int>>> a;"],
  ["a way up", 'import "|../../../../../../a"'],
  ["closers", "|}\n}\n}\n}\n}\n}\n"],
  ["closing words", "|end end end end"],
  ["letters", 'a = "|xxxxxxxxxxxxxxxxxxxxxxxx"'],
  ["laughter", "# |哈哈"],
  ["an access in a row", "a|.next.next.next.next"],
  ["letters of a key", "a = |i, i, i, i, i, i, i"],
];
for (const [label, marked] of legitimate)
  test(`${label}: no runaway`, () => assert.equal(lengthOf(marked), null));

test("a text that was cut while it repeated anything ends in front of it", () => {
  assert.equal(lengthOf("a = [|1, 0, 0, 0, 0, 0, 0, 0, 0,", true), 1);
  assert.equal(lengthOf("// |==========================", true), 0);
  assert.equal(lengthOf("|a,\n0, 0, 1,\n0, 0, 1,\n0, 0, 1,\n0, 0, 1,\n0,", true), 11);
  assert.equal(lengthOf("a = [|0, 0, 0,", true), null);
  assert.equal(lengthOf("a = [|0, 0, 0, 0, 0, 0, 0, 0] and more", true), null);
});

test("it is known with its third copy, whatever comes behind", () => {
  const text = "no end in no end in no end in sight of it";
  // The blank in front of the text belongs to the first copy.
  const { length, known } = findRunaway(text, "// ") ?? {};
  assert.deepEqual([length, known], [0, "no end in no end in no end in".length]);
  assert.deepEqual(findRunaway(text.slice(0, known), "// "), { length, known });
  assert.equal(findRunaway(text.slice(0, (known ?? 0) - 1), "// "), null);
});
