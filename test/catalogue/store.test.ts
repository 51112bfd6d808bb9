import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CatalogueError } from "../../sidecar/catalogue/catalogue-error.ts";
import { preparedFolder } from "../../sidecar/catalogue/home.ts";
import { catalogue } from "../../sidecar/catalogue/models.ts";
import {
  addModel,
  deleteModel,
  listModels,
  locateModel,
  openStore,
  type Store,
  verifyModel,
} from "../../sidecar/catalogue/store.ts";
import { FormatError, UnsupportedError } from "../../sidecar/errors.ts";
import { tryLock } from "../../sidecar/lock.ts";
import { writeGguf } from "../support/gguf-writer.ts";
import { makeTinyGguf } from "../support/tiny-gguf.ts";
import {
  catalogueModel,
  modelBytes,
  modelFiles,
  scratchFolder,
  scratchStore,
  sha256Of,
} from "./scratch-store.ts";

const tiny = makeTinyGguf({ metadata: { "general.name": { string: "Tiny" } } }).bytes;

async function checkStates(store: Store, expected: Record<string, string>): Promise<void> {
  const states = (await listModels(store)).map(({ id, state }) => [id, state]);
  assert.deepEqual(Object.fromEntries(states), expected);
}

test("the shipped catalogue pins what it names", () => {
  for (const { id, url, sha256, byteLength, fileName, licence } of catalogue) {
    assert.match(id, /^[a-z0-9.-]+$/);
    assert.match(url, /^https:\/\/huggingface\.co\/[\w.-]+\/[\w.-]+\/resolve\/[0-9a-f]{40}\//);
    assert.ok(url.endsWith(`/${fileName}`));
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.ok(Number.isInteger(byteLength) && licence === "Apache-2.0");
  }
});

test("a list tells absent, partial and present", async (context) => {
  const store = await scratchStore(context);
  const file = join(store.home.models, "small.gguf");
  await checkStates(store, { small: "absent" });
  await writeFile(`${file}.partial`, modelBytes.subarray(0, 1000));
  await checkStates(store, { small: "partial" });
  assert.equal((await listModels(store))[0]?.storedByteLength, 1000);
  await rename(`${file}.partial`, file);
  await checkStates(store, { small: "absent" });
  await writeFile(file, modelBytes);
  await checkStates(store, { small: "present" });
});

test("a file put into the folder by hand is found and checked", async (context) => {
  const store = await scratchStore(context);
  const file = join(store.home.models, "small.gguf");
  await writeFile(file, modelBytes);
  const sha256 = sha256Of(modelBytes);
  assert.deepEqual(await locateModel(store, "small"), { id: "small", file, sha256 });
});

test("a checksum is read again only when size or time of change differ", async (context) => {
  const store = await scratchStore(context);
  const file = join(store.home.models, "small.gguf");
  await writeFile(file, modelBytes);
  const readings: number[] = [];
  const locate = () => locateModel(store, "small", { onProgress: (bytes) => readings.push(bytes) });
  await locate();
  const first = readings.length;
  assert.ok(first > 0);
  await locate();
  assert.equal(readings.length, first, "nothing is read for a file that has not changed");
  await utimes(file, 1_000_000, 1_000_000);
  await locate();
  assert.ok(readings.length > first);
});

test("a GGUF file is used where it lies", async (context) => {
  const store = await scratchStore(context);
  const file = join(await scratchFolder(context), "My Model.gguf");
  await writeFile(file, tiny);
  const sha256 = sha256Of(tiny);
  assert.deepEqual(await addModel(store, file), { id: "my-model", file, sha256 });
  await checkStates(store, { small: "absent", "my-model": "present" });
  assert.equal((await listModels(store))[1]?.title, "Tiny");
  assert.deepEqual(await locateModel(store, "my-model"), { id: "my-model", file, sha256 });
  assert.deepEqual(await modelFiles(store), ["my-model.local.json"]);
  await deleteModel(store, "my-model");
  await checkStates(store, { small: "absent" });
  assert.ok((await readFile(file)).equals(tiny), "the user's file is left alone");
});

test("a file is added whatever it says of its name and licence", async (context) => {
  const store = await scratchStore(context);
  const file = join(await scratchFolder(context), "odd.gguf");
  const metadata = { "general.name": { uint32: 7 }, "general.license": { uint64: 2n ** 63n } };
  await writeFile(file, makeTinyGguf({ metadata }).bytes);
  assert.equal((await addModel(store, file)).id, "odd");
  const [, { title, licence } = { title: null, licence: null }] = await listModels(store);
  assert.deepEqual([title, licence], ["odd.gguf", "unknown"]);
});

test("a vocabulary alone is not added", async (context) => {
  const store = await scratchStore(context);
  const file = join(await scratchFolder(context), "vocabulary.gguf");
  await writeFile(file, writeGguf(new Map([["general.name", { string: "V" }]]), []).bytes);
  await assert.rejects(addModel(store, file), /^FormatError: vocabulary\.gguf: holds no tensors/);
  await checkStates(store, { small: "absent" });
});

test("two files of one name get two ids, the same file keeps its id", async (context) => {
  const store = await scratchStore(context);
  const folders = [await scratchFolder(context), await scratchFolder(context)];
  const [first, second] = folders.map((folder) => join(folder, "m.gguf"));
  await writeFile(first ?? "", tiny);
  await writeFile(second ?? "", makeTinyGguf({ seed: 2 }).bytes);
  assert.equal((await addModel(store, first ?? "")).id, "m");
  assert.match((await addModel(store, second ?? "")).id, /^m-[0-9a-f]{8}$/);
  assert.equal((await addModel(store, first ?? "")).id, "m");
});

test("an added file with a catalogue model's checksum stands for that model", async (context) => {
  const folder = await scratchFolder(context);
  const facts = { sha256: sha256Of(tiny), byteLength: tiny.length };
  const store = await openStore({ folder, models: [catalogueModel(facts)] });
  const file = join(await scratchFolder(context), "from-a-stick.gguf");
  await writeFile(file, tiny);
  assert.equal((await addModel(store, file)).id, "small");
  await checkStates(store, { small: "present" });
  assert.equal((await locateModel(store, "small"))?.file, file);
  await rm(file);
  await checkStates(store, { small: "absent" });
  assert.equal(await locateModel(store, "small"), null);
});

test("a file that is no GGUF is not added", async (context) => {
  const store = await scratchStore(context);
  const file = join(await scratchFolder(context), "page.gguf");
  await writeFile(file, "<html>not found</html>");
  await assert.rejects(addModel(store, file), FormatError);
  await assert.rejects(addModel(store, `${file}.none`), CatalogueError);
  await checkStates(store, { small: "absent" });
});

test("a path is located without being added", async (context) => {
  const store = await scratchStore(context);
  const file = join(await scratchFolder(context), "own.gguf");
  assert.equal(await locateModel(store, file), null);
  await writeFile(file, tiny);
  const located = await locateModel(store, file);
  assert.deepEqual(located, { id: file, file, sha256: sha256Of(tiny) });
  await checkStates(store, { small: "absent" });
});

test("an id that nothing has lists the catalogue", async (context) => {
  const store = await scratchStore(context);
  await assert.rejects(locateModel(store, "big"), UnsupportedError);
  await assert.rejects(verifyModel(store, "big"), /the catalogue has small/);
  await assert.rejects(deleteModel(store, "big"), UnsupportedError);
});

test("verify reads the file anew, whatever is remembered", async (context) => {
  const store = await scratchStore(context);
  const file = join(store.home.models, "small.gguf");
  await writeFile(file, modelBytes);
  await utimes(file, 1_000_000, 1_000_000);
  assert.equal((await verifyModel(store, "small"))?.isValid, true);
  // Rot that leaves size and time as they were is what only a full reading finds.
  const rotten = modelBytes.slice();
  rotten[9] = (rotten[9] ?? 0) ^ 1;
  await writeFile(file, rotten);
  await utimes(file, 1_000_000, 1_000_000);
  assert.equal((await verifyModel(store, "small"))?.isValid, false);
  await assert.rejects(locateModel(store, "small"), FormatError);
});

test("deleting a model takes its partial and prepared files along", async (context) => {
  const store = await scratchStore(context);
  const file = join(store.home.models, "small.gguf");
  for (const each of [file, `${file}.partial`, `${file}.partial.json`])
    await writeFile(each, modelBytes);
  await locateModel(store, "small");
  const forms = ["lossless", "fast"].map((variant) =>
    preparedFolder(store.home, { sha256: sha256Of(modelBytes), variant, format: 1 }),
  );
  const other = preparedFolder(store.home, { sha256: "f".repeat(64), variant: "fast", format: 1 });
  for (const folder of [...forms, other]) await mkdir(folder);
  await writeFile(join(other, "weights.bin"), "");
  await deleteModel(store, "small");
  assert.deepEqual(await modelFiles(store), []);
  assert.deepEqual(await readdir(join(store.home.models, "checksums")), []);
  assert.deepEqual(await readdir(store.home.prepared), [`${"f".repeat(16)}-fast-v1`]);
});

test("a model that is being downloaded is not deleted", async (context) => {
  const store = await scratchStore(context);
  const lock = await tryLock(join(store.home.models, "small.gguf.lock"));
  await assert.rejects(deleteModel(store, "small"), CatalogueError);
  await lock?.release();
  await deleteModel(store, "small");
});
