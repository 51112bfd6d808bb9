import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commonLength } from "../../sidecar/completion/layout.ts";
import { PrefixWindow, SuffixWindow } from "../../sidecar/completion/window.ts";

// A tokenizer whose tokens are plain to count: a word with the blank before it, a run of blanks, a
// line end, any other character.
const encoder = {
  encodedLength: 0,
  encode(text: string): Uint32Array {
    encoder.encodedLength += text.length;
    const tokens = text.match(/ ?\w+| +|\n|./gsu) ?? [];
    return Uint32Array.from(tokens, (token) => token.length * 1000 + token.charCodeAt(0));
  },
};
const limits = { tokens: 40, step: 10 };

/** `count` lines of five tokens each. */
function lines(count: number, name = "line"): string {
  return Array.from({ length: count }, (_, index) => `${name} is ${index};\n`).join("");
}

test("a short text is its own window", () => {
  const text = lines(3);
  const { text: window, ids } = new PrefixWindow(encoder, limits).read(text);
  assert.equal(window, text);
  assert.deepEqual(ids, encoder.encode(text));
});

test("a new window starts at a line and leaves room for a step of typing", () => {
  const near = new PrefixWindow(encoder, limits).read(`${lines(100)}abc`);
  assert.match(near.text, /^line is \d+;\n/);
  assert.equal(near.ids.length, 26);
});

test("typing keeps the window's start until the window is full, then a step is lost at once", () => {
  const window = new PrefixWindow(encoder, limits);
  let text = lines(100);
  let last = window.read(text);
  let slides = 0;
  for (const character of lines(20)) {
    text += character;
    const near = window.read(text);
    assert.ok(near.ids.length <= limits.tokens);
    if (!near.text.startsWith(last.text)) {
      slides += 1;
      assert.ok(last.ids.length - near.ids.length >= limits.step - 5);
    }
    last = near;
  }
  assert.ok(slides >= 5 && slides <= 12, `${slides} slides for 100 tokens`);
});

test("deleting keeps the start, until half the room is unused", () => {
  const window = new PrefixWindow(encoder, limits);
  const text = lines(100);
  const first = window.read(text);
  const shorter = window.read(text.slice(0, -20));
  assert.ok(first.text.startsWith(shorter.text));
  const fresh = window.read(text.slice(0, -200));
  assert.ok(!first.text.startsWith(fresh.text));
  assert.ok(fresh.ids.length > 20 && fresh.ids.length <= 30);
});

test("an edit above the window moves the window along", () => {
  const window = new PrefixWindow(encoder, limits);
  const text = lines(100);
  const first = window.read(text);
  assert.equal(window.read(`import a;\n${text}b`).text, `${first.text}b`);
});

test("another text of the same length gets a window of its own", () => {
  const window = new PrefixWindow(encoder, limits);
  window.read(lines(100));
  const near = window.read(lines(100, "other").slice(7));
  assert.match(near.text, /^other is \d+;\n/);
});

test("a line longer than the window is cut inside, between whole characters", () => {
  const near = new PrefixWindow(encoder, limits).read(`a\n${"😀".repeat(500)}`);
  assert.ok(near.ids.length <= 30 && near.ids.length > 20);
  assert.match(near.text, /^(?:😀)+$/u);
  const suffix = new SuffixWindow(encoder, 40).read("😀".repeat(500));
  assert.ok(suffix.ids.length <= 40 && suffix.ids.length > 30);
  assert.match(suffix.text, /^(?:😀)+$/u);
});

test("a suffix ends with a line and keeps its ids while its text is the same", () => {
  const window = new SuffixWindow(encoder, 23);
  const near = window.read(`;\n${lines(100)}`);
  assert.equal(near.text, `;\n${lines(4)}`);
  assert.equal(window.read(`;\n${lines(100)}`), near);
  assert.equal(window.read("").ids.length, 0);
});

test("a keystroke in a long document tokenises the windows only", () => {
  const prefix = lines(20_000);
  const window = new PrefixWindow(encoder, limits);
  const suffixWindow = new SuffixWindow(encoder, 23);
  window.read(prefix);
  suffixWindow.read(prefix);
  encoder.encodedLength = 0;
  window.read(`${prefix}a`);
  suffixWindow.read(prefix);
  assert.ok(encoder.encodedLength < 40 * 16, `${encoder.encodedLength} characters encoded`);
});

test("after any edits a window is the end of the text, within its limit, from a line start", () => {
  const piece = fc.oneof(
    fc.stringMatching(/^[ab (]{0,9}\n?$/),
    fc.integer({ min: 1, max: 300 }).map((count) => -count),
    fc.integer({ min: 1, max: 30 }).map((count) => lines(count)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const window = new PrefixWindow(encoder, limits);
      let text = lines(12);
      for (const each of pieces) {
        text = typeof each === "number" ? text.slice(0, each) : text + each;
        const near = window.read(text);
        assert.ok(text.endsWith(near.text));
        assert.ok(near.ids.length <= limits.tokens);
        const start = text.length - near.text.length;
        const isLineStart = start === 0 || text[start - 1] === "\n";
        assert.ok(isLineStart || !near.text.includes("\n"), "starts inside a line");
        assert.equal(commonLength(near.ids, encoder.encode(near.text)), near.ids.length);
      }
    }),
  );
});
