import assert from "node:assert/strict";
import { test } from "node:test";
import { compressSentence, skippedText } from "../../extension/compress-text.ts";
import { skipReasons } from "../../sidecar/workspace/skip-reason.ts";

const language = { t: english, locale: "en" };
const report = { files: 3, spans: 12, tokens: 4848, positions: 404, skipped: [], problems: [] };

test("what became memories is told with its ratio, and how much was left out", () => {
  assert.equal(
    compressSentence(report, language),
    "Memories: 12, files: 3. Tokens: 4,848, in 404 positions at least (12x).",
  );
  const skipped = [{ path: "a.env", reason: "secret" }];
  assert.match(compressSentence({ ...report, skipped }, language), / Left out: 1\.$/);
  const none = { ...report, files: 0, spans: 0, tokens: 0, positions: 0, skipped };
  assert.equal(compressSentence(none, language), "Nothing became a memory. Left out: 1.");
});

test("every reason for leaving a file out has words of its own", () => {
  const skipped = skipReasons.map((reason) => ({ path: "a", reason }));
  const lines = skippedText({ ...report, skipped }, english)
    .trim()
    .split("\n");
  assert.equal(new Set(lines).size, skipReasons.length);
  for (const [index, line] of lines.entries()) assert.notEqual(line, `a: ${skipReasons[index]}`);
});

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: (string | number)[]): string {
  return message.replaceAll(/\{(\d)\}/g, (_, index) => `${values[Number(index)]}`);
}
