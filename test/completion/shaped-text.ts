// Checks what is shown of a generated text.
import assert from "node:assert/strict";
import { readPlace } from "../../sidecar/completion/place.ts";
import { findEnd, shapeText } from "../../sidecar/completion/postprocess.ts";

export interface Case {
  label: string;
  /** `$0` is the cursor. */
  marked: string;
  generated: string;
  /** The text shown, or the reason why there is none. */
  shown: string | { reason: string };
  languageId?: string;
  /** The answer was cut at its greatest length. */
  isCut?: boolean;
}

/** Shapes the whole text, and the text as far as decoding goes: character by character to its end. */
export function check({
  marked,
  generated,
  shown,
  languageId = "typescript",
  isCut = false,
}: Case): void {
  const [prefix = "", suffix = ""] = marked.split("$0");
  const place = readPlace({ prefix, suffix, languageId }, "auto");
  const ends = Array.from(generated, (_, index) => generated.slice(0, index + 1));
  const decoded = ends.find((text) => findEnd(text, place) !== null);
  for (const text of decoded === undefined ? [generated] : [generated, decoded]) {
    const shaped = shapeText(text, place, isCut && text === generated);
    assert.deepEqual(shaped.reason === null ? shaped.text : { reason: shaped.reason }, shown);
    assert.equal(shaped.reason === null, shaped.text !== "");
    assert.ok(generated.slice(0, shaped.length).endsWith(shaped.text));
  }
}
