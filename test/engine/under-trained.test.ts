import assert from "node:assert/strict";
import { test } from "node:test";
import { findUnderTrained } from "../../sidecar/engine/under-trained.ts";
import { CancelledError } from "../../sidecar/errors.ts";
import { createRandom } from "../support/random-tensor.ts";

const hiddenSize = 64;
const ordinary = Array.from({ length: 3000 }, (_, id) => id);
const unused = Array.from({ length: 20 }, (_, index) => 3000 + index);
/** Written into no row by training: they lie where the unused ones do. */
const unseen = [7, 1500, 2999];

test("rows that lie where the unused ones lie are found, nearest first, and no others", async () => {
  const rows = tableWith((id) => (unused.includes(id) ? 0.05 : unseen.indexOf(id) * 0.1 + 0.1));
  assert.deepEqual(await findUnderTrained(rows, { ordinary, unused }), unseen);
});

test("a vocabulary without unused tokens names none", async () => {
  assert.deepEqual(
    await findUnderTrained(
      tableWith(() => 0),
      { ordinary, unused: [] },
    ),
    [],
  );
});

test("no more than the fiftieth part is ever named", async () => {
  const all = { hiddenSize, embed: tableWith(() => 0.1, ordinary).embed };
  assert.ok((await findUnderTrained(all, { ordinary, unused })).length <= 60);
});

test("a cancel ends the search", async () => {
  const search = findUnderTrained(
    tableWith(() => 0),
    { ordinary, unused },
    AbortSignal.abort(),
  );
  await assert.rejects(search, CancelledError);
});

/** Rows around one place for `near`, elsewhere for the others; `noiseOf` is the distance from it. */
function tableWith(noiseOf: (id: number) => number, near = [...unused, ...unseen]) {
  const random = createRandom(5);
  const place = Array.from({ length: hiddenSize }, () => random() - 0.5);
  const table = [...ordinary, ...unused].map((id) =>
    place.map((value) =>
      near.includes(id) ? value + noiseOf(id) * (random() - 0.5) : random() - 0.5,
    ),
  );
  const embed = (ids: ArrayLike<number>) =>
    Float32Array.from(Array.from(ids).flatMap((id) => table[id] ?? []));
  return { hiddenSize, embed };
}
