// A workspace of two folders as an editor opens it: what a file of one imports of the other stands in
// front of its completion, and is named among what was selected.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { CompressedContext, Selection } from "../../sidecar/protocol.ts";
import { realWeights } from "../support/weights.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { Editor } from "./editor.ts";

const files = {
  "lib/src/money.ts": `export interface Money { cents: number; currency: string }

export function addMoney(left: Money, right: Money): Money {
  return { cents: left.cents + right.cents, currency: left.currency };
}
`,
  "app/src/other.ts": "export const unrelated = 1;\n",
};
const main = `import { addMoney } from "../../lib/src/money";

const a = { cents: 100, currency: "EUR" };
const sum = addMoney($0
`;

test("what is imported from the other folder is selected, used, and copied for a model elsewhere", async (context) => {
  const folder = await scratchFolder(context, { ...files, "app/src/main.ts": main });
  const home = await scratchFolder(context, {});
  const uriOf = (path: string) => pathToFileURL(join(folder, path)).href;
  const model = await realWeights("smollm2-135m");
  const settings = { model, memories: { enable: true, budget: 512, form: "kept" as const } };
  const folders = { folder: uriOf("app"), otherFolders: [uriOf("lib")] };
  const editor = await Editor.start({ settings, home, ...folders });
  context.after(() => editor.process.kill());
  await editor.waitFor("ready");
  const request = await editor.open(uriOf("app/src/main.ts"), main, "typescript");
  await editor.complete(request);
  await editor.rest();
  await editor.complete(request);
  assert.ok((await editor.report(2)).tokens.contextAfter > 0);
  const { memories } = await editor.request<Selection>("pith/memories/selection", undefined);
  const [first] = memories;
  assert.equal(first?.path, "lib/src/money.ts");
  assert.ok(first.positions > 0 && "imported" in first.places);
  assert.ok(memories.some(({ path }) => path === "src/other.ts"));
  const { text } = await editor.request<CompressedContext>("pith/memories/context", {
    ...{ uri: uriOf("app/src/main.ts"), line: 3, character: 21 },
    ...{ budget: 500, encoding: "o200k" },
  });
  assert.match(text, /^\/\/ lib\/src\/money\.ts:/m);
});
