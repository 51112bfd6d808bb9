import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import { cutAtCursor, extended } from "../../sidecar/server/cursor.ts";

test("a completion's range reaches over the characters it takes the place of", () => {
  const document = TextDocument.create("file:///a.py", "python", 1, "a\nif (b)\n");
  const position = { line: 1, character: 5 };
  const { range } = cutAtCursor(document, {
    textDocument: { uri: document.uri },
    position,
    context: { triggerKind: 2 },
  });
  const edits = [{ newText: "):", range: extended(range, 1) }];
  assert.equal(TextDocument.applyEdits(document, edits), "a\nif (b):\n");
  assert.deepEqual(extended(range, 0), range);
});
