// First use: the model is not there yet. One notification offers it; nothing modal is in the way.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { useSession } from "./session.ts";

const { test } = useSession({
  name: "model-missing",
  files: { "sums.ts": "export const one = 1;\n" },
  // Within the session's own folder, which is emptied before every run.
  // Nothing listens at the proxy: there is no network.
  env: {
    PITH_HOME: resolve(".cache/editor-tests/model-missing/empty"),
    PITH_MIRRORS: "",
    HTTPS_PROXY: "http://127.0.0.1:9",
    https_proxy: "http://127.0.0.1:9",
  },
});

test("a model that is missing is offered in one notification", async (session) => {
  const { workbench } = session;
  const notification = workbench.notification("smollm2-135m");
  await notification.waitFor();
  assert.equal(await notification.count(), 1);
  await notification.getByText(/^Download \(\d+ MB\)$/).waitFor();
  await notification.getByText("Choose Another").waitFor();
  await notification.getByText("Use a Local File").waitFor();
  await workbench.statusItem("no model").waitFor();
  await session.takePicture("model missing");
});

test("without a model a completion is empty for that reason", async (session) => {
  const { workbench } = session;
  await workbench.openFile("sums.ts", "one");
  await workbench.typeAtEnd("export const two = ");
  await session.untilOutcome("model-missing");
  assert.equal(await workbench.ghostTextNow(), "");
});

test("the side bar says so too, and offers the model", async (session) => {
  const { page } = session.workbench;
  await session.workbench.runCommand("Pith: Show Token Budget");
  for (const offer of ["Download Model", "Choose Another Model", "Use a Local Model File"])
    await page.locator(".sidebar").getByText(offer).waitFor();
  await session.takePicture("model missing side bar");
});

test("a download without a network fails with the reason, and the offers stay", async (session) => {
  const { workbench } = session;
  const sidebar = workbench.page.locator(".sidebar");
  await sidebar.getByText("Download Model").click();
  const failure = workbench.notification(/connection was refused.*Use a Local Model File/);
  await failure.getByText("Show Log").waitFor();
  await session.takePicture("no network");
  await sidebar.getByText("Use a Local Model File").waitFor();
  await workbench.statusItem("no model").waitFor();
});
