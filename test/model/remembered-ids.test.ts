import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rememberedIds } from "../../sidecar/model/remembered-ids.ts";

test("ids are found once, and again where the file is damaged", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pith-ids-"));
  const file = join(folder, "ids.json");
  let searches = 0;
  const find = async () => [++searches, 7];
  try {
    assert.deepEqual(await rememberedIds(file, find), [1, 7]);
    assert.deepEqual(await rememberedIds(file, find), [1, 7]);
    for (const damaged of ["", '{"ids": [1, ', '{"ids": ["a"]}', "[]", "null"]) {
      await writeFile(file, damaged);
      const count = searches;
      assert.deepEqual(await rememberedIds(file, find), [count + 1, 7]);
    }
    assert.deepEqual(await readdir(folder), ["ids.json"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
