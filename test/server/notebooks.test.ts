// Documents that are no files: cells of notebooks, texts that have not been saved, files on no disk.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { BudgetReport, Selection } from "../../sidecar/protocol.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import { realWeights } from "../support/weights.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";
import { Editor } from "./editor.ts";

const first = `import pandas as pd

def load_quarterly_orders(path, region):
    frame = pd.read_csv(path)
    return frame[frame.region == region]
`;
const second = "orders_south = load_q$0";
const files = {
  ".aiignore": "private.ipynb\n",
  "lib/money.py": "def add_money(left, right):\n    return left + right\n",
  "lib/other.py": "other = 1\n",
};
const cellOf = (notebook: string, index: number): string =>
  `vscode-notebook-cell:${notebook}#W${index}sZmlsZQ%3D%3D`;

async function start(context: TestContext, folderUri?: string) {
  const folder = await scratchFolder(context, {
    ...files,
    "tiny.gguf": makeTinyGguf({ architecture: "qwen2", contextLength: 4096 }).bytes,
  });
  const home = await scratchFolder(context, {});
  const settings = {
    model: join(folder, "tiny.gguf"),
    trace: "messages" as const,
    memories: { enable: true, budget: 120, form: "kept" as const },
  };
  const editor = await Editor.start({
    ...{ folder: folderUri ?? pathToFileURL(folder).href, home, settings },
  });
  context.after(() => editor.process.kill());
  await editor.waitFor("ready");
  await editor.connection.sendNotification("pith/budget/watch", { isVisible: true });
  const select = () => editor.request<Selection>("pith/memories/selection", undefined);
  /** Tokens before and behind the cursor of the `count`th completion. */
  const near = async (count: number) => {
    const { sources } = await editor.budget(count);
    const tokens = (wanted: BudgetReport["sources"][number]["kind"]) =>
      sources.find(({ kind }) => kind === wanted)?.before ?? 0;
    return { before: tokens("prefix"), behind: tokens("suffix") };
  };
  return { editor, folder, select, near };
}

test("a cell of a notebook knows the cells before it, whichever way the client tells of them", async (context) => {
  const { editor, near } = await start(context);
  const alone = await editor.open("file:///other/a.py", second);
  await editor.complete(alone);
  const text = first + second;
  await editor.complete(
    await editor.open("file:///other/b.py", text.replace("load_q$0", "\nload_q$0")),
  );
  const [one, all] = [await near(1), await near(2)];
  // Cells as plain documents, in the order of their opening, and one of another language.
  await editor.open(cellOf("/nb/orders.ipynb", 0), first);
  await editor.open(cellOf("/nb/orders.ipynb", 7), "select * from orders;\n", "sql");
  await editor.complete(await editor.open(cellOf("/nb/orders.ipynb", 1), second));
  const opened = await near(3);
  assert.ok(opened.before > one.before && Math.abs(opened.before - all.before) < 4);
  // Of another notebook nothing is known.
  await editor.complete(await editor.open(cellOf("/nb/other.ipynb", 1), second));
  assert.equal((await near(4)).before, one.before);
  // The notebook's own order counts where it is told, and follows changes.
  const uri = "file:///nb/told.ipynb";
  const [last, head] = [cellOf("/nb/told.ipynb", 0), cellOf("/nb/told.ipynb", 1)];
  const document = (cell: string, text: string) => ({
    uri: cell,
    languageId: "python",
    version: 1,
    text,
  });
  await editor.connection.sendNotification("notebookDocument/didOpen", {
    notebookDocument: {
      ...{ uri, notebookType: "jupyter-notebook", version: 1 },
      cells: [head, last].map((each) => ({ kind: 2, document: each })),
    },
    cellTextDocuments: [document(last, second.replace("$0", "")), document(head, first)],
  });
  const request = {
    textDocument: { uri: last },
    position: { line: 0, character: second.length - 2 },
    context: { triggerKind: 2 },
  };
  await editor.complete(request);
  assert.equal((await near(5)).before, opened.before);
  await editor.connection.sendNotification("notebookDocument/didChange", {
    notebookDocument: { uri, version: 2 },
    change: {
      cells: { structure: { array: { start: 0, deleteCount: 1 }, didClose: [{ uri: head }] } },
    },
  });
  await editor.complete(request);
  assert.equal((await near(6)).before, one.before);
});

test("an answer in a cell stands in the cell, and memories of the workspace stand before it", async (context) => {
  const { editor, folder, select } = await start(context);
  const uri = cellOf(join(folder, "lib/sums.ipynb"), 1);
  await editor.open(cellOf(join(folder, "lib/sums.ipynb"), 0), "from lib.money import add_money\n");
  const request = await editor.open(uri, "total = 1\nsum = add_money($0");
  await editor.complete(request);
  await editor.rest();
  const { memories } = await select();
  assert.equal(memories[0]?.path, "lib/money.py");
  const [item] = await editor.complete(request);
  const at = { line: 1, character: "sum = add_money(".length };
  if (item !== undefined) assert.deepEqual(item.range, { start: at, end: at });
  await editor.complete(await editor.open(cellOf(join(folder, "private.ipynb"), 0), "a = $0"));
  assert.equal(editor.reports.at(-1)?.reason, "ignored-file");
});

for (const uri of ["untitled:Untitled-1", "vscode-vfs://github/me/place/src/new.py"])
  test(`${uri} gets memories as a file of the workspace does`, async (context) => {
    const { editor, select } = await start(context);
    const text = "from lib.money import add_money\n\nsum = add_money($0";
    await editor.complete(await editor.open(uri, text));
    await editor.rest();
    const { memories } = await select();
    assert.equal(memories[0]?.path, "lib/money.py");
    assert.ok("imported" in (memories[0]?.places ?? {}));
    // It becomes no memory itself.
    await editor.complete(await editor.open("untitled:Untitled-2", "sum = add_money($0"));
    await editor.rest();
    const paths = (await select()).memories.map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => !path.startsWith("lib/")),
      [],
    );
  });

test("where no folder is on this machine the reason is told", async (context) => {
  const { editor } = await start(context, "vscode-vfs://github/me/place");
  await editor.complete(await editor.open("vscode-vfs://github/me/place/a.py", "a = $0"));
  await editor.rest("unavailable");
  const told = editor.activities.at(-1);
  assert.match(told?.kind === "unavailable" ? told.message : "", /no folder .* on this machine/);
});

test("the model completes a name that another cell defines", async (context) => {
  const model = await realWeights("qwen2.5-coder-0.5b");
  const editor = await Editor.start({ settings: { model } });
  context.after(() => editor.process.kill());
  await editor.waitFor("ready");
  await editor.open(cellOf("/nb/orders.ipynb", 0), first);
  const [item] = await editor.complete(await editor.open(cellOf("/nb/orders.ipynb", 1), second));
  assert.match(item?.insertText ?? "", /^uarterly_orders\(/);
});
