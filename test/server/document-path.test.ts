import assert from "node:assert/strict";
import { test } from "node:test";
import {
  documentPath,
  documentPlace,
  filePath,
  notebookKey,
} from "../../sidecar/server/document-path.ts";

const folders = ["file:///home/me/project", "file:///home/me/project/packages/core/"];

const cases = [
  ["within a folder", "file:///home/me/project/src/a.ts", "src/a.ts"],
  ["within the inner one of two", "file:///home/me/project/packages/core/b.ts", "b.ts"],
  ["beside a folder of the same beginning", "file:///home/me/project2/c.ts", "c.ts"],
  ["elsewhere", "file:///tmp/d.ts", "d.ts"],
  ["not saved yet", "untitled:Untitled-1", "Untitled-1"],
  ["with characters that URIs encode", "file:///home/me/project/a%20%C3%BC.ts", "a ü.ts"],
  ["with a percent sign that encodes nothing", "file:///tmp/100%.ts", "100%.ts"],
  ["in a folder that is encoded otherwise", "file:///home/me/proj%65ct/e.ts", "e.ts"],
  ["of an older version", "git:/home/me/project/src/a.ts?%7B%7D", "src/a.ts"],
  [
    "a cell of a notebook in a folder",
    "vscode-notebook-cell:/home/me/project/b/n.ipynb#W0s",
    "b/n.ipynb",
  ],
  ["a cell of a notebook", "vscode-notebook-cell:/home/me/n.ipynb#W0s", "n.ipynb"],
] as const;
for (const [label, uri, path] of cases) {
  test(`a document ${label} is ${path}`, () => assert.equal(documentPath(uri, folders), path));
}

const places = [
  ["file:///home/me/a%20%C3%BC%23.ts", { file: "/home/me/a ü#.ts", isElsewhere: false }],
  // Of a Windows share.
  ["file://server/share/a.ts", { file: "//server/share/a.ts", isElsewhere: false }],
  ["vscode-notebook-cell:/nb/a.ipynb#W0sZmlsZQ%3D%3D", { file: "/nb/a.ipynb", isElsewhere: true }],
  // Of a notebook that was not saved yet.
  ["vscode-notebook-cell:Untitled-1.ipynb#W3sdW50aXRsZWQ%3D", inRoot("Untitled-1.ipynb")],
  ["untitled:Untitled-1", inRoot("Untitled-1")],
  ["untitled:/w/src/new.ts", { file: "/w/src/new.ts", isElsewhere: true }],
  ["git:/w/src/a.ts?%7B%22ref%22%3A%22%22%7D", { file: "/w/src/a.ts", isElsewhere: true }],
  ["vscode-vfs://github/me/place/src/a.ts", inRoot("a.ts")],
] as const;
for (const [uri, place] of places)
  test(`${uri} has the place ${JSON.stringify(place)}`, () => {
    assert.deepEqual(documentPlace(uri, ["/w"]), place);
    assert.equal(filePath(uri), place.isElsewhere ? null : place.file);
    assert.deepEqual(
      documentPlace(uri, [])?.file,
      uri.includes("/nb/") ? place.file : (filePath(uri) ?? undefined),
    );
  });

test("cells of one notebook share a key, and nothing else has one", () => {
  const cell = (path: string, at: number) => notebookKey(`vscode-notebook-cell:${path}#W${at}s`);
  assert.equal(cell("/a.ipynb", 0), cell("/a.ipynb", 1));
  assert.notEqual(cell("/a.ipynb", 0), cell("/b.ipynb", 0));
  assert.equal(notebookKey("file:///a.ipynb"), null);
});

function inRoot(name: string) {
  return { file: `/w/${name}`, isElsewhere: true };
}

test("what no path can be has no place", () => {
  for (const uri of ["file:///home/me/a%00b.ts", "file:////a.ts"]) {
    assert.equal(filePath(uri), null);
    assert.equal(documentPlace(uri, ["/w"]), null);
  }
});
