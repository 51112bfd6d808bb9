import assert from "node:assert/strict";
import { test } from "node:test";
import { cutAtPlace, parsePlace } from "../../sidecar/cli/complete.ts";
import { LimitError } from "../../sidecar/errors.ts";

const marked = [
  ["a$0bc\n", "a.ts:1:2"],
  ["$0", "a.ts:1:1"],
  ["a\n$0", "a.ts:2:1"],
  ["a\r\nb$0\r\nc", "a.ts:2:2"],
  ["a\rb$0\rc", "a.ts:2:2"],
  ["👍$0x", "a.ts:1:3"],
  ["one\n\n$0\nfour", "a.ts:3:1"],
] as const;
for (const [text, place] of marked) {
  test(`${place} in ${JSON.stringify(text)} is at its mark`, () => {
    const [prefix, suffix] = text.split("$0");
    const found = cutAtPlace(text.replace("$0", ""), parsePlace(place));
    assert.deepEqual(found, { prefix, suffix });
  });
}

test("a drive letter is part of the file", () => {
  assert.deepEqual(parsePlace("C:\\a.ts:12:3"), { file: "C:\\a.ts", line: 12, column: 3 });
});

for (const place of ["a.ts:3:1", "a.ts:1:5", "a.ts:2:2"]) {
  test(`${place} is outside of two lines`, () =>
    assert.throws(() => cutAtPlace("abc\n", parsePlace(place)), LimitError));
}
