import assert from "node:assert/strict";
import { test } from "node:test";
import { isInsideWord, readPlace } from "../../sidecar/completion/place.ts";

/** `$0` is the cursor. */
function checkExtent(marked: string, languageId: string, expected: "line" | "block"): void {
  const [prefix = "", suffix = ""] = marked.split("$0");
  assert.equal(readPlace({ prefix, suffix, languageId }, "auto").extent, expected);
  assert.equal(readPlace({ prefix, suffix, languageId }, "never").extent, "line");
}

const extents: [label: string, marked: string, languageId: string, extent: "line" | "block"][] = [
  ["the end of a statement", "const a = 1;$0\n", "typescript", "line"],
  ["the middle of a word", "const tot$0\n", "typescript", "line"],
  ["an opening brace", "function f() {$0\n", "typescript", "block"],
  ["an opening brace and a blank", "function f() { $0\n", "typescript", "block"],
  ["an opening brace with its closer", "function f() {$0}\n", "typescript", "block"],
  ["an opening brace before code", "const a = {$0 b: 1 };\n", "typescript", "line"],
  ["braces before more arguments", "later(() => {$0}, 1000);\n", "typescript", "block"],
  ["braces before a call", "users.map(|user| {$0}).collect()\n", "rust", "block"],
  ["braces in a string", `log(\`a \${$0}\`);\n`, "typescript", "line"],
  ["an arrow", "const f = (x) =>$0\n", "typescript", "block"],
  ["an arrow inside a call", "list.map((x) => $0);\n", "typescript", "block"],
  ["an opening parenthesis", "call($0)\n", "typescript", "line"],
  ["a colon in Python", "def f(x):$0\n", "python", "block"],
  ["a colon inside Python brackets", 'x = {"a":$0\n', "python", "line"],
  ["a colon in TypeScript", "const a:$0\n", "typescript", "line"],
  ["`do` in Ruby", "list.each do |x|$0\n", "ruby", "block"],
  ["`then` in Lua", "if x then$0\n", "lua", "block"],
  ["`do` in TypeScript", "const todo = do$0\n", "typescript", "line"],
  ["an empty deeper line", "function f() {\n  $0\n}\n", "typescript", "block"],
  ["an empty deeper line with tabs", "func f() {\n\t$0\n}\n", "go", "block"],
  ["an empty deeper line after an empty one", "function f() {\n\n  $0\n}\n", "typescript", "block"],
  ["an empty line as deep as the last", "  a();\n  $0\n", "typescript", "line"],
  ["an empty line at the margin", "a();\n$0\n", "typescript", "line"],
  ["a deeper line with code behind the cursor", "f(\n    $0a)\n", "python", "line"],
  ["an empty text", "$0", "typescript", "line"],
  ["Windows line ends", "function f() {\r\n  $0\r\n}\r\n", "typescript", "block"],
];
for (const [label, marked, languageId, extent] of extents) {
  test(`${label} starts a ${extent}`, () => checkExtent(marked, languageId, extent));
}

const words: [marked: string, isInside: boolean][] = [
  ["fo$0o", true],
  ["foo$0", false],
  ["$0foo", false],
  ["foo.$0bar", false],
  ["naï$0ve", true],
  ["a$0 b", false],
  ["e\u0301$0e", true],
  ["\ud83d$0\ude00", true],
  ["\ud83d$0a", false],
  ["计算$0价格", false],
  ["ひらが$0な", false],
  ["コーヒ$0ー", false],
  ["ภาษา$0ไทย", false],
  ["값$0을", true],
  ["变量$0name", false],
];
for (const [marked, isInside] of words) {
  test(`${marked} is ${isInside ? "" : "not "}inside a word`, () => {
    const [prefix = "", suffix = ""] = marked.split("$0");
    assert.equal(isInsideWord({ prefix, suffix }), isInside);
  });
}

const opened: [label: string, marked: string, open: string, closed: string][] = [
  ["an argument", "f(g($0))", "((", "(("],
  ["the inner of two", "f(g($0)", "((", "( "],
  ["a template", `f(\`a \${$0}\`)`, "(`{", "(`{"],
  ["a string without its quote", 'f("a$0)', '("', "( "],
  ["a string without its quote, in a bracket", 'f("a {$0}', '("', "  "],
  ["a bracket in a string", "f('a:{$0}')", "('{", "('{"],
  ["a type's arguments", "Map<$0> a;", "<", "<"],
  ["a tag", '<a b="$0">', '"', '"'],
  ["a tag's end", "<a $0>", "<", "<"],
  ["a comparison", "if (a <$0) {", "(", "("],
  ["a body that goes on", "function f() {\n  $0\n  a();\n}\n", "{", "{"],
  ["an inner body without its closer", "if (a) {\n  if (b) {\n    $0\n}\n", "{{", "{ "],
  ["a callback", "f(() => {\n  $0\n});\n", "({", "({"],
  ["arguments on lines", "f(\n  a,\n  g($0)\n);\n", "((", "(("],
  ["nothing below", "f(() => {\n  $0", "({", "  "],
];
for (const [label, marked, open, closed] of opened) {
  test(`${label}: of "${open}" "${closed}" is closed behind the cursor`, () => {
    const [prefix = "", suffix = ""] = marked.split("$0");
    const place = readPlace({ prefix, suffix, languageId: "typescript" }, "auto");
    assert.equal(place.open.map(({ character }) => character).join(""), open);
    assert.equal(
      place.open.map(({ character, isClosed }) => (isClosed ? character : " ")).join(""),
      closed,
    );
  });
}
