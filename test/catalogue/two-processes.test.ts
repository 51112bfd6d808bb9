// Two processes that want the same model. The second one is this very file, started anew with the
// store and the publisher in its environment.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { downloadModel } from "../../sidecar/catalogue/download.ts";
import { byteLengthOf, openStore, type Store } from "../../sidecar/catalogue/store.ts";
import { type Behaviour, startPublisher } from "./publisher.ts";
import { catalogueModel, modelBytes, modelFiles, scratchStore } from "./scratch-store.ts";

const { PITH_TEST_STORE } = process.env;
if (PITH_TEST_STORE === undefined) runTests();
else await downloadAs(JSON.parse(PITH_TEST_STORE));

async function downloadAs({ folder, ...facts }: Partial<ReturnType<typeof childFacts>>) {
  const store = await openStore({ folder: folder ?? "", models: [catalogueModel(facts)] });
  await downloadModel(store, "small", { mirrorsFile: "" });
}

function childFacts({ home, models }: Store) {
  const [model] = models;
  return { folder: home.folder, url: model?.url ?? "", sha256: model?.sha256 ?? "" };
}

function startOther(context: TestContext, store: Store): ChildProcess {
  const env = { ...process.env, PITH_TEST_STORE: JSON.stringify(childFacts(store)) };
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "ignore", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  return child;
}

async function checkPresent(store: Store): Promise<void> {
  assert.deepEqual(await modelFiles(store), ["small.gguf"]);
  assert.ok((await readFile(join(store.home.models, "small.gguf"))).equals(modelBytes));
}

async function stage(context: TestContext, behaviour: Behaviour) {
  const publisher = await startPublisher(modelBytes, (index) => (index === 0 ? behaviour : {}));
  context.after(publisher.close);
  return { publisher, store: await scratchStore(context, { url: publisher.url }) };
}

/** Once the other process has stored something, it holds the lock. */
async function partialGrows(store: Store): Promise<void> {
  const partial = join(store.home.models, "small.gguf.partial");
  while (((await byteLengthOf(partial)) ?? 0) === 0)
    await new Promise((waited) => setTimeout(waited, 10));
}

function runTests(): void {
  test("a second process waits for the first and shares its file", async (context) => {
    const { store, publisher } = await stage(context, { pieceDelayMs: 2 });
    const other = startOther(context, store);
    const ended = once(other, "exit");
    await partialGrows(store);
    const seen: number[] = [];
    const onProgress = (bytes: number) => seen.push(bytes);
    await downloadModel(store, "small", { mirrorsFile: "", onProgress });
    assert.deepEqual(await ended, [0, null]);
    assert.equal(publisher.requests.length, 1);
    assert.ok(seen.length > 0, "the progress of the other is shown here too");
    await checkPresent(store);
  });

  test("a process that is killed leaves a partial file that the next one goes on with", async (context) => {
    const { store, publisher } = await stage(context, { pieceDelayMs: 20 });
    const other = startOther(context, store);
    await partialGrows(store);
    const waiting = downloadModel(store, "small", { mirrorsFile: "" });
    const ended = once(other, "exit");
    other.kill("SIGKILL");
    await ended;
    await waiting;
    assert.match(publisher.requests[1]?.range ?? "", /^bytes=[1-9]/);
    await checkPresent(store);
  });
}
