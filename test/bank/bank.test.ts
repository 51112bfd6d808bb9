// What the bank keeps, drops and finds.
import assert from "node:assert/strict";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { Bank } from "../../sidecar/bank/bank.ts";
import { fileName } from "../../sidecar/bank/database.ts";
import { decodeFrame, encodeFrame } from "../../sidecar/bank/frame.ts";
import { memoryId } from "../../sidecar/bank/memory-id.ts";
import { FormatError } from "../../sidecar/errors.ts";
import { filteredCount, nearest } from "../../sidecar/selection/nearest.ts";
import { idOf, memoryOf, openBank, scratchFolder, sourceOf } from "./scratch-bank.ts";

test("a memory comes back as it was, also after the bank was closed", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  for (const number of [1, 2]) await bank.put(idOf(number), memoryOf(number), sourceOf(number));
  assert.deepEqual(await bank.get(idOf(1).key), memoryOf(1));
  await bank.close();
  const again = await openBank(context, folder);
  assert.deepEqual(await again.get(idOf(2).key), memoryOf(2));
  assert.equal(await again.has(idOf(1).key), true);
  assert.equal(await again.has(idOf(3).key), false);
  assert.equal(await again.get(idOf(3).key), null);
});

test("the same key is one entry, whatever is put under it last", async (context) => {
  const bank = await openBank(context, await scratchFolder(context));
  await bank.put(idOf(1), memoryOf(1), sourceOf(1));
  const byteLength = await bank.byteLength();
  await bank.put(idOf(1), memoryOf(9), sourceOf(4, "/other.ts"));
  assert.deepEqual(await bank.get(idOf(1).key), memoryOf(9));
  assert.equal(await bank.byteLength(), byteLength);
  const [entry, ...others] = await bank.list();
  assert.deepEqual([entry?.path, entry?.startLine, others], ["/other.ts", 40, []]);
});

test("folder and files are their owner's alone", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  await bank.put(idOf(1), memoryOf(1), sourceOf(1));
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  const names = await readdir(folder);
  assert.equal(names.length, 2);
  for (const name of names)
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
});

const edits: [label: string, startLine: number, endLine: number, delta: number, left: string][] = [
  ["a line within the first", 12, 13, 0, "20-30 30-40"],
  ["across the border of two", 19, 21, 1, "31-41"],
  ["a line put in between two", 20, 20, 1, "10-20 21-31 31-41"],
  ["a line put into one", 25, 25, 1, "10-20 31-41"],
  ["lines taken out before all", 0, 5, -5, "5-15 15-25 25-35"],
  ["an edit behind all", 50, 51, 3, "10-20 20-30 30-40"],
  ["all replaced", 0, 100, -90, ""],
];
for (const [label, startLine, endLine, lineDelta, left] of edits) {
  test(`an edit: ${label}`, async (context) => {
    const bank = await openBank(context, await scratchFolder(context));
    for (const number of [1, 2, 3])
      await bank.put(idOf(number), memoryOf(number), sourceOf(number));
    await bank.put(idOf(4), memoryOf(4), sourceOf(1, "/other.ts"));
    const removed = await bank.applyEdit(sourceOf(1).path, { startLine, endLine, lineDelta });
    const entries = (await bank.list()).filter(({ path }) => path !== "/other.ts");
    const ranges = entries.map((entry) => `${entry.startLine}-${entry.endLine}`).sort();
    assert.equal(ranges.join(" "), left.split(" ").sort().join(" "));
    assert.equal(removed, 3 - entries.length);
    assert.equal(await bank.has(idOf(4).key), true, "another file is left alone");
  });
}

test("what a file no longer says is dropped, the rest stays", async (context) => {
  const bank = await openBank(context, await scratchFolder(context));
  for (const number of [1, 2, 3]) await bank.put(idOf(number), memoryOf(number), sourceOf(number));
  await bank.put(idOf(4), memoryOf(4), sourceOf(1, "/other.ts"));
  const present = { space: idOf(2).space, keys: [idOf(2).key], texts: [] };
  assert.equal(await bank.retain(sourceOf(1).path, present), 2);
  const keys = (await bank.list()).map(({ key }) => key);
  assert.deepEqual(keys.sort(), [idOf(2).key, idOf(4).key].sort());
  assert.equal((await bank.signs(idOf(1).space))?.count, 2);
});

test("what another model made stays while its lines stand together, wherever", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  for (const number of [1, 2, 3])
    await bank.put(idOf(number, "other"), memoryOf(number), sourceOf(number));
  const { path } = sourceOf(1);
  const leftOf = async (...texts: string[]) => {
    await bank.retain(path, { space: idOf(1).space, keys: [], texts });
    const entries = await bank.list();
    return entries.map(({ startLine }) => startLine / 10).sort();
  };
  const [one, two, three] = [1, 2, 3].map((number) => sourceOf(number).text);
  assert.deepEqual(await leftOf(`above\n${two}${one}`, `between\n${three?.trimEnd()}`), [1, 2, 3]);
  assert.deepEqual(await leftOf(`${one}${two}`, "first 3\nnew\nlast 3\n"), [1, 2]);
  assert.deepEqual(await leftOf("first 1\n", `last 1\n${two}`), [2]);
  assert.deepEqual(await leftOf(), []);
});

test("of a memory's text the bank holds hashes of its lines alone", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  await bank.put(idOf(1), memoryOf(1), { ...sourceOf(1), text: "a line to be found\n" });
  await bank.close();
  assert.ok(!(await readFile(join(folder, fileName))).includes("a line to be found"));
});

test("to drop nothing of a file writes nothing", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  await bank.put(idOf(1), memoryOf(1), sourceOf(1));
  const before = await readFile(join(folder, fileName));
  const { space } = idOf(1);
  assert.equal(await bank.retain("/none.ts", { space, keys: [], texts: [] }), 0);
  assert.equal(await bank.retain(sourceOf(1).path, { space, keys: [idOf(1).key], texts: [] }), 0);
  assert.deepEqual(await readFile(join(folder, fileName)), before);
});

test("over the cap the least recently used go first, and the file stays near it", async (context) => {
  const folder = await scratchFolder(context);
  let time = 0;
  const cap = 2_000_000;
  const bank = await openBank(context, folder, { cap, now: () => ++time });
  for (let number = 0; number < 300; number += 1) {
    await bank.put(idOf(number), memoryOf(number, 30_000), sourceOf(number));
    await bank.get(idOf(0).key); // Always in use.
    assert((await bank.byteLength()) <= cap);
  }
  const kept = (await bank.list()).map(({ startLine }) => startLine / 10).sort((a, b) => a - b);
  assert(kept.length > 40, `${kept.length} entries`);
  const newest = Array.from({ length: kept.length - 1 }, (_, at) => 300 - kept.length + 1 + at);
  assert.deepEqual(kept, [0, ...newest]);
  const { size } = await stat(join(folder, fileName));
  assert(size < 1.5 * cap, `${size} bytes for a cap of ${cap}`);
});

test("uses are remembered from one start to the next", async (context) => {
  const folder = await scratchFolder(context);
  let time = 0;
  const bank = await openBank(context, folder, { now: () => ++time });
  for (const number of [1, 2]) await bank.put(idOf(number), memoryOf(number), sourceOf(number));
  await bank.get(idOf(1).key);
  await bank.close();
  const again = await openBank(context, folder);
  assert.deepEqual(
    (await again.list()).map(({ key, lastUse }) => [key, lastUse]),
    [
      [idOf(1).key, 3],
      [idOf(2).key, 2],
    ],
  );
});

test("a memory above the cap is a LimitError, and the bank goes on", async (context) => {
  const bank = await openBank(context, await scratchFolder(context), { cap: 20_000 });
  await assert.rejects(bank.put(idOf(1), memoryOf(1, 30_000), sourceOf(1)), {
    name: "LimitError",
    message: "bank: a memory of 36864 bytes exceeds the cap of 20000",
  });
  await bank.put(idOf(2), memoryOf(2), sourceOf(2));
  assert.equal((await bank.list()).length, 1);
});

test("the table of signs follows every change, by space", async (context) => {
  const bank = await openBank(context, await scratchFolder(context));
  const { space } = idOf(0);
  assert.equal(await bank.signs(space), null);
  for (let number = 0; number < 200; number += 1) {
    await bank.put(idOf(number), memoryOf(number), sourceOf(number));
    if (number === 50) await checkSigns(bank, space);
  }
  await bank.put(idOf(0, "other model"), memoryOf(7), sourceOf(900));
  await checkSigns(bank, space);
  await bank.applyEdit(sourceOf(0).path, { startLine: 0, endLine: 100, lineDelta: 0 });
  assert.equal((await checkSigns(bank, space)).length, 190);
  assert.equal((await checkSigns(bank, idOf(0, "other model").space)).length, 1);
  assert.notEqual(idOf(0, "other model").key, idOf(0).key);
});

test("a look-up among 10,000 entries compares 10,000 sign bits and 64 vectors", async (context) => {
  const bank = await openBank(context, await scratchFolder(context));
  const { space } = idOf(0);
  for (let first = 0; first < 10_000; first += 1_000)
    await bank.putAll(
      Array.from({ length: 1_000 }, (_, at) => ({
        id: idOf(first + at),
        memory: memoryOf(first + at, 8),
        source: sourceOf(first + at),
      })),
    );
  const table = await bank.signs(space);
  assert(table !== null);
  assert.equal(table.count, 10_000);
  let vectors = 0;
  const found = nearest(memoryOf(4_711).pooled, table, (index) => {
    vectors += 1;
    return bank.pooled(table.keys[index] ?? "");
  });
  assert.equal(vectors, filteredCount);
  assert.equal(table.keys[found[0]?.index ?? -1], idOf(4_711).key);
});

test("a damaged entry is a FormatError, is dropped, and the rest stays", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  for (const number of [1, 2, 3]) await bank.put(idOf(number), memoryOf(number), sourceOf(number));
  await bank.close();
  await damage(folder, Buffer.from(memoryOf(2).payload.subarray(0, 64)));
  const damages: FormatError[] = [];
  const again = await openBank(context, folder, { onDamage: (error) => damages.push(error) });
  await assert.rejects(again.get(idOf(2).key), {
    name: "FormatError",
    message: `bank: payload ${idOf(2).key} does not have its checksum`,
  });
  assert.equal(damages.length, 1);
  assert.equal(await again.get(idOf(2).key), null);
  assert.deepEqual(await again.get(idOf(1).key), memoryOf(1));
  assert.deepEqual(await again.get(idOf(3).key), memoryOf(3));
  assert.equal((await checkSigns(again, idOf(1).space)).length, 2);
});

test("a damaged record is left out of lists and look-ups, and dropped", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  for (const number of [1, 2]) await bank.put(idOf(number), memoryOf(number), sourceOf(number));
  await bank.close();
  const { pooled } = memoryOf(2);
  await damage(folder, Buffer.from(pooled.buffer, 0, 64));
  const damages: FormatError[] = [];
  const again = await openBank(context, folder, { onDamage: (error) => damages.push(error) });
  assert.equal(again.pooled(idOf(2).key), null);
  assert.deepEqual(again.pooled(idOf(1).key), memoryOf(1).pooled);
  assert.equal((await again.list()).length, 1);
  assert(damages.length > 0);
  assert.equal(await again.has(idOf(2).key), false);
});

const ruins: [label: string, ruin: (file: string, size: number) => Promise<void>][] = [
  ["noise", (file) => writeFile(file, Buffer.alloc(50_000, "noise "))],
  ["one byte", (file) => writeFile(file, "x")],
  ["its first page", (file) => truncate(file, 4096)],
  ["its head alone", (file) => truncate(file, 8192)],
  ["half of it", (file, size) => truncate(file, Math.floor(size / 2))],
  ["all but the last page", (file, size) => truncate(file, size - 4096)],
  ["all but the last byte", (file, size) => truncate(file, size - 1)],
];
for (const [label, ruin] of ruins) {
  test(`a file that is ${label} opens, and every memory is whole or gone`, async (context) => {
    const folder = await scratchFolder(context);
    const bank = await openBank(context, folder);
    for (let number = 0; number < 40; number += 1)
      await bank.put(idOf(number), memoryOf(number, 10_000), sourceOf(number));
    await bank.close();
    const file = join(folder, fileName);
    await ruin(file, (await stat(file)).size);
    await checkSurvives(context, folder);
  });
}

test("whichever page is overwritten, the file opens and every memory is whole or gone", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  for (let number = 0; number < 40; number += 1)
    await bank.put(idOf(number), memoryOf(number, 10_000), sourceOf(number));
  await bank.close();
  const whole = await readFile(join(folder, fileName));
  for (let page = 0; page < whole.length / 4096; page += 5) {
    const content = Buffer.from(whole);
    content.fill(page % 2 === 0 ? 0 : 0xa5, 4096 * page, 4096 * (page + 1));
    await writeFile(join(folder, fileName), content);
    await checkSurvives(context, folder);
  }
});

test("after a purge the folder is empty, and the bank can be used again", async (context) => {
  const folder = await scratchFolder(context);
  const bank = await openBank(context, folder);
  const other = await openBank(context, folder);
  for (const number of [1, 2]) await bank.put(idOf(number), memoryOf(number), sourceOf(number));
  await bank.purge();
  assert.deepEqual(await readdir(folder), []);
  assert.equal(await other.get(idOf(1).key), null);
  await bank.put(idOf(3), memoryOf(3), sourceOf(3));
  assert.deepEqual(await bank.get(idOf(3).key), memoryOf(3));
});

test("a frame comes back as it was, and any change of a byte is a FormatError", () => {
  const json = { a: [1, "é", null] };
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  const frame = encodeFrame({ json, bytes });
  assert.deepEqual(decodeFrame(frame, "it"), { json, bytes });
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(frame);
      changed[at] = (changed[at] ?? 0) ^ change;
      assert.throws(() => decodeFrame(changed, "it"), FormatError);
    }),
  );
  for (let length = 0; length < frame.length; length += 1)
    assert.throws(() => decodeFrame(frame.subarray(0, length), "it"), FormatError);
});

test("every part of a memory's identity makes another key", () => {
  const parts = { model: "m", form: "f", pathHeader: "p", text: "t" };
  const ids = [
    parts,
    { ...parts, model: "m2" },
    { ...parts, form: "f2" },
    { ...parts, pathHeader: "p2" },
    { ...parts, text: "t2" },
    { ...parts, model: "mf", form: "" },
    { ...parts, pathHeader: "", text: "pt" },
  ].map(memoryId);
  assert.equal(new Set(ids.map(({ key }) => key)).size, ids.length);
  assert.deepEqual(memoryId(parts), memoryId({ ...parts }));
  assert.equal(memoryId(parts).space, memoryId({ ...parts, text: "t2" }).space);
});

/** The table agrees with what the bank lists. Returns the keys. */
async function checkSigns(bank: Bank, space: string): Promise<readonly string[]> {
  const table = await bank.signs(space);
  assert(table !== null);
  assert.equal(table.keys.length, table.count);
  for (const [index, key] of table.keys.entries()) {
    const memory = await bank.get(key);
    const bits = table.bits.subarray(index * table.words, (index + 1) * table.words);
    assert.deepEqual(bits, memory?.signBits);
  }
  return table.keys;
}

/** Whatever is left of memories 0 to 39 is right, and the bank takes new ones. */
async function checkSurvives(context: TestContext, folder: string): Promise<void> {
  const damages: FormatError[] = [];
  const bank = await openBank(context, folder, { onDamage: (error) => damages.push(error) });
  let gone = 0;
  for (let number = 0; number < 40; number += 1) {
    const found = await bank.get(idOf(number).key).catch((error: unknown) => {
      assert(error instanceof FormatError);
      return null;
    });
    if (found === null) gone += 1;
    else assert.deepEqual(found, memoryOf(number, 10_000));
  }
  assert(gone === 0 || damages.length > 0, "memories are gone and nothing was said");
  await bank.put(idOf(50), memoryOf(50), sourceOf(50));
  assert.deepEqual(await bank.get(idOf(50).key), memoryOf(50));
  await bank.close();
}

/** Changes one byte of every place in the file that holds `bytes`. */
async function damage(folder: string, bytes: Buffer): Promise<void> {
  const file = join(folder, fileName);
  const content = await readFile(file);
  let found = 0;
  for (let at = content.indexOf(bytes); at >= 0; at = content.indexOf(bytes, at + bytes.length)) {
    content[at + 5] = (content[at + 5] ?? 0) ^ 1;
    found += 1;
  }
  assert(found > 0);
  await writeFile(file, content);
}
