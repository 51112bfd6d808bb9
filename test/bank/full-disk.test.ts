// A disk that takes no more, made by a limit on the size of files. The process under the limit is
// this very file, started anew by a shell that sets it, with the bank's folder in its environment.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Bank } from "../../sidecar/bank/bank.ts";
import { fileName } from "../../sidecar/bank/database.ts";
import { idOf, memoryOf, openBank, scratchFolder, sourceOf } from "./scratch-bank.ts";

const options = { cap: 1e9, onDamage: (error: Error) => assert.fail(error.message) };
const large = 1_000_000;

const { PITH_TEST_FULL, PITH_TEST_COUNT } = process.env;
if (PITH_TEST_FULL === undefined) runTests();
else if (PITH_TEST_COUNT === undefined) await openRefused(PITH_TEST_FULL);
else await useFull(PITH_TEST_FULL, Number(PITH_TEST_COUNT));

async function put(bank: Bank, number: number, size: number): Promise<void> {
  await bank.put(idOf(number), memoryOf(number, size), sourceOf(number));
}

/** A bank of `count` memories, which cannot grow. */
async function useFull(folder: string, count: number): Promise<void> {
  const bank = await Bank.open(folder, options);
  await assert.rejects(put(bank, count, large), /bank: the change could not be written/);
  await assert.rejects(put(bank, count, large), /bank: the change could not be written/);
  assert.deepEqual(await bank.get(idOf(0).key), memoryOf(0, 10_000));
  assert.equal((await bank.list()).length, count);
  await bank.close();
  await bank.close();
  await assert.rejects(bank.list(), /bank: it was closed/);
  const again = await Bank.open(folder, options);
  assert.equal((await again.list()).length, count);
  await again.purge();
  assert.deepEqual(await readdir(folder), []);
  await put(again, 1, 100);
  assert.deepEqual(await again.get(idOf(1).key), memoryOf(1, 100));
  await again.close();
}

async function openRefused(folder: string): Promise<void> {
  for (let time = 0; time < 2; time += 1)
    await assert.rejects(Bank.open(folder, options), { code: "EFBIG" });
}

/** Where no file may grow beyond so many bytes. */
function runLimited(byteLength: number, env: Record<string, string>): void {
  const kilobytes = Math.ceil(byteLength / 1024);
  const script = `trap '' XFSZ; ulimit -f ${kilobytes}; exec "$0" "$@"`;
  const command = [process.execPath, "--enable-source-maps", fileURLToPath(import.meta.url)];
  const run = spawnSync("bash", ["-c", script, ...command], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  assert.deepEqual([run.status, run.signal], [0, null], run.stderr);
}

function runTests(): void {
  const skip = process.platform === "win32";

  test("a bank on a full disk is read, closed, opened again and purged", {
    skip,
  }, async (context) => {
    const folder = await scratchFolder(context);
    const bank = await openBank(context, folder);
    const count = 20;
    for (let number = 0; number < count; number += 1) await put(bank, number, 10_000);
    await bank.close();
    const { size } = await stat(join(folder, fileName));
    runLimited(size, { PITH_TEST_FULL: folder, PITH_TEST_COUNT: `${count}` });
  });

  test("where there is no room for a new bank, that is said and the process lives", {
    skip,
  }, async (context) => {
    const folder = await scratchFolder(context);
    await mkdir(folder);
    runLimited(4096, { PITH_TEST_FULL: folder });
    const bank = await openBank(context, folder);
    await put(bank, 1, 100);
  });

  test("a bank that may not be opened is not taken for a damaged one", async (context) => {
    const folder = await scratchFolder(context);
    await writeFile(folder, "");
    await assert.rejects(Bank.open(folder, options), { code: "EEXIST" });
  });

  test("a purge that a close comes between leaves nothing, or says so", async (context) => {
    const folder = await scratchFolder(context);
    const bank = await openBank(context, folder);
    await put(bank, 1, 100);
    const purging = bank.purge();
    await bank.close();
    const said = await purging.then(
      () => "",
      (error: Error) => error.message,
    );
    if (said === "") assert.deepEqual(await readdir(folder), []);
    else assert.match(said, /it was closed/);
    await assert.rejects(bank.purge(), /it was closed/);
  });
}
