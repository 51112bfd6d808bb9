import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { cutPieces } from "../../sidecar/memory/pieces.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { cut } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
let tokenizer: Tokenizer;
before(async () => {
  tiny = await openTiny();
  tokenizer = tiny.tokenizer;
});
after(() => tiny.close());

const header = [7, 50, 51];

function piecesOf(text: string, limit = 32, path?: string): Promise<number[][]> {
  return cutPieces(tokenizer, { header, path, text }, { limit, cut });
}

function textOf(ids: readonly number[]): string {
  return Buffer.concat(ids.map((id) => tokenizer.bytesOf(id))).toString("utf8");
}

test("pieces hold the text and the header once, none is empty or too long", async () => {
  const line = fc.oneof(
    fc.constantFrom("", "const a = 1;", "  return the(string);", "}"),
    fc.string({ maxLength: 200 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 20 }),
      fc.integer({ min: 4, max: 64 }),
      fc.constantFrom(undefined, "a.ts"),
      async (lines, limit, path) => {
        const text = lines.join("\n");
        const pieces = await piecesOf(text, limit, path);
        assert.ok(pieces.every(({ length }) => length > 0 && length <= limit));
        const ids = pieces.flat();
        assert.deepEqual(ids.slice(0, header.length), header);
        assert.equal(textOf(ids.slice(header.length)), Buffer.from(text).toString("utf8"));
      },
    ),
  );
});

test("a span that fits is one piece", async () => {
  assert.deepEqual(await piecesOf("const a = 1;\n"), [
    [...header, ...tokenizer.encode("const a = 1;\n")],
  ]);
});

test("cuts are made at line ends", async () => {
  const text = "const abc = 1;\n".repeat(20);
  const ends = (await piecesOf(text)).map((piece) => textOf(piece).at(-1));
  assert.ok(ends.length > 3);
  assert.deepEqual(new Set(ends), new Set(["\n"]));
});

test("code is cut where a statement begins, other text behind a blank line", async () => {
  const code = "const ab = {\n  cd: 1,\n  ef: 2,\n};\nlet gh = {\n  ij: 3,\n};\nlet kl = 4;\n";
  const [first = []] = await piecesOf(code, 40, "a.ts");
  assert.equal(textOf(first.slice(header.length)), "const ab = {\n  cd: 1,\n  ef: 2,\n};\n");
  const text = `${"abcdefg\n".repeat(2)}\n${"hijk\n".repeat(20)}`;
  const [start = []] = await piecesOf(text);
  assert.equal(textOf(start.slice(header.length)), `${"abcdefg\n".repeat(2)}\n`);
});

test("a line longer than a piece is cut at token borders, and no other line", async () => {
  const text = `a = 1;\n${"b".repeat(70)}\nc = 2;\nd = 3;\n`;
  const pieces = (await piecesOf(text)).map(textOf);
  assert.ok(pieces.some((piece) => /^b+$/.test(piece)));
  assert.ok(pieces.some((piece) => piece.includes("c = 2;\n")));
  assert.ok(pieces.some((piece) => piece.includes("d = 3;\n")));
  // The header takes no line apart that is no longer than a piece itself.
  const line = `${"e".repeat(31)}\n`;
  const [own = [], behind = []] = await piecesOf(`${line}f\n`);
  assert.deepEqual([own, textOf(behind)], [header, line]);
});

test("a megabyte in one line is cut without delay", async () => {
  const start = performance.now();
  const pieces = await piecesOf("x".repeat(1_000_000), 128);
  assert.ok(pieces.length > 1000);
  assert.ok(performance.now() - start < 5000);
});
