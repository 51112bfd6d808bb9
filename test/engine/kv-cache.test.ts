import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CacheShape } from "../../sidecar/engine/engine-model.ts";
import { type KvBlock, KvCache } from "../../sidecar/engine/kv-cache.ts";
import { rotateKeys, rotationBy } from "../../sidecar/engine/rotation.ts";
import { LimitError } from "../../sidecar/errors.ts";

const shape: CacheShape = {
  layerCount: 2,
  kvHeadCount: 2,
  headDim: 4,
  ropeBase: 100,
  rotaryInterleaved: true,
};
const CAPACITY = 12;

// The naive model: a list of rows. A row knows the vectors that were written and, for each layer and
// head, the key as it must lie in the cache, turned one move at a time.
interface Row {
  readonly keys: readonly Float32Array[]; // [layer * kvHeads + head], each [headDim]
  readonly values: readonly Float32Array[];
}

type Action =
  | { readonly kind: "write"; readonly count: number }
  | { readonly kind: "truncate"; readonly to: number }
  | { readonly kind: "lift"; readonly start: number; readonly end: number }
  | { readonly kind: "attach" }
  | { readonly kind: "remove"; readonly start: number; readonly end: number };

const place = fc.nat({ max: CAPACITY });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("truncate" as const), to: place }),
  fc.record({ kind: fc.constant("lift" as const), start: place, end: place }),
  fc.record({ kind: fc.constant("attach" as const) }),
  fc.record({ kind: fc.constant("remove" as const), start: place, end: place }),
);

for (const rotaryInterleaved of [true, false]) {
  test(`blocks lifted, attached and removed equal a list of rows, interleaved ${rotaryInterleaved}`, () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), (actions) => {
        checkAgainstRows({ ...shape, rotaryInterleaved }, actions);
      }),
      { numRuns: 300 },
    );
  });
}

function checkAgainstRows(ownShape: CacheShape, actions: readonly Action[]): void {
  const cache = new KvCache(ownShape, CAPACITY);
  let rows: Row[] = [];
  let lifted: { block: KvBlock; rows: Row[] } = { block: cache.copyBlock(0, 0), rows: [] };
  let written = 0;
  for (const step of actions) {
    if (step.kind === "write" && rows.length + step.count <= CAPACITY) {
      const added = Array.from({ length: step.count }, () => makeRow(ownShape, written++));
      writeRows(cache, added);
      rows = [...rows, ...added];
    } else if (step.kind === "truncate") {
      const length = Math.min(step.to, rows.length);
      cache.truncate(length);
      rows = rows.slice(0, length);
    } else if (step.kind === "lift") {
      const [start, end] = rangeWithin(rows.length, step);
      lifted = { block: cache.copyBlock(start, end), rows: rows.slice(start, end) };
    } else if (step.kind === "attach" && rows.length + lifted.rows.length <= CAPACITY) {
      const distance = rows.length - lifted.block.position;
      cache.attach(lifted.block);
      rows = [...rows, ...lifted.rows.map((row) => movedRow(ownShape, row, distance))];
    } else if (step.kind === "remove") {
      const [start, end] = rangeWithin(rows.length, step);
      cache.remove(start, end);
      const later = rows.slice(end).map((row) => movedRow(ownShape, row, start - end));
      rows = [...rows.slice(0, start), ...later];
    }
    checkHolds(cache, rows);
  }
}

test("a block that does not fit is a LimitError and leaves the cache as it was", () => {
  const cache = new KvCache(shape, 4);
  writeRows(cache, [makeRow(shape, 0), makeRow(shape, 1), makeRow(shape, 2)]);
  const before = cache.copyBlock(0, 3);
  assert.throws(
    () => cache.attach(before),
    new LimitError("engine: 6 positions exceed the cache's 4"),
  );
  assert.deepEqual(cache.copyBlock(0, 3), before);
});

test("a block is a copy: later runs over its positions leave it alone", () => {
  const cache = new KvCache(shape, 4);
  writeRows(cache, [makeRow(shape, 0)]);
  const block = cache.copyBlock(0, 1);
  cache.truncate(0);
  writeRows(cache, [makeRow(shape, 1)]);
  cache.truncate(0);
  cache.attach(block);
  checkHolds(cache, [makeRow(shape, 0)]);
});

test("truncating a batch shortens the longer sequences only", () => {
  const cache = new KvCache(shape, 8, 3);
  cache.lengths.set([2, 5, 7]);
  cache.truncate(4);
  assert.deepEqual([...cache.lengths], [2, 4, 4]);
  assert.equal(cache.length, 4);
});

function rangeWithin(length: number, { start, end }: { start: number; end: number }) {
  const [a, b] = [Math.min(start, length), Math.min(end, length)];
  return [Math.min(a, b), Math.max(a, b)] as const;
}

function makeRow({ layerCount, kvHeadCount, headDim }: CacheShape, seed: number): Row {
  const vectors = (kind: number) =>
    Array.from({ length: layerCount * kvHeadCount }, (_, head) =>
      Float32Array.from({ length: headDim }, (_, index) =>
        Math.sin(1 + 100 * seed + 10 * head + index + kind / 2),
      ),
    );
  return { keys: vectors(0), values: vectors(1) };
}

function movedRow(ownShape: CacheShape, { keys, values }: Row, distance: number): Row {
  const moved = keys.map((key) => {
    const copy = key.slice();
    rotateKeys(copy, rotationBy(ownShape, distance), ownShape);
    return copy;
  });
  return { keys: moved, values };
}

/** Writes rows behind the end, as a run of the graph does. */
function writeRows(cache: KvCache, rows: readonly Row[]): void {
  const { kvHeadCount, headDim } = cache.shape;
  for (const [index, row] of rows.entries()) {
    const position = cache.length + index;
    for (const [head, key] of row.keys.entries()) {
      const offset = ((head % kvHeadCount) * cache.capacity + position) * headDim;
      const layer = Math.floor(head / kvHeadCount);
      cache.keys[layer]?.set(key, offset);
      cache.values[layer]?.set(row.values[head] ?? [], offset);
    }
  }
  cache.lengths[0] = cache.length + rows.length;
}

function checkHolds(cache: KvCache, rows: readonly Row[]): void {
  assert.equal(cache.length, rows.length);
  const { keys, values } = cache.copyBlock(0, rows.length);
  const { kvHeadCount } = cache.shape;
  for (let head = 0; head < cache.shape.layerCount * kvHeadCount; head++) {
    const layer = Math.floor(head / kvHeadCount);
    checkHead(
      headRows(cache, keys[layer], head),
      rows.map((row) => row.keys[head]),
    );
    checkHead(
      headRows(cache, values[layer], head),
      rows.map((row) => row.values[head]),
    );
  }
}

/** The rows of one head of a block's layer [kvHeads, length, headDim]. */
function headRows({ shape, length }: KvCache, layer: Float32Array | undefined, head: number) {
  assert(layer !== undefined);
  const size = length * shape.headDim;
  const offset = (head % shape.kvHeadCount) * size;
  return layer.subarray(offset, offset + size);
}

/** Several moves round several times, in another order than one. */
function checkHead(found: Float32Array, rows: readonly (Float32Array | undefined)[]): void {
  const expected = rows.flatMap((row) => [...(row ?? [])]);
  assert.equal(found.length, expected.length);
  for (const [index, value] of expected.entries())
    assert(Math.abs(value - (found[index] ?? Number.NaN)) < 1e-5, `at ${index}`);
}
