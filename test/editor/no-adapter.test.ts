// A model without an adapter in a real editor: the reason is told, and leads to kept memories.
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { realWeights } from "../support/weights.ts";
import { useSession } from "./session.ts";

const folder = mkdtempSync(join(tmpdir(), "pith-no-adapter-"));
after(() => rmSync(folder, { recursive: true }));
const model = join(folder, "model.gguf");
symlinkSync(await realWeights("smollm2-135m"), model);
const { test } = useSession({
  name: "no-adapter",
  files: {},
  settings: { "pith.model": model, "pith.memories.form": "embedded" },
});

test("a notice says that the model has no adapter, and a click takes kept memories", async (session) => {
  const { page } = session.workbench;
  const notice = session.workbench.notification(
    /completes without memories: .*model\.gguf has no adapter/,
  );
  await notice.waitFor();
  const status = session.workbench.statusItem();
  await status.and(page.locator(".warning-kind")).waitFor();
  await session.takePicture("no adapter");
  await notice.getByText("Use Kept Memories").click();
  await session.untilSetting("pith.memories.form", "kept");
  await status.and(page.locator(":not(.warning-kind)")).waitFor();
});
