import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { test } from "node:test";
import { catalogue } from "../../sidecar/catalogue/models.ts";
import { openStore, verifyModel } from "../../sidecar/catalogue/store.ts";
import { preparedModel, realWeights } from "../support/weights.ts";

for (const { id, byteLength } of catalogue)
  test(`the real weights of ${id} are here, byte for byte`, async () => {
    const file = await realWeights(id as Parameters<typeof realWeights>[0]);
    assert.equal((await stat(file)).size, byteLength);
    const verified = await verifyModel(await openStore(), id);
    assert.deepEqual([verified?.file, verified?.isValid], [file, true]);
  });

test("callers at once share one prepared form", async () => {
  const prepare = () => preparedModel("smollm2-135m", "lossless");
  const [first, second] = await Promise.all([prepare(), prepare()]);
  assert.equal(first.engine.graphFile, second.engine.graphFile);
  const { mtimeMs } = await stat(first.engine.graphFile);
  await prepare();
  assert.equal((await stat(first.engine.graphFile)).mtimeMs, mtimeMs, "it is not made again");
});
