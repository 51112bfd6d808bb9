import assert from "node:assert/strict";
import { test } from "node:test";
import { documentPath } from "../../sidecar/server/document-path.ts";

const folders = ["file:///home/me/project", "file:///home/me/project/packages/core/"];

const cases = [
  ["within a folder", "file:///home/me/project/src/a.ts", "src/a.ts"],
  ["within the inner one of two", "file:///home/me/project/packages/core/b.ts", "b.ts"],
  ["beside a folder of the same beginning", "file:///home/me/project2/c.ts", "c.ts"],
  ["elsewhere", "file:///tmp/d.ts", "d.ts"],
  ["not saved yet", "untitled:Untitled-1", "Untitled-1"],
  ["with characters that URIs encode", "file:///home/me/project/a%20%C3%BC.ts", "a ü.ts"],
  ["with a percent sign that encodes nothing", "file:///tmp/100%.ts", "100%.ts"],
  ["a cell of a notebook", "vscode-notebook-cell:/home/me/n.ipynb#W0s", "n.ipynb"],
] as const;
for (const [label, uri, path] of cases) {
  test(`a document ${label} is ${path}`, () => assert.equal(documentPath(uri, folders), path));
}
