// A notebook in a real editor: ghost text in one cell goes on with what another cell defines.
import assert from "node:assert/strict";
import { type Session, useSession } from "./session.ts";

const definition = `import pandas as pd

def load_quarterly_orders(path, region):
    frame = pd.read_csv(path)
    return frame[frame.region == region]`;
const cellOf = (text: string) => ({
  ...{ cell_type: "code", execution_count: null, metadata: {}, outputs: [] },
  source: text.split(/(?<=\n)/),
});
const notebook = {
  cells: [cellOf(definition), cellOf("# Of the south")],
  metadata: { language_info: { name: "python" } },
  nbformat: 4,
  nbformat_minor: 2,
};
const { test } = useSession({
  name: "notebook",
  files: { "orders.ipynb": JSON.stringify(notebook) },
});

test("ghost text in a cell names what the cell before it defines, and Tab takes it", async (session) => {
  const { workbench } = session;
  const { page } = workbench;
  await workbench.statusItem().locator(".codicon-sparkle").waitFor();
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "orders" }).dblclick();
  const cell = cellWith(session, "# Of the south");
  await cell.locator(".view-lines").click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\norders_south = load_q");
  const ghost = cell.locator(".ghost-text, .ghost-text-decoration");
  await ghost.first().waitFor();
  await session.takePicture("ghost text in a cell");
  assert.match((await ghost.allTextContents()).join(""), /^uarterly_orders/);
  await page.keyboard.press("Tab");
  await workbench.save();
  const { cells } = JSON.parse(session.readFile("orders.ipynb"));
  assert.match(cells[1].source.join(""), /^orders_south = load_quarterly_orders/m);
});

function cellWith({ workbench }: Session, text: string) {
  return workbench.page.locator(".notebook-editor .monaco-editor", { hasText: text });
}
