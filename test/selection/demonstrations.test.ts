// Demonstration files, and what is said about the wrong ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DemonstrationFile,
  parseDemonstrations,
  renderDemonstration,
} from "../../sidecar/selection/demonstrations.ts";

test("a language, a title and two examples", () => {
  const file = parse(`---
language: typescript
title: our repositories
---
Find a user by mail
=>
export const findUserByMail = query("user");
***
Find an order by number
=>
export const findOrderByNumber = query("order");
`);
  assert.deepEqual(file, {
    language: "typescript",
    title: "our repositories",
    demonstrations: [
      {
        task: "Find a user by mail",
        text: 'export const findUserByMail = query("user");',
        startLine: 5,
        endLine: 7,
      },
      {
        task: "Find an order by number",
        text: 'export const findOrderByNumber = query("order");',
        startLine: 9,
        endLine: 11,
      },
    ],
  });
});

const cases: [label: string, text: string, tasks: (string | null)[], texts: string[]][] = [
  ["free text", "one\n\n  two\n", [null], ["one\n\n  two"]],
  ["both kinds", "one\n***\na\n=>\nb", [null, "a"], ["one", "b"]],
  ["blank lines and separators too many", "***\n\n\none\n\n***\n***\n", [null], ["one"]],
  ["Windows line ends", "a\r\n=>\r\nb\r\nc\r\n", ["a"], ["b\nc"]],
  ["a byte order mark", "\uFEFF---\ntitle: t\n---\na", [null], ["a"]],
  ["marks in a fence", "```\n***\n=>\n---\n```", [null], ["```\n***\n=>\n---\n```"]],
  ["a fence in a fence", "````\n```\n***\n```\n````", [null], ["````\n```\n***\n```\n````"]],
  ["marks inside a line", "a => b *** c", [null], ["a => b *** c"]],
  ["a rule at the start that is no front matter", "----\na", [null], ["----\na"]],
  [
    "front matter alone in the text below",
    "a\n---\ntitle: b\n---",
    [null],
    ["a\n---\ntitle: b\n---"],
  ],
];
for (const [label, text, tasks, texts] of cases) {
  test(label, () => {
    const { demonstrations } = parse(text);
    assert.deepEqual(
      demonstrations.map(({ task }) => task),
      tasks,
    );
    assert.deepEqual(
      demonstrations.map((each) => each.text),
      texts,
    );
  });
}

test("a file without front matter serves all languages", () => {
  const { language, title } = parse("a");
  assert.deepEqual([language, title], [null, null]);
});

const wrong: [text: string, message: string][] = [
  ["", ":1: there is no example"],
  ["---\ntitle: a\n---\n\n***\n", ":6: there is no example"],
  ["---\ntitle: a\nb\n", ":1: the front matter has no closing line ---"],
  ["---\ntitle a\n---\nb", ':2: "title a" is not "name: value"'],
  ["---\n\nauthor: a\n---\nb", ':3: the field "author" is not one of language, title'],
  ["---\ntitle:\n---\nb", ':2: the field "title" is empty'],
  ["---\ntitle: a\ntitle: b\n---\nc", ':3: the field "title" is there twice'],
  ["a\n=>\nb\n=>\nc", ":4: the example has a second line =>"],
  ["one\n***\n\n=>\nb", ":4: the example has no task before =>"],
  ["a\n=>\n\n***\nb", ":2: the example has no answer behind =>"],
  ["one\n***\n```ts\ncode\n***\n", ":3: the code fence is never closed"],
];
for (const [text, message] of wrong)
  test(`${JSON.stringify(text)} is a FormatError that names the line`, () => {
    assert.throws(() => parse(text), {
      name: "FormatError",
      message: `demonstrations: our.pith.md${message}`,
    });
  });

test("a task and its answer read one above the other", () => {
  const [first] = parse("a\n=>\nb\n***\nc").demonstrations;
  assert.equal(first && renderDemonstration(first), "a\nb");
});

function parse(text: string): DemonstrationFile {
  return parseDemonstrations(text, "our.pith.md");
}
