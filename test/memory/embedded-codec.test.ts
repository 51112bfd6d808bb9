// Embedded memories as bytes: what comes back is what went in, and nothing else comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError } from "../../sidecar/errors.ts";
import { decodeEmbedded, encodeEmbedded } from "../../sidecar/memory/embedded-codec.ts";
import type { MemoryBytes } from "../../sidecar/memory/memory-bytes.ts";
import { createRandom } from "../support/random-tensor.ts";

const hiddenSize = 24;
const pools = { hiddenSize, slot: null };
const slots = { hiddenSize, slot: new Float32Array(hiddenSize) };
const pooled = new Float32Array(hiddenSize);

/** As the bank keeps it: the header as JSON, the payload anywhere in a buffer. */
function store(tokenCount: number, rows: number, offset = 0) {
  const random = createRandom(tokenCount);
  const states = Float32Array.from({ length: rows * hiddenSize }, random);
  const memory = { tokenCount, states };
  const { header, payload } = encodeEmbedded(memory, pooled);
  const bytes = new Uint8Array(offset + payload.length);
  bytes.set(payload, offset);
  const stored: MemoryBytes = {
    header: JSON.parse(JSON.stringify(header)),
    payload: bytes.subarray(offset),
    pooled,
  };
  return { memory, stored };
}

test("a memory comes back to the bit, wherever its bytes lie", () => {
  const sizes = fc.integer({ min: 1, max: 512 });
  fc.assert(
    fc.property(sizes, sizes, fc.nat(7), (tokenCount, count, offset) => {
      const ofAll = store(tokenCount, tokenCount, offset);
      assert.deepEqual(decodeEmbedded(ofAll.stored, pools), ofAll.memory);
      const ofSlots = store(tokenCount, Math.min(count, tokenCount), offset);
      assert.deepEqual(decodeEmbedded(ofSlots.stored, slots), ofSlots.memory);
    }),
    { numRuns: 30 },
  );
});

const { stored } = store(12, 12);
const damagedHeaders: [string, object, RegExp][] = [
  ["of the kept form", { format: "kept, 8 bits, keys at 0" }, /format kept/],
  ["without a format", { format: undefined }, /format undefined/],
  ["without tokens", { tokenCount: 0 }, /tokenCount of 0/],
  ["of more tokens than a piece", { tokenCount: 513 }, /tokenCount of 513/],
  ["of tokens in words", { tokenCount: "12" }, /tokenCount of 12/],
  ["of another number of tokens", { tokenCount: 13 }, /payload of 1152 bytes for 13 tokens/],
];
for (const [label, change, message] of damagedHeaders)
  test(`a header ${label} is a FormatError`, () => {
    const header = { ...stored.header, ...change };
    assert.throws(() => decodeEmbedded({ ...stored, header }, pools), checkFormat(message));
  });

test("a payload of any other length is a FormatError", () => {
  const longer = new Uint8Array(2 * stored.payload.length);
  longer.set(stored.payload);
  for (let length = 0; length < longer.length; length++) {
    if (length === stored.payload.length) continue;
    const payload = longer.subarray(0, length);
    const decode = () => decodeEmbedded({ ...stored, payload }, pools);
    assert.throws(decode, checkFormat(/payload of/));
  }
});

test("more slots than tokens, and half a slot, are FormatErrors", () => {
  for (const rows of [13, 2.5, 0]) {
    const payload = new Uint8Array(rows * 4 * hiddenSize);
    const decode = () => decodeEmbedded({ ...stored, payload }, slots);
    assert.throws(decode, checkFormat(/payload of/));
  }
});

test("a state that is no number is a FormatError", () => {
  const payload = stored.payload.slice();
  new DataView(payload.buffer).setFloat32(40, Number.NaN, true);
  const decode = () => decodeEmbedded({ ...stored, payload }, pools);
  assert.throws(decode, checkFormat(/no number/));
});

function checkFormat(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FormatError && message.test(error.message);
}
