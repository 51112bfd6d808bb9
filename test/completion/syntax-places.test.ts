// Gaps in real code with the text that the 0.5B wrote there (test/golden/syntax-record.json, made by
// syntax.bench.ts): by rule alone, accepting what is shown of it breaks hardly any file.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { shapeGenerated } from "../support/case-run.ts";
import { ErrorCounter } from "../support/parsed-code.ts";
import { pickSyntaxPlaces } from "../support/syntax-places.ts";

interface Written {
  readonly generated: string;
  /** The text ended at its greatest length. */
  readonly isCut?: boolean;
  /** Something was shown before syntax was looked at. */
  readonly wasShown?: boolean;
}

const { seed, written } = JSON.parse(readFileSync("test/golden/syntax-record.json", "utf8")) as {
  seed: number;
  written: Record<string, Written>;
};

test("accepting what is shown makes errors at one place in a hundred at most", async () => {
  const errors = new ErrorCounter();
  const broken: string[] = [];
  let shown = 0;
  let wasShown = 0;
  let isStillShown = 0;
  const places = (await pickSyntaxPlaces(seed)).filter(({ id }) => id in written);
  assert.ok(places.length >= 600, `${places.length} places have a text`);
  for (const { id, grammar, ...document } of places) {
    const { generated, isCut = false, ...before } = written[id] ?? assert.fail(`no text for ${id}`);
    const { text, replaced } = await shapeGenerated(generated, { ...document, isCut });
    if (before.wasShown) wasShown += 1;
    if (text === "") continue;
    shown += 1;
    if (before.wasShown) isStillShown += 1;
    const { prefix, suffix } = document;
    const accepted = await errors.count(grammar, prefix + text + suffix.slice(replaced));
    const isWhole = accepted === 0 || accepted <= (await errors.count(grammar, prefix + suffix));
    if (!isWhole) broken.push(id);
  }
  assert.ok(shown >= 450, `${shown} are shown`);
  assert.ok(broken.length <= shown / 100, `${broken.length} of ${shown}: ${broken.join(", ")}`);
  assert.ok(isStillShown >= 0.9 * wasShown, `${isStillShown} of ${wasShown} are still shown`);
});
