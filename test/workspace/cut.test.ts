// Pieces of a text: laws for any text and any borders, and what the borders of a grammar do.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutText, type Piece } from "../../sidecar/workspace/cut.ts";
import { lineEnd, plainBorders } from "../../sidecar/workspace/syntax/borders.ts";
import { SyntaxReader } from "../../sidecar/workspace/syntax/syntax.ts";
import { readCorpus } from "../support/corpus.ts";

/** Words and signs: near enough to tokens, and exact enough to count on. */
const countTokens = (text: string): number => text.match(/\w+|[^\w\s]/g)?.length ?? 0;

const anyText = fc
  .array(fc.constantFrom("", "a", "  b c", "d(e, f);", "\tg", "é 한글", "\r"), { maxLength: 60 })
  .chain((lines) => fc.constantFrom("", "\n").map((end) => lines.join("\n") + end));
const anyRank = fc.constantFrom(0, 1, 2, 1_001, 2_004, lineEnd);

test("pieces are the text, end at line ends, and keep the limit unless they are one line", () => {
  fc.assert(
    fc.property(
      anyText,
      fc.array(anyRank, { minLength: 62, maxLength: 62 }),
      fc.integer({ min: 1, max: 12 }),
      (text, ranks, limit) => {
        checkLaws(text, cutText(text, Float64Array.from(ranks), { countTokens, limit }), limit);
      },
    ),
  );
});

test("a lead takes room of the first piece alone", () => {
  const text = "a b c\n".repeat(4);
  const options = { countTokens, limit: 6, leadTokens: 2 };
  const lines = cutText(text, plainBorders(text), options).map(({ endLine }) => endLine);
  assert.deepEqual(lines, [1, 3, 4]);
});

test("real code in every language obeys the laws, and is cut into few pieces", async () => {
  const reader = new SyntaxReader();
  const grammars = { typescript: "typescript", python: "python", go: "go", rust: "rust" } as const;
  for (const { language, text } of readCorpus()) {
    const grammar = grammars[language as keyof typeof grammars] ?? null;
    const { borders } = await reader.read(text, grammar);
    const pieces = cutText(text, borders, { countTokens, limit: 128 });
    checkLaws(text, pieces, 128);
    assert(pieces.length <= Math.ceil((2.5 * countTokens(text)) / 128) + 1, `${language}`);
  }
});

const shop = `import { Price } from "./price";

/** Adds up. */
export function total(prices: Price[]): number {
  let sum = 0;
  for (const price of prices) {
    sum += price.amount;
  }
  return sum;
}

export class Shop {
  readonly name = "shop";

  // Opens the doors.
  open(): void {
    this.doors.forEach((door) => door.open());
  }
}
`;
const cases: [label: string, limit: number, startLines: number[]][] = [
  ["a text that fits is one piece", 200, [0]],
  ["statements go first, a comment stays with its statement", 48, [0, 2, 11]],
  ["a long class is cut at its members, behind their comments never", 34, [0, 2, 5, 11, 14]],
];
for (const [label, limit, startLines] of cases) {
  test(label, async () => {
    const { borders } = await new SyntaxReader().read(shop, "typescript");
    const pieces = cutText(shop, borders, { countTokens, limit });
    assert.deepEqual(
      pieces.map((piece) => piece.startLine),
      startLines,
    );
  });
}

test("without a grammar the cut is behind a blank line, the less indented first", () => {
  const text = "a b c\n\n  d e f\n\ng h i\nj k l\n";
  const pieces = cutText(text, plainBorders(text), { countTokens, limit: 8 });
  assert.deepEqual(
    pieces.map((piece) => piece.startLine),
    [0, 4],
  );
});

test("what the parser cannot read is cut like plain text, the rest by its statements", async () => {
  const broken = `${shop}\nconst = = {{{ ((\n\n  ]] of ;\n`;
  const { borders } = await new SyntaxReader().read(broken, "typescript");
  const whole = await new SyntaxReader().read(shop, "typescript");
  assert.deepEqual([...borders.slice(0, 11)], [...whole.borders.slice(0, 11)]);
  checkLaws(broken, cutText(broken, borders, { countTokens, limit: 24 }), 24);
});

function checkLaws(text: string, pieces: readonly Piece[], limit: number): void {
  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  let line = 0;
  for (const piece of pieces) {
    assert.equal(piece.startLine, line);
    line = piece.endLine;
    const isLast = piece === pieces.at(-1);
    assert(isLast || piece.text.endsWith("\n"), "cut inside a line");
    const lineCount = piece.endLine - piece.startLine;
    assert(lineCount === 1 || countTokens(piece.text) <= limit, `over ${limit}: ${piece.text}`);
  }
}
