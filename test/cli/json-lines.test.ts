import assert from "node:assert/strict";
import { test } from "node:test";
import { readLines } from "../../sidecar/cli/json-lines.ts";
import { errorKind } from "../../sidecar/errors.ts";

/** Lines as `number:text`, or `number!kind`, of bytes that come `size` at a time. */
async function checkLines(bytes: Uint8Array | string, expected: string[], size: number) {
  const all = Buffer.from(bytes);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < all.length; start += size) yield all.subarray(start, start + size);
  }
  const found: string[] = [];
  for await (const input of readLines(chunks(), 8)) {
    const { line } = input;
    found.push("text" in input ? `${line}:${input.text}` : `${line}!${errorKind(input.error)}`);
  }
  assert.deepEqual(found, expected);
}

const cases: [label: string, bytes: Uint8Array | string, expected: string[]][] = [
  ["nothing", "", []],
  ["one line without an end", "abc", ["1:abc"]],
  ["two lines", "a\nb\n", ["1:a", "2:b"]],
  ["blank lines count and are left out", "a\n\n  \nb", ["1:a", "4:b"]],
  ["a line end of two characters", "a\r\nb\r\n", ["1:a\r", "2:b\r"]],
  ["characters of several bytes", "ü👍\nñ", ["1:ü👍", "2:ñ"]],
  ["as many bytes as a line may have", "12345678\n1", ["1:12345678", "2:1"]],
  ["one byte more", "123456789\n1", ["1!limit", "2:1"]],
  ["many more", `${"x".repeat(1000)}\n1\n`, ["1!limit", "2:1"]],
  ["bytes that are no UTF-8", Uint8Array.of(0xff, 0x0a, 0x61), ["1!format", "2:a"]],
];
for (const [label, bytes, expected] of cases) {
  for (const size of [1, 3, 4096]) {
    test(`${label}, ${size} bytes at a time`, () => checkLines(bytes, expected, size));
  }
}
