import assert from "node:assert/strict";
import { test } from "node:test";
import { problemWords } from "../../extension/demonstration-problem-text.ts";
import { problemAt, problemKinds } from "../../sidecar/selection/demonstration-problem.ts";

test("every kind of problem has the sidecar's words, as a sentence that can be translated", () => {
  for (const kind of problemKinds) {
    const { message, subject } = problemAt(1, kind, '"x"');
    const [first = "", ...rest] = message;
    assert.equal(problemWords(kind, subject, english), `${first.toUpperCase()}${rest.join("")}.`);
  }
});

test("a kind of a newer sidecar has none", () => {
  assert.equal(problemWords("other", "", english), null);
  assert.equal(problemWords(undefined, "", english), null);
});

/** `vscode.l10n.t` without a translation. */
function english(message: string, ...values: (string | number)[]): string {
  return message.replaceAll(/\{(\d)\}/g, (_, index) => `${values[Number(index)]}`);
}
