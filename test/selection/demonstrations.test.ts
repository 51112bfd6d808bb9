// Demonstration files, and what is said about the wrong ones.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  parseDemonstrations,
  renderDemonstration,
} from "../../sidecar/selection/demonstrations.ts";

test("a language, a title and two examples", () => {
  const file = parseDemonstrations(`---
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
    languages: ["typescript"],
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
    problems: [],
  });
});

const cases: [label: string, text: string, tasks: (string | null)[], texts: string[]][] = [
  ["free text", "one\n\n  two\n", [null], ["one\n\n  two"]],
  ["both kinds", "one\n***\na\n=>\nb", [null, "a"], ["one", "b"]],
  ["blank lines and separators too many", "***\n\n\none\n\n***\n***\n", [null], ["one"]],
  ["Windows line ends", "a\r\n=>\r\nb\r\nc\r\n", ["a"], ["b\nc"]],
  ["a byte order mark", "\uFEFF---\ntitle: t\n---\na", [null], ["a"]],
  ["marks in a fence", "```\n***\n=>\n---\n```", [null], ["```\n***\n=>\n---\n```"]],
  [
    "code between three backquotes",
    "a\n```npm test```\n***\nb",
    [null, null],
    ["a\n```npm test```", "b"],
  ],
  ["backquotes behind a language", "```a `b\n***\nc", [null, null], ["```a `b", "c"]],
  ["tildes may name backquotes", "~~~ a`b\n***\n~~~", [null], ["~~~ a`b\n***\n~~~"]],
  ["another character closes nothing", "```\n~~~\n***\n```", [null], ["```\n~~~\n***\n```"]],
  ["a longer fence closes", "~~~\n***\n~~~~~ \n***\nb", [null, null], ["~~~\n***\n~~~~~ ", "b"]],
  ["a shorter one does not", "`````\n````\n***\n`````", [null], ["`````\n````\n***\n`````"]],
  ["a closing fence names nothing", "```\n```js\n***\n```", [null], ["```\n```js\n***\n```"]],
  ["two marks are no fence", "``\n***\n~~\n***\nc", [null, null, null], ["``", "~~", "c"]],
  ["three blanks in front", "   ```\n***\n   ```", [null], ["   ```\n***\n   ```"]],
  ["four blanks in front", "    ```\n***\nb", [null, null], ["    ```", "b"]],
  ["a tab in front", "\t```\n***\nb", [null, null], ["\t```", "b"]],
  ["four blanks close nothing", "```\n    ```\n***\n```", [null], ["```\n    ```\n***\n```"]],
  [
    "a fence on Windows",
    "a\r\n```sh\r\n***\r\n```\r\n***\r\nb",
    [null, null],
    ["a\n```sh\n***\n```", "b"],
  ],
  ["a fence in an answer", "a\n=>\n```\n=>\n```\n***\nb", ["a", null], ["```\n=>\n```", "b"]],
  ["line ends of old", "a\r=>\rb", ["a"], ["b"]],
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
    const { demonstrations, problems } = parseDemonstrations(text);
    assert.deepEqual(problems, []);
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

const fronts: [front: string, languages: string[], title: string | null][] = [
  ['language: "python"', ["python"], null],
  ["language: 'python' # ours", ["python"], null],
  ["# ours\n\nlanguage:   python   ", ["python"], null],
  ["'language': python", ["python"], null],
  ["{language: python, title: Ways}", ["python"], "Ways"],
  ["language: [typescript, typescriptreact]", ["typescript", "typescriptreact"], null],
  ["language:\n  - c\n  - C++\n  - cpp", ["c", "cpp"], null],
  ["language: C#\ntitle: yes", ["csharp"], "yes"],
  ["language: Python", ["python"], null],
  ["title: >-\n  two\n  lines", [], "two lines"],
  ["title: 2024", [], "2024"],
  ['title: "a: b"', [], "a: b"],
  ["", [], null],
  ["# nothing", [], null],
];
for (const [front, languages, title] of fronts)
  for (const end of ["\n", "\r\n"])
    test(`front matter ${JSON.stringify(front)} with ${JSON.stringify(end)}`, () => {
      const text = `\uFEFF---\n${front}\n---\nName a loader\n=>\nreturn read(path)\n`;
      const file = parseDemonstrations(text.replaceAll("\n", end));
      assert.deepEqual([file.languages, file.title, file.problems], [languages, title, []]);
      assert.deepEqual(textsOf(file), ["return read(path)"]);
    });

test("code between three backquotes on a line of its own loses no example", () => {
  const text = `---
language: python
title: Naming
---
Run the checks by
\`\`\`npm run lint\`\`\`
before a commit.

***

Name a loader
=>
def load_orders(path):
    return read(path)
`;
  const { languages, demonstrations, problems } = parseDemonstrations(text);
  assert.deepEqual([languages, problems], [["python"], []]);
  const places = demonstrations.map(({ task, startLine, endLine }) => [task, startLine, endLine]);
  assert.deepEqual(places, [
    [null, 5, 7],
    ["Name a loader", 11, 14],
  ]);
});

test("a file without front matter serves all languages", () => {
  const { languages, title } = parseDemonstrations("a");
  assert.deepEqual([languages, title], [[], null]);
});

/** What is said with its line, and which examples are there all the same. */
const wrong: [text: string, problems: string[], texts: string[]][] = [
  ["", ["1: there is no example"], []],
  ["---\ntitle: a\n---\n\n***\n", ["6: there is no example"], []],
  [
    "---\ntitle: a\nlanguage: go\nb\n=>\nc\n***\nd",
    ["1: the front matter has no closing line ---"],
    ["c", "d"],
  ],
  [
    "---\ntitle a\n---\nb",
    ['2: the front matter is not YAML that Pith reads: "name: value" is wanted'],
    ["b"],
  ],
  [
    "---\n\ntitle: a: b\n---\nb",
    ["3: the front matter is not YAML that Pith reads: bad indentation of a mapping entry"],
    ["b"],
  ],
  [
    '---\nlanguage: "python\n---\nb',
    [
      "2: the front matter is not YAML that Pith reads: unexpected end of the stream within a double quoted scalar",
    ],
    ["b"],
  ],
  ["---\n\nauthor: a\n---\nb", ['3: the field "author" is not one of language, title'], ["b"]],
  ["---\ntitle:\n---\nb", ['2: the field "title" is empty'], ["b"]],
  ["---\ntitle: a\nlanguage: []\n---\nb", ['3: the field "language" is empty'], ["b"]],
  ["---\ntitle: [a]\n---\nb", ['2: the field "title" is not plain text'], ["b"]],
  ["---\nlanguage: {a: b}\n---\nb", ['2: the field "language" is not plain text'], ["b"]],
  [
    "---\ntitle: a\ntitle: b\n---\nc",
    ["3: the front matter is not YAML that Pith reads: duplicated mapping key"],
    ["c"],
  ],
  [
    "---\ntitle: a\nlanguage: [python, pyhton]\n---\nb",
    [
      '3: no language is known as "pyhton"; the examples serve documents of exactly that identifier',
    ],
    ["b"],
  ],
  [
    "one\n***\na\n=>\nb\n=>\nc\n***\ntwo",
    ["6: the example has a second line => and is left out"],
    ["one", "two"],
  ],
  [
    "one\n***\n\n=>\nb\n***\ntwo",
    ["4: the example has no task before => and is left out"],
    ["one", "two"],
  ],
  ["a\n=>\n\n***\nb", ["2: the example has no answer behind => and is left out"], ["b"]],
  [
    "one\n***\n\n***\ntwo",
    ["2: there is no example between this line *** and the next"],
    ["one", "two"],
  ],
  [
    "one\n***\n```ts\ncode\n***\n",
    ["3: the code fence is never closed: all that follows is its code"],
    ["one", "```ts\ncode\n***"],
  ],
  [
    "---\nlang: x\n---\na\n=>\n***\n=>\nb\n***\n~~~",
    [
      '2: the field "lang" is not one of language, title',
      "5: the example has no answer behind => and is left out",
      "7: the example has no task before => and is left out",
      "10: the code fence is never closed: all that follows is its code",
    ],
    ["~~~"],
  ],
];
for (const [text, problems, texts] of wrong)
  test(`${JSON.stringify(text)} is told with its lines, and the other examples stay`, () => {
    const file = parseDemonstrations(text);
    assert.deepEqual(
      file.problems.map(({ line, message }) => `${line}: ${message}`),
      problems,
    );
    assert.deepEqual(textsOf(file), texts);
  });

test("no text is refused, and every problem names a line of it", () => {
  const lines = ["---", "***", "=>", "```", "~~~~", "language: c", "title: [", "", "\t- a", "text"];
  const texts = fc.array(fc.constantFrom(...lines), { maxLength: 12 });
  fc.assert(
    fc.property(texts, (given) => {
      const { demonstrations, problems } = parseDemonstrations(given.join("\n"));
      const count = Math.max(1, given.length);
      assert.ok(problems.every(({ line }) => line >= 1 && line <= count));
      assert.ok(demonstrations.every(({ startLine, endLine }) => startLine <= endLine));
      assert.ok(demonstrations.length > 0 || problems.length > 0);
    }),
  );
});

test("a task and its answer read one above the other", () => {
  const [first] = parseDemonstrations("a\n=>\nb\n***\nc").demonstrations;
  assert.equal(first && renderDemonstration(first), "a\nb");
});

function textsOf({ demonstrations }: ReturnType<typeof parseDemonstrations>): string[] {
  return demonstrations.map(({ text }) => text);
}
