// Processes that share a bank, and processes that are killed while they write. The other process is
// this very file, started anew with the bank's folder in its environment.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Bank } from "../../sidecar/bank/bank.ts";
import { fileName } from "../../sidecar/bank/database.ts";
import { idOf, memoryOf, openBank, scratchFolder, sourceOf } from "./scratch-bank.ts";

const { PITH_TEST_BANK, PITH_TEST_FIRST, PITH_TEST_OPENINGS } = process.env;
if (PITH_TEST_BANK === undefined) runTests();
else if (PITH_TEST_OPENINGS === undefined)
  await writeForEver(PITH_TEST_BANK, Number(PITH_TEST_FIRST));
else await openAndClose(PITH_TEST_BANK, Number(PITH_TEST_OPENINGS));

/** Says the number of each memory once it is in the bank. */
async function writeForEver(folder: string, first: number): Promise<void> {
  const bank = await Bank.open(folder, { cap: 1e9 });
  for (let number = first; ; number += 1) {
    await bank.put(idOf(number), memoryOf(number, payloadOf(number)), sourceOf(number));
    process.stdout.write(`${number}\n`);
  }
}

async function openAndClose(folder: string, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const bank = await Bank.open(folder, { cap: 1e9 });
    await bank.close();
  }
}

/** From a part of a page to some tens of pages. */
function payloadOf(number: number): number {
  return 100 + ((number * 7_919) % 100_000);
}

class Writer {
  readonly child: ChildProcess;
  /** What it said it had written. */
  readonly written: number[] = [];

  constructor(folder: string, first: number) {
    const file = fileURLToPath(import.meta.url);
    const env = { ...process.env, PITH_TEST_BANK: folder, PITH_TEST_FIRST: `${first}` };
    this.child = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] });
    let rest = "";
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.written.push(...lines.map(Number));
    });
  }

  async reach(count: number): Promise<void> {
    while (this.written.length < count && this.child.exitCode === null)
      await new Promise((waited) => setTimeout(waited, 1));
  }

  async kill(): Promise<void> {
    const ended = once(this.child, "close");
    this.child.kill("SIGKILL");
    await ended;
  }
}

function runTests(): void {
  test("100 kills while writing lose no committed memory and tear none", async (context) => {
    const folder = await scratchFolder(context);
    const written: number[] = [];
    for (let round = 0; round < 100; round += 1) {
      const writer = new Writer(folder, 1_000 * round);
      context.after(() => writer.child.kill("SIGKILL"));
      await writer.reach(1 + (round % 5));
      await new Promise((waited) => setTimeout(waited, (round * 7) % 13));
      await writer.kill();
      written.push(...writer.written);
      if (round % 20 === 19) await checkBank(context, folder, written);
    }
    assert(written.length >= 100);
    await checkBank(context, folder, written);
  });

  test("three processes write at once, and each sees what the others wrote", async (context) => {
    const folder = await scratchFolder(context);
    const writers = [0, 1, 2].map((number) => new Writer(folder, 10_000 * number));
    context.after(() => writers.forEach((writer) => void writer.child.kill("SIGKILL")));
    const bank = await openBank(context, folder, { cap: 1e9 });
    let seen = 0;
    for (const target of [3, 6, 9]) {
      await Promise.all(writers.map((writer) => writer.reach(target)));
      const written = writers.flatMap((writer) => writer.written.slice(0, target));
      const keys = new Set((await bank.signs(idOf(0).space))?.keys);
      for (const number of written) assert(keys.has(idOf(number).key), `${number} is not seen`);
      assert(keys.size > seen);
      seen = keys.size;
      const number = 50_000 + target;
      await bank.put(idOf(number), memoryOf(number), sourceOf(number));
    }
    await Promise.all(writers.map((writer) => writer.kill()));
    await checkBank(
      context,
      folder,
      writers.flatMap((writer) => writer.written),
    );
  });

  test("processes that open and close a bank at the same time do not disturb each other", async (context) => {
    const folder = await scratchFolder(context);
    const env = { ...process.env, PITH_TEST_BANK: folder, PITH_TEST_OPENINGS: "200" };
    const children = [0, 1, 2, 3].map(() => {
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { env });
      context.after(() => child.kill("SIGKILL"));
      return { end: once(child, "close"), errors: text(child.stderr) };
    });
    for (const { end, errors } of children) {
      assert.equal(await errors, "");
      assert.deepEqual(await end, [0, null]);
    }
    assert.deepEqual(await readdir(folder), [fileName, `${fileName}-lock`]);
  });

  test("a purge empties the bank under a process that writes, which goes on", async (context) => {
    const folder = await scratchFolder(context);
    const writer = new Writer(folder, 0);
    context.after(() => writer.child.kill("SIGKILL"));
    await writer.reach(5);
    const bank = await openBank(context, folder, { cap: 1e9 });
    await bank.purge();
    const before = writer.written.length;
    await writer.reach(before + 5);
    await writer.kill();
    assert.equal(writer.child.signalCode, "SIGKILL");
    assert.equal(await bank.has(idOf(0).key), false);
    // One more may have been under way when the files went.
    await checkBank(context, folder, writer.written.slice(before + 1));
    await bank.purge();
    assert.deepEqual(await readdir(folder), []);
  });
}

/** Every memory that was written is there, and every one that is there is whole. */
async function checkBank(
  context: TestContext,
  folder: string,
  written: readonly number[],
): Promise<void> {
  const damages: string[] = [];
  const onDamage = ({ message }: Error): void => void damages.push(message);
  const bank = await openBank(context, folder, { cap: 1e9, onDamage });
  for (const number of written) assert(await bank.has(idOf(number).key), `${number} is lost`);
  const entries = await bank.list();
  for (const { key, startLine } of entries) {
    const number = startLine / 10;
    assert.equal(key, idOf(number).key);
    if (number < 50_000) assert.deepEqual(await bank.get(key), memoryOf(number, payloadOf(number)));
  }
  const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.equal(await bank.byteLength(), total);
  assert.equal((await bank.signs(idOf(0).space))?.count ?? 0, entries.length);
  assert.deepEqual(damages, []);
  await bank.close();
}
