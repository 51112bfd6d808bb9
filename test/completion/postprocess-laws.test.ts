// What holds of shaped texts whatever was generated, and wherever.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readPlace } from "../../sidecar/completion/place.ts";
import { findEnd, shapeText } from "../../sidecar/completion/postprocess.ts";

const code = fc
  .array(
    fc.constantFrom(
      ..."abc (){}[];,:=.\"'\n",
      "\n  ",
      "\n    ",
      "\n}",
      " => ",
      "else",
      "return ",
      "end",
      "\r\n",
      "😀",
    ),
    { maxLength: 24 },
  )
  .map((pieces) => pieces.join(""));
const places = fc.record({
  prefix: code,
  suffix: code,
  languageId: fc.constantFrom("typescript", "python", "ruby"),
  multiline: fc.constantFrom("auto" as const, "never" as const),
});

test("a text to show is a part of what was generated, or there is a reason", () => {
  fc.assert(
    fc.property(places, code, fc.boolean(), ({ multiline, ...cursor }, generated, isCut) => {
      const place = readPlace(cursor, multiline);
      const { text, length, reason } = shapeText(generated, place, isCut);
      assert.equal(text.trim() === "", reason !== null);
      assert.ok(generated.slice(0, length).endsWith(text));
      if (place.extent === "line" && !place.mayOpenBlock) assert.ok(!text.includes("\n"));
    }),
    { numRuns: 5000 },
  );
});

test("a text is the same whether decoding stopped at its end or went on", () => {
  fc.assert(
    fc.property(places, code, ({ multiline, ...cursor }, generated) => {
      const place = readPlace(cursor, multiline);
      for (let length = 1; length <= generated.length; length += 1) {
        const decoded = generated.slice(0, length);
        if (findEnd(decoded, place) === null) continue;
        assert.deepEqual(shapeText(decoded, place, false), shapeText(generated, place, false));
        return;
      }
    }),
    {
      numRuns: 5000,
      // A line that ends the block, and may yet repeat the next line of the suffix.
      examples: [
        [{ prefix: "{", suffix: "\n(", languageId: "typescript", multiline: "auto" }, "\n(a"],
      ],
    },
  );
});
