// What is shown of a text within one line, and where decoding ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readPlace } from "../../sidecar/completion/place.ts";
import { findEnd } from "../../sidecar/completion/postprocess.ts";
import { type Case, check } from "./shaped-text.ts";

const lines: Case[] = [
  {
    label: "a line ends at its end",
    marked: "const a =$0\n",
    generated: " 1;\nconst b = 2;\n",
    shown: " 1;",
  },
  {
    label: "a Windows line end is not shown",
    marked: "const a =$0\r\n",
    generated: " 1;\r\nconst b",
    shown: " 1;",
  },
  {
    label: "blanks at the end of a line are not shown",
    marked: "const a =$0\n",
    generated: " 1;  \n",
    shown: " 1;",
  },
  { label: "a line without an end is shown", marked: "a$0", generated: "bc", shown: "bc" },
  {
    label: "no text at all is the end of the text",
    marked: "a;$0\n",
    generated: "",
    shown: { reason: "end-of-text" },
  },
  {
    label: "a line end alone is only space",
    marked: "a;$0\n",
    generated: "\nb;\n",
    shown: { reason: "only-space" },
  },
  {
    label: "blanks alone are only space",
    marked: "a;$0\n",
    generated: "   \n",
    shown: { reason: "only-space" },
  },
  {
    label: "a blank in front of the cursor is not doubled",
    marked: "  return $0\n",
    generated: " x;\n",
    shown: "x;",
  },
  {
    label: "a blank behind an indentation is not doubled",
    marked: "a();\n    $0\n",
    generated: " b();\n",
    shown: "b();",
  },
  {
    label: "a blank that makes the indentation even is shown",
    marked: "a();\n $0\n",
    generated: " b();\n",
    shown: " b();",
  },
  {
    label: "several blanks are an indentation",
    marked: "a();\n  $0\n",
    generated: "  b();\n",
    shown: "  b();",
  },
  {
    label: "a line that repeats the next one is not shown",
    marked: "$0\nreturn total;\n",
    generated: "return total;\n",
    shown: { reason: "repeats-suffix" },
  },
  {
    label: "a line that becomes the next one is not shown",
    marked: "  return$0\n\n  return total;\n",
    generated: " total;\n",
    shown: { reason: "repeats-suffix" },
  },
  {
    label: "a line like the next one but for its indentation and without a word is shown",
    marked: "  a($0\n  b\n);\n",
    generated: ");\n",
    shown: ");",
  },
];

const rests: Case[] = [
  {
    label: "a bracket right of the cursor is not repeated",
    marked: "call($0)\n",
    generated: "a, b);\n",
    shown: "a, b",
  },
  {
    label: "a bracket of the text's own is kept before the same bracket",
    marked: "print($0)\n",
    generated: "f(x)\n",
    shown: "f(x)",
  },
  {
    label: "of two brackets the outer one goes",
    marked: "print($0)\n",
    generated: "f(x))\n",
    shown: "f(x)",
  },
  {
    label: "brackets that the line still lacks are shown",
    marked: "foo(bar($0)\n",
    generated: "x));\n",
    shown: "x)",
  },
  {
    label: "two openers with two closers need no more",
    marked: "foo(bar($0))\n",
    generated: "x)));\n",
    shown: "x",
  },
  {
    label: "different brackets are closed in order",
    marked: "foo({$0)\n",
    generated: " a: 1 });\n",
    shown: " a: 1 }",
  },
  {
    label: "the rest of the line is not repeated",
    marked: "call(a$0, b);\n",
    generated: "bc, b);\n",
    shown: "bc",
  },
  {
    label: "a semicolon is not repeated",
    marked: "a = $0;\n",
    generated: "1;\n",
    shown: "1",
  },
  {
    label: "a comma before more of the line is not repeated",
    marked: "f($0, 10)\n",
    generated: "x,\n",
    shown: "x",
  },
  {
    label: "a quote right of the cursor is not repeated",
    marked: 'from "$0"\n',
    generated: 'node:test";\n',
    shown: "node:test",
  },
  {
    label: "an escaped quote does not end a string",
    marked: 'a = "$0"\n',
    generated: 'b\\"c";\n',
    shown: 'b\\"c',
  },
  {
    label: "a bracket in a string closes nothing",
    marked: "f($0)\n",
    generated: '")")\n',
    shown: '")"',
  },
  {
    label: "a blank before the rest of the line stays",
    marked: "const $0= 1;\n",
    generated: "total ",
    shown: "total ",
  },
  {
    label: "a text that is only the rest of the line repeats it",
    marked: "call(a$0);\n",
    generated: ");\n",
    shown: { reason: "repeats-suffix" },
  },
  {
    label: "a bracket on the next line is not repeated",
    marked: "foo(\n  a,$0\n);\n",
    generated: " b);\n",
    shown: " b",
  },
  {
    label: "a bracket that the next line's does not close is shown",
    marked: "foo(\n  bar(a,\n      b$0\n)\n",
    generated: ")\n",
    shown: ")",
  },
];

const strings: Case[] = [
  ["typescript", `log(\`Hello \${$0}\`);`, "name}!`);", "name"],
  ["typescript", `log(\`Hello \${f(\`\${$0}\`)}\`);`, "a}`)}`);", "a"],
  ["typescript", "log(`Hello $0`);", `\${user.name}!\`);`, `\${user.name}!`],
  ["python", 'print(f"{name} has {$0}")', 'score} points.")', "score"],
  ["python", "return f'user:{$0}'", 'user["id"]}:{user}\'', 'user["id"]'],
  ["python", "return 'user:{$0}'.format(user)", "}'.format(user)", { reason: "repeats-suffix" }],
  ["ruby", 'puts "Hello #{$0}"', 'name.upcase}!"', "name.upcase"],
  ["kotlin", `println("Hello \${$0}")`, 'map["a"]}")', 'map["a"]'],
  ["swift", 'print("Hello \\($0)")', 'name)!")', "name"],
  ["csharp", 'Log($"Hello {$0}");', 'name}");', "name"],
  ["php", 'echo "Hello {$0}";', '$user->name}";', "$user->name"],
  ["shellscript", `echo "Hello \${$0}"`, 'name:-you}"', "name:-you"],
  ["shellscript", 'echo "$($0)"', 'ls "$dir")"', 'ls "$dir"'],
  ["shellscript", "if [[ $0 ]]; then", '-f "$1" ]]; then', '-f "$1"'],
  ["scala", `println(s"Hello \${$0}")`, 'name}")', "name"],
  ["rust", 'println!("Hello {$0}");', 'name}!");', "name"],
  ["java", "Map<$0> users = new HashMap<>();", "String, List<User>> users;", "String, List<User>"],
  ["typescript", "const a: Map<$0>;", "string, (a: A) => B>;", "string, (a: A) => B"],
  ["typescriptreact", "return <p>$0</p>;", "<b>Hi</b></p>;", "<b>Hi</b>"],
  ["typescriptreact", 'return <p className="$0">', 'a b">Hi</p>', "a b"],
].map(([languageId, marked, generated, shown]) => ({
  label: `${languageId} ${marked}`,
  marked: `${marked}\n`,
  generated: `${generated}\n`,
  ...({ languageId, shown } as Pick<Case, "languageId" | "shown">),
}));

const rubbish: Case[] = [
  {
    label: "a text that only repeats itself is not shown",
    marked: "x = x or y or $0\n",
    generated: "x or y or x or y or x or y or x or",
    shown: { reason: "repeats-itself" },
  },
  {
    label: "a text is shown up to where it repeats itself",
    marked: "# $0\n",
    generated: "Sums up the end of the end of the end of the end of\n",
    shown: "Sums up",
  },
  {
    label: "a text that was cut in a repetition is shown up to there",
    marked: "a = [$0]\n",
    generated: "1, 0, 0, 0, 0, 0, 0, 0, 0, 0,",
    shown: "1",
    isCut: true,
  },
  {
    label: "U+FFFD and what is behind it are not shown",
    marked: "// $0\n",
    generated: "done \uFFFD and more\n",
    shown: "done",
  },
  {
    label: "a text that begins with U+FFFD is not shown",
    marked: "// $0\n",
    generated: "\uFFFD\n",
    shown: { reason: "end-of-text" },
  },
  {
    label: "a line two lines further down is not repeated",
    marked: "def f(path):\n    $0\n    with open(path) as file:\n        return json.load(file)\n",
    generated: "return json.load(file)\n",
    shown: { reason: "repeats-suffix" },
    languageId: "python",
  },
  {
    label: "a line behind the end of the block may come before it",
    marked: "if (!user) {\n  $0\n}\nreturn null;\n",
    generated: "return null;\n}\n",
    shown: "return null;",
  },
  {
    label: "one word may come again further down",
    marked: "switch (a) {\n  case 1:\n    $0\n    b();\n    break;\n}\n",
    generated: "break;\n",
    shown: "break;",
  },
];

for (const each of [...lines, ...rests, ...strings, ...rubbish])
  test(each.label, () => check(each));

const earliest: [label: string, marked: string, generated: string, length: number][] = [
  ["a line end is the end of a line", "a =$0\n", " 1;\n", 4],
  ["the rest of the line is the end of a call", "f($0)\n", "a)", 2],
  ["a closing line is known with its line end", "f() {$0\n", "\n  a();\n}\n", 10],
  ["an arrow's body is known with its line end", "f = (x) =>$0\n", " x;\n", 4],
];
for (const [label, marked, generated, length] of earliest) {
  test(`decoding stops as soon as ${label}`, () => {
    const [prefix = "", suffix = ""] = marked.split("$0");
    const place = readPlace({ prefix, suffix, languageId: "typescript" }, "auto");
    assert.equal(findEnd(generated.slice(0, length - 1), place), null);
    assert.notEqual(findEnd(generated.slice(0, length), place), null);
  });
}
