// The tokens that a real model has hardly seen: what "Fishing for Magikarp" looks for is in its table.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { homeFolder } from "../../sidecar/catalogue/home.ts";
import { openModel } from "../../sidecar/service.ts";
import { realWeights } from "../support/weights.ts";

test("SmolLM2's leftovers of single projects are found, everyday words are not", async () => {
  await realWeights("smollm2-135m");
  const model = await openModel({ model: "smollm2-135m", home: "", threads: 1 });
  assert.ok(model !== null);
  try {
    const found = await model.underTrained();
    const idOf = (text: string) => {
      const { ids } = model.splitTokens(text);
      assert.equal(ids.length, 1, text);
      return ids[0] ?? -1;
    };
    for (const text of ["ManagementPlaneProtection", "swigfaiss", "LEGATO"])
      assert.ok(found.includes(idOf(text)), text);
    for (const text of ["return", " the", "function", "(", "\n"])
      assert.ok(!found.includes(idOf(text)), text);
    const prepared = await readdir(`${homeFolder()}/prepared`, { recursive: true });
    assert.ok(prepared.some((name) => name.endsWith("under-trained.json")));
    assert.deepEqual(await model.underTrained(), found);
  } finally {
    await model.dispose();
  }
});
