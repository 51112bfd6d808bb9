import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { test } from "node:test";
import { FormatError } from "../../sidecar/errors.ts";
import { dequantize } from "../../sidecar/gguf/dequantize.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { loadOutputGrams } from "../../sidecar/model/output-grams.ts";
import { tinySource } from "../support/tiny-gguf.ts";
import { prepare } from "./prepare-tiny.ts";

test("v' G v is the squared length of what a head's value adds to the stream", async () => {
  const source = tinySource({ tensorType: "Q8_0" });
  const { hyperparameters, outputGramsFile } = await prepare(source);
  const { hiddenSize, headCount, headDim, layerCount } = hyperparameters;
  const grams = await loadOutputGrams(outputGramsFile, hyperparameters);
  assert.equal(grams.length, layerCount);
  const value = Float64Array.from({ length: headDim }, (_, i) => Math.sin(i + 1));
  const { tensors } = await parseHeader(source);
  for (const [layer, gram] of grams.entries()) {
    const entry = tensors.get(`blk.${layer}.attn_output.weight`);
    assert.ok(entry !== undefined);
    const bytes = await source.read(entry.offset, entry.byteLength);
    const weights = dequantize(entry.type, bytes, hiddenSize * headCount * headDim);
    for (let head = 0; head < headCount; head++) {
      let expected = 0;
      for (let row = 0; row < hiddenSize; row++) {
        const start = (row * headCount + head) * headDim;
        const said = value.reduce((sum, each, i) => sum + each * (weights[start + i] ?? 0), 0);
        expected += said ** 2;
      }
      let found = 0;
      for (const [i, a] of value.entries())
        for (const [j, b] of value.entries())
          found += a * b * (gram[(head * headDim + i) * headDim + j] ?? Number.NaN);
      assert.ok(Math.abs(found - expected) < 1e-5 * expected, `${found}, expected ${expected}`);
    }
  }
});

test("a cut file of output grams is a FormatError", async () => {
  const { hyperparameters, outputGramsFile } = await prepare(tinySource());
  await truncate(outputGramsFile, 100);
  await assert.rejects(loadOutputGrams(outputGramsFile, hyperparameters), FormatError);
});
