import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { cutPieces } from "../../sidecar/memory/pieces.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
let tokenizer: Tokenizer;
before(async () => {
  tiny = await openTiny();
  tokenizer = tiny.tokenizer;
});
after(() => tiny.close());

const header = [7, 50, 51];

function cut(text: string, limit = 32): number[][] {
  return cutPieces(tokenizer, { header, text }, limit);
}

function textOf(ids: readonly number[]): string {
  return Buffer.concat(ids.map((id) => tokenizer.bytesOf(id))).toString("utf8");
}

test("pieces hold the text and the header once, none is empty or too long", () => {
  const line = fc.oneof(
    fc.constantFrom("", "const a = 1;", "  return the(string);", "}"),
    fc.string({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.integer({ min: 4, max: 64 }),
      (lines, limit) => {
        const text = lines.join("\n");
        const pieces = cut(text, limit);
        assert.ok(pieces.every(({ length }) => length > 0 && length <= limit));
        const ids = pieces.flat();
        assert.deepEqual(ids.slice(0, header.length), header);
        assert.equal(textOf(ids.slice(header.length)), Buffer.from(text).toString("utf8"));
      },
    ),
  );
});

test("a span that fits is one piece", () => {
  assert.deepEqual(cut("const a = 1;\n"), [[...header, ...tokenizer.encode("const a = 1;\n")]]);
});

test("cuts are made at line ends", () => {
  const text = "const abc = 1;\n".repeat(20);
  const ends = cut(text).map((piece) => textOf(piece).at(-1));
  assert.ok(ends.length > 3);
  assert.deepEqual(new Set(ends), new Set(["\n"]));
});

test("a blank line in the later half of a piece is the better place", () => {
  const text = `${"abcdefg\n".repeat(2)}\n${"hijk\n".repeat(20)}`;
  const [first] = cut(text);
  assert.equal(textOf((first ?? []).slice(header.length)), `${"abcdefg\n".repeat(2)}\n`);
});

test("a line longer than a piece is cut at token borders, and no other line", () => {
  const text = `a = 1;\n${"b".repeat(70)}\nc = 2;\nd = 3;\n`;
  const pieces = cut(text).map(textOf);
  assert.ok(pieces.some((piece) => /^b+$/.test(piece)));
  assert.ok(pieces.some((piece) => piece.includes("c = 2;\n")));
  assert.ok(pieces.some((piece) => piece.includes("d = 3;\n")));
});

test("a megabyte in one line is cut without delay", () => {
  const start = performance.now();
  const pieces = cut("x".repeat(1_000_000), 128);
  assert.ok(pieces.length > 1000);
  assert.ok(performance.now() - start < 5000);
});
