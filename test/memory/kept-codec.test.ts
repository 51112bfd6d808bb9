// Kept memories as bytes: what comes back is what went in, to 8 bits, and nothing else comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ModelShape } from "../../sidecar/engine/engine-model.ts";
import { FormatError } from "../../sidecar/errors.ts";
import type { KeptMemory } from "../../sidecar/memory/kept.ts";
import { decodeKept, encodeKept } from "../../sidecar/memory/kept-codec.ts";
import type { MemoryBytes } from "../../sidecar/memory/memory-bytes.ts";
import { createRandom } from "../support/random-tensor.ts";

const shape: ModelShape = {
  ...{ layerCount: 2, headCount: 6, kvHeadCount: 3, headDim: 4, hiddenSize: 24 },
  ...{ vocabularySize: 100, contextLength: 512, ropeBase: 1e4, rotaryInterleaved: false },
};

/** Keys whose channels differ by orders of magnitude, values whose entries do. */
function makeMemory(tokenCount: number, entryCount: number, seed: number): KeptMemory {
  const random = createRandom(seed);
  const { layerCount, kvHeadCount, headDim } = shape;
  const size = kvHeadCount * entryCount * headDim;
  const layers = Array.from({ length: layerCount }, () => ({
    tokens: Uint16Array.from(
      Array.from({ length: kvHeadCount }, () => shuffled(tokenCount, random)).flatMap((order) =>
        order.slice(0, entryCount),
      ),
    ),
    keys: Float32Array.from({ length: size }, (_, index) => random() + 10 ** (index % headDim)),
    values: Float32Array.from(
      { length: size },
      (_, index) => (random() - 0.5) * 10 ** (Math.floor(index / headDim) % 3),
    ),
  }));
  const pooled = Float32Array.from({ length: shape.hiddenSize }, random);
  return { shape, tokenCount, entryCount, position: 4, pooled, layers };
}

function shuffled(count: number, random: () => number): number[] {
  const keys = Array.from({ length: count }, random);
  return Array.from(keys.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
}

/** As the bank keeps it: the header as JSON, the payload anywhere in a buffer. */
function store(memory: KeptMemory, offset = 0): MemoryBytes {
  const { header, payload, pooled } = encodeKept(memory);
  const bytes = new Uint8Array(offset + payload.length);
  bytes.set(payload, offset);
  return { header: JSON.parse(JSON.stringify(header)), payload: bytes.subarray(offset), pooled };
}

/** Half a step of the 255 between the least and the greatest of a group, and float32 rounding. */
function checkGroup(found: readonly number[], expected: readonly number[]): void {
  const greatest = Math.max(...expected.map(Math.abs));
  const step = (Math.max(...expected) - Math.min(...expected)) / 255;
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs((found[index] ?? Number.NaN) - value);
    assert.ok(difference <= 0.5001 * step + 1e-6 * greatest, `${found[index]}, not ${value}`);
  }
}

const sizes = fc
  .integer({ min: 1, max: 128 })
  .chain((tokenCount) =>
    fc.tuple(fc.constant(tokenCount), fc.integer({ min: 1, max: tokenCount })),
  );

test("a memory comes back to 8 bits a channel of keys and an entry of values", () => {
  fc.assert(
    fc.property(sizes, fc.integer(), fc.nat(7), ([tokenCount, entryCount], seed, offset) => {
      const memory = makeMemory(tokenCount, entryCount, seed);
      const found = decodeKept(store(memory, offset), shape);
      const { layers, ...rest } = memory;
      const { layers: foundLayers, ...foundRest } = found;
      assert.deepEqual(foundRest, rest);
      for (const [index, layer] of layers.entries()) {
        const foundLayer = foundLayers[index];
        assert.ok(foundLayer !== undefined);
        assert.deepEqual(foundLayer.tokens, layer.tokens);
        const { headDim } = shape;
        const headSize = entryCount * headDim;
        for (let head = 0; head < shape.kvHeadCount; head++)
          for (let channel = 0; channel < headDim; channel++) {
            const ofChannel = (rows: Float32Array) =>
              [...rows.subarray(head * headSize, (head + 1) * headSize)].filter(
                (_, at) => at % headDim === channel,
              );
            checkGroup(ofChannel(foundLayer.keys), ofChannel(layer.keys));
          }
        for (let at = 0; at < layer.values.length; at += headDim)
          checkGroup(
            [...foundLayer.values.subarray(at, at + headDim)],
            [...layer.values.subarray(at, at + headDim)],
          );
      }
    }),
    { numRuns: 60 },
  );
});

test("one entry, and entries that are all alike, come back exactly", () => {
  const single = makeMemory(1, 1, 1);
  const alike = makeMemory(8, 2, 2);
  for (const { keys, values } of alike.layers) {
    keys.fill(-3.5);
    values.fill(0);
  }
  for (const [index, { keys }] of single.layers.entries())
    assert.deepEqual(decodeKept(store(single), shape).layers[index]?.keys, keys);
  assert.deepEqual(decodeKept(store(alike), shape), alike);
});

test("an entry of the 0.5B takes 6 KiB and a quarter", () => {
  const coder = { ...shape, layerCount: 24, kvHeadCount: 2, headDim: 64 };
  const size = 2 * 32 * 64;
  const layers = Array.from({ length: 24 }, () => ({
    tokens: Uint16Array.from({ length: 64 }, (_, index) => index % 32),
    keys: new Float32Array(size),
    values: new Float32Array(size),
  }));
  const memory = { ...makeMemory(128, 32, 1), shape: coder, layers };
  assert.equal(encodeKept(memory).payload.length / 32, 7392);
});

const stored = store(makeMemory(12, 3, 3));
const damagedHeaders: [string, object, RegExp][] = [
  ["of another format", { format: "kept, 4 bits" }, /format kept, 4 bits/],
  ["without a format", { format: undefined }, /format undefined/],
  ["without entries", { entryCount: 0 }, /entryCount of 0/],
  ["of more entries than tokens", { entryCount: 13 }, /entryCount of 13/],
  ["of half an entry", { entryCount: 2.5 }, /entryCount of 2.5/],
  ["of entries in words", { entryCount: "3" }, /entryCount of 3/],
  ["of more tokens than a piece", { tokenCount: 129 }, /tokenCount of 129/],
  ["of 1e300 tokens", { tokenCount: 1e300, entryCount: 1e299 }, /tokenCount of 1e\+300/],
  ["before the start", { position: -1 }, /position of -1/],
  ["of another number of entries", { entryCount: 4 }, /payload of \d+ bytes/],
  ["of fewer tokens than an entry's", { tokenCount: 3 }, /entries of tokens/],
];
for (const [label, change, message] of damagedHeaders) {
  test(`a header ${label} is a FormatError`, () => {
    const header = { ...stored.header, ...change };
    assert.throws(() => decodeKept({ ...stored, header }, shape), checkFormat(message));
  });
}

test("a payload of any other length is a FormatError", () => {
  const longer = new Uint8Array(2 * stored.payload.length);
  longer.set(stored.payload);
  for (let length = 0; length < longer.length; length++) {
    if (length === stored.payload.length) continue;
    const payload = longer.subarray(0, length);
    assert.throws(() => decodeKept({ ...stored, payload }, shape), checkFormat(/payload of/));
  }
});

test("a memory of another model is a FormatError", () => {
  const other = { ...shape, layerCount: 3 };
  assert.throws(() => decodeKept(stored, other), checkFormat(/payload of/));
  const wider = { ...shape, hiddenSize: 32 };
  assert.throws(() => decodeKept(stored, wider), checkFormat(/24 pooled values, not 32/));
});

test("a token twice in a head, and a scale that is no number, are FormatErrors", () => {
  const memory = makeMemory(12, 3, 3);
  memory.layers[1]?.tokens.set([5, 5], 0);
  assert.throws(() => decodeKept(store(memory), shape), checkFormat(/entries of tokens 5,5/));
  const payload = stored.payload.slice();
  new DataView(payload.buffer).setFloat32(0, Number.NaN, true);
  assert.throws(() => decodeKept({ ...stored, payload }, shape), checkFormat(/no number/));
});

test("any change of bytes gives a memory or a FormatError", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(stored.payload.length - 1), fc.nat(255)), { minLength: 1 }),
      (changes) => {
        const payload = stored.payload.slice();
        for (const [at, byte] of changes) payload[at] = byte;
        try {
          const { layers } = decodeKept({ ...stored, payload }, shape);
          for (const { tokens } of layers) assert.ok(tokens.every((token) => token < 12));
        } catch (error) {
          assert.ok(error instanceof FormatError);
        }
      },
    ),
  );
});

function checkFormat(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FormatError && message.test(error.message);
}
