// The owner of the engine's thread, and the model manager, over threads that do not behave: they
// refuse to close, or end while they are asked to. Each is a worker of a few lines at the thread's
// message port.
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openHome } from "../../sidecar/catalogue/home.ts";
import { writeLocalModel } from "../../sidecar/catalogue/local-model.ts";
import type { SidecarState } from "../../sidecar/protocol.ts";
import { ModelOwner } from "../../sidecar/server/model-owner.ts";
import { ModelShelf } from "../../sidecar/server/model-shelf.ts";
import { readSettings } from "../../sidecar/server/settings.ts";
import { scratchFolder } from "../workspace/scratch-folder.ts";

const ways: Record<string, string> = {
  "refuses to close": 'post({ id, error: { code: -32603, message: "the disk is full", data } })',
  "ends when it is to close": "process.exit(3)",
  "answers nonsense to a close": 'post({ id, result: ["?"] })',
};

const worker = (onClose: string) => `
  import { parentPort } from "node:worker_threads";
  const post = (message) => parentPort.postMessage({ jsonrpc: "2.0", ...message });
  const data = { kind: "internal", stack: "" };
  parentPort.on("message", ({ id, method }) => {
    if (method === "openModel") post({ id, result: { id: "m", ms: {} } });
    else if (method === "closeModel") ${onClose};
  });
`;

async function openOwner(context: TestContext, onClose: string) {
  const folder = await scratchFolder(context, { "thread.mjs": worker(onClose) });
  const told: { state(kind: SidecarState["kind"]): void }[] = [];
  const owner = new ModelOwner({
    entry: pathToFileURL(join(folder, "thread.mjs")),
    onState: ({ kind }) => void told.splice(0).forEach((each) => void each.state(kind)),
    onOpen: () => {},
    onFailure: () => {},
    sizeOf: async () => null,
  });
  context.after(() => owner.stop());
  /** Resolves once the owner is in that state. */
  const reach = async (kind: SidecarState["kind"]): Promise<void> => {
    while (owner.state.kind !== kind)
      await new Promise<void>((resolve) => told.push({ state: () => resolve() }));
  };
  return { folder, owner, reach };
}

for (const [label, onClose] of Object.entries(ways)) {
  test(`after a thread ${label}, the next model opens`, async (context) => {
    const { folder, owner, reach } = await openOwner(context, onClose);
    for (const model of ["first", "second", "third"]) {
      owner.open({ model, home: folder, threads: 1 });
      await reach("ready");
      assert.notEqual(owner.ready, null);
    }
    await owner.close();
    await owner.close();
    owner.open({ model: "fourth", home: folder, threads: 1 });
    await reach("ready");
    await owner.stop();
    await owner.stop();
  });

  test(`a model is deleted though its thread ${label}`, async (context) => {
    const { folder, owner, reach } = await openOwner(context, onClose);
    const home = await openHome(join(folder, "home"));
    const file = join(folder, "own.gguf");
    await writeFile(file, "");
    const facts = { title: "own", licence: "", byteLength: 0, sha256: "ab".repeat(32) };
    await writeLocalModel(home, { id: "own", file, ...facts });
    const settings = readSettings({ model: "own", modelFolder: home.folder });
    const shelf = new ModelShelf({ owner, settings: () => settings, onNotice: () => {} });
    owner.open({ model: "own", home: home.folder, threads: 1 });
    await reach("ready");
    await shelf.delete("own");
    assert.deepEqual(await readdir(home.models), []);
    await reach("ready");
  });
}
