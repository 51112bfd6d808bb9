// From bytes to the prepared folder: whole or absent, refused when damaged, in bounded memory.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { Engine } from "../../sidecar/engine/engine.ts";
import { CancelledError, FormatError } from "../../sidecar/errors.ts";
import type { ByteSource } from "../../sidecar/gguf/byte-source.ts";
import { FORMAT_VERSION } from "../../sidecar/model/manifest.ts";
import { loadPrepared } from "../../sidecar/model/prepare.ts";
import { type TinyOptions, tinySource } from "../support/tiny-gguf.ts";
import { freshFolder, prepare } from "./prepare-tiny.ts";

const files = [
  "attention.onnx",
  "compressor.onnx",
  "decoder.onnx",
  "embeddings.bin",
  "manifest.json",
  "output-grams.bin",
  "vocabulary.json",
  "weights.bin",
];

test("a prepared folder holds its files and nothing beside it", async () => {
  const folder = freshFolder();
  await prepare(tinySource(), {}, folder);
  assert.deepEqual(readdirSync(folder).sort(), files);
  assert.deepEqual(readdirSync(dirname(folder)), [basename(folder)]);
});

test("loading gives what preparing gave", async () => {
  const folder = freshFolder();
  const options = { variant: "lossless", sourceSha256: "abc" } as const;
  const prepared = await prepare(tinySource({ architecture: "qwen2" }), options, folder);
  const loaded = await loadPrepared(folder);
  assert.deepEqual(loaded, prepared);
  assert.equal(loaded.sourceSha256, "abc");
  assert.equal(loaded.variant, "lossless");
  assert.equal(loaded.vocabulary.preTokenizer, "qwen2");
  assert.deepEqual(loaded.vocabulary.endIds, [0, 2]);
  assert.equal(loaded.hyperparameters.vocabularySize, loaded.vocabulary.tokens.length);
});

test("the same source gives the same bytes", async () => {
  const [first, second] = [freshFolder(), freshFolder()];
  await prepare(tinySource({ tensorType: "Q4_1" }), {}, first);
  await prepare(tinySource({ tensorType: "Q4_1" }), {}, second);
  for (const name of files)
    assert.deepEqual(await readFile(join(first, name)), await readFile(join(second, name)), name);
});

test("preparing again replaces the folder", async () => {
  const folder = freshFolder();
  await prepare(tinySource(), {}, folder);
  const again = await prepare(tinySource({ seed: 2 }), { sourceSha256: "other" }, folder);
  assert.equal((await loadPrepared(folder)).sourceSha256, "other");
  const engine = await Engine.load(again.engine, { threads: 1 });
  await engine.dispose();
});

test("progress rises to 1", async () => {
  const seen: number[] = [];
  await prepare(tinySource({ hasTiedEmbeddings: false }), { onProgress: (f) => seen.push(f) });
  assert.ok(seen.length > 10);
  assert.ok(seen.every((fraction, index) => fraction > (seen[index - 1] ?? 0)));
  // Sums of fractions: the last may miss 1 by its rounding.
  assert.ok(Math.abs((seen.at(-1) ?? 0) - 1) < 1e-12);
});

test("a cancelled preparation leaves no trace and the next one succeeds", async () => {
  const folder = freshFolder();
  const cancel = new AbortController();
  const onProgress = (fraction: number) => {
    if (fraction > 0.5) cancel.abort();
  };
  await assert.rejects(
    prepare(tinySource(), { onProgress, signal: cancel.signal }, folder),
    CancelledError,
  );
  assert.deepEqual(readdirSync(dirname(folder)), []);
  await prepare(tinySource(), {}, folder);
});

test("a source that fails leaves no trace", async () => {
  const folder = freshFolder();
  const source = tinySource();
  const failing: ByteSource = {
    ...source,
    read: (offset, byteLength) =>
      offset > source.byteLength / 2
        ? Promise.reject(new Error("unplugged"))
        : source.read(offset, byteLength),
  };
  await assert.rejects(prepare(failing, {}, folder), /unplugged/);
  assert.deepEqual(readdirSync(dirname(folder)), []);
});

test("what a killed process left behind is cleared", async () => {
  const folder = freshFolder();
  // Process ids stay below 2^22 on Linux and 99,999 on macOS: this one never runs.
  const abandoned = `${folder}.partial-99999999-abcd`;
  const running = `${folder}.partial-${process.ppid}-abcd`;
  for (const each of [abandoned, running]) mkdirSync(each);
  await prepare(tinySource(), {}, folder);
  assert.ok(!existsSync(abandoned));
  assert.ok(existsSync(running));
});

for (const name of files)
  test(`a folder whose ${name} is cut is refused by name`, async () => {
    const folder = freshFolder();
    await prepare(tinySource(), {}, folder);
    writeFileSync(join(folder, name), (await readFile(join(folder, name))).subarray(0, -1));
    await assert.rejects(loadPrepared(folder), (error) => {
      assert.ok(error instanceof FormatError);
      assert.match(error.message, new RegExp(name.replace(".", "\\.")));
      return true;
    });
  });

test("a folder of another format version is refused", async () => {
  const folder = freshFolder();
  await prepare(tinySource(), {}, folder);
  const path = join(folder, "manifest.json");
  const manifest = JSON.parse(await readFile(path, "utf8"));
  const formatVersion = FORMAT_VERSION + 1;
  writeFileSync(path, JSON.stringify({ ...manifest, formatVersion }));
  const message = `format version ${formatVersion}, expected ${FORMAT_VERSION}`;
  await assert.rejects(loadPrepared(folder), new RegExp(message));
});

test("an absent folder is a FormatError", async () => {
  await assert.rejects(loadPrepared(freshFolder()), FormatError);
});

test("every byte of a tensor is read once, the tied table and the output projections twice", async () => {
  const source = tinySource();
  let bytesRead = 0;
  const counting: ByteSource = {
    ...source,
    read: (offset, byteLength) => {
      if (offset > 0) bytesRead += byteLength;
      return source.read(offset, byteLength);
    },
  };
  await prepare(counting);
  const table = 288 * 64 * 4;
  // norms 5 x 64, per layer q and o 64 x 64, k and v 32 x 64, gate, up and down 128 x 64
  const layers = 4 * (5 * 64 + 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 128 * 64));
  const outputs = 4 * (2 * 64 * 64);
  assert.equal(bytesRead, 2 * table + layers + outputs);
});

test("memory does not grow with the matrix", async () => {
  // Matrices of 67 MB as floats, and 210 MB of them; pieces have 8 MB and the collector is lazy.
  const tiny: TinyOptions = { hiddenSize: 512, feedForwardSize: 16384, layerCount: 2 };
  const source = tinySource({ ...tiny, tensorType: "Q8_0" });
  const before = process.memoryUsage().rss;
  let peak = 0;
  const onProgress = () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  };
  const model = await prepare(source, { variant: "fp32", onProgress });
  const written = statSync(join(dirname(model.engine.graphFile), "weights.bin")).size;
  assert.ok(written > 205e6, `${written} bytes written`);
  assert.ok(peak - before < 120e6, `${(peak - before) / 1e6} MB more than before`);
});

test("no logits are computed for no positions", async () => {
  const model = await prepare(tinySource({ tensorType: "Q4_1" }));
  const engine = await Engine.load(model.engine, { threads: 1 });
  const { logits, hidden } = await engine.run(engine.createCache(4), [1, 2, 3], { hidden: true });
  assert.equal(logits.length, 0);
  assert.equal(hidden?.length, 3 * 64);
  await engine.dispose();
});
