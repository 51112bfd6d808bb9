// Two folders of one workspace: what the files of one import of the other is a candidate beside them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Folders } from "../../sidecar/project/folders.ts";
import { neighboursOf } from "../../sidecar/project/neighbours.ts";
import { candidatesFor } from "../../sidecar/project/selection.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

const files = {
  "lib/.aiignore": "own.ts\n",
  "lib/src/money.ts": "export function addMoney(left: number, right: number): number {}\n",
  "lib/src/own.ts": "export function addOwn(): void {}\n",
  "lib/coins.py": "def add_coins(left, right):\n    return left + right\n",
  "app/src/other.ts": "export const unrelated = 1;\n",
};
const after = "";
const cases: [what: string, path: string, text: string, expected: string | null][] = [
  [
    "along its path",
    "src/main.ts",
    'import { addMoney } from "../../lib/src/money";\n',
    "lib/src/money.ts",
  ],
  [
    "by the folder's name",
    "src/main.ts",
    'import { addMoney } from "lib/money";\n',
    "lib/src/money.ts",
  ],
  ["as a package beside it", "src/main.py", "from lib.coins import add_coins\n", "lib/coins.py"],
  ["as a module of that package", "src/main.py", "from lib import coins\n", "lib/coins.py"],
  [
    "though its rules forbid it",
    "src/main.ts",
    'import { addOwn } from "../../lib/src/own";\n',
    null,
  ],
];
for (const [what, path, text, expected] of cases)
  test(`a file of another folder that is imported ${what}`, async (context) => {
    const scratch = await scratchFolder(context, { ...files, [`app/${path}`]: text });
    const folders = new Folders((each) => each.length / 4);
    folders.configure({ folders: ["app", "lib"].map((each) => join(scratch, each)), exclude: [] });
    const place = await folders.require(join(scratch, "app", path));
    await place.folder.readAround(place.path, () => {});
    const neighbours = await neighboursOf(place, folders);
    const pieces = { piecesOf: async () => [], piecesOfDemonstrations: async () => [] };
    const near = { path: place.path, languageId: "", before: text, after };
    const candidates = await candidatesFor(near, place.folder, pieces, neighbours);
    const found = candidates.find((each) => each.home !== undefined);
    assert.equal(found?.path ?? null, expected);
    if (expected !== null)
      assert.equal(join(found?.home?.root ?? "", found?.home?.path ?? ""), join(scratch, expected));
  });

test("a label is no path of the folder itself", async (context) => {
  const [, path, text] = cases[0] ?? ["", "", ""];
  const scratch = await scratchFolder(context, {
    ...files,
    [`app/${path}`]: text,
    "app/lib/a.ts": "",
  });
  const folders = new Folders((each) => each.length / 4);
  folders.configure({ folders: ["app", "lib"].map((each) => join(scratch, each)), exclude: [] });
  const place = await folders.require(join(scratch, "app", path));
  await place.folder.readAround(place.path, () => {});
  const [neighbour] = await neighboursOf(place, folders);
  assert.match(neighbour?.label ?? "", /^pith-workspace-[^/]+\/lib$/);
});
