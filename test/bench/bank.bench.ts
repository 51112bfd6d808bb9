// The bank at 10,000 memories of the 0.5B: a look-up by sign bits and cosine, reading one memory,
// writing one. Goal: a look-up in at most 5 ms. Flag: --count N.
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bank, type BankedMemory, type NewMemory } from "../../sidecar/bank/bank.ts";
import { fileName } from "../../sidecar/bank/database.ts";
import { memoryId } from "../../sidecar/bank/memory-id.ts";
import { createRandom } from "../../sidecar/engine/random.ts";
import { filteredCount, nearest } from "../../sidecar/selection/nearest.ts";
import { signBits } from "../../sidecar/selection/similarity.ts";

const { values } = parseArgs({ options: { count: { type: "string", default: "10000" } } });
const count = Number(values.count);
const hidden = 896;
/** A piece of 128 tokens at 4x: 32 positions of 6,144 bytes. */
const memoryBytes = 32 * 6_144;
/** Look-ups read no payload, so those of the many are short. */
const shortBytes = 4_096;
const rounds = 200;

const random = createRandom(1);
const folder = await mkdtemp(join(tmpdir(), "pith-bank-"));
const options = { cap: 4e9 };
let bank = await Bank.open(folder, options);
for (let first = 0; first < count; first += 1_000)
  await bank.putAll(
    Array.from({ length: 1_000 }, (_, at) => entryOf(first + at, makeMemory(shortBytes))),
  );
const { size } = await stat(join(folder, fileName));
await bank.close();

const opened = performance.now();
bank = await Bank.open(folder, options);
const openMs = performance.now() - opened;
const { space } = idOf(0);
const first = performance.now();
await lookUp(makeMemory(0).pooled);
const firstMs = performance.now() - first;
const queries = Array.from({ length: rounds }, () => makeMemory(0).pooled);
const used = process.cpuUsage();
const lookUpMs = await measure(
  async (round) => await lookUp(queries[round] ?? new Float32Array(hidden)),
);
const { user, system } = process.cpuUsage(used);
const processorMs = (user + system) / 1_000 / rounds; // What a busy machine does not change.
const whole = makeMemory(memoryBytes);

const writeMs = await measure(async (round) => await bank.putAll([entryOf(count + round, whole)]));
const readMs = await measure(async (round) => {
  const found = await bank.get(idOf(count + round).key);
  if (found?.payload.length !== memoryBytes) throw new Error("bank: the memory is not there");
});
await bank.close();
await rm(folder, { recursive: true });

console.log(`${count} memories, ${hidden} dimensions, file of ${(size / 1e6).toFixed(0)} MB`);
console.log(
  `open and check the pages: ${openMs.toFixed(1)} ms; first look-up: ${firstMs.toFixed(1)} ms`,
);
console.log(`processor time of a look-up: ${processorMs.toFixed(2)} ms`);
for (const [label, times] of Object.entries({ lookUpMs, readMs, writeMs }))
  console.log(`${label}: p50 ${quantile(times, 0.5)}, p95 ${quantile(times, 0.95)}`);
console.log(
  JSON.stringify({
    ...{ count, openMs, firstMs, processorMs },
    lookUpMs: quantile(lookUpMs, 0.5),
    readMs: quantile(readMs, 0.5),
    writeMs: quantile(writeMs, 0.5),
  }),
);

async function lookUp(query: Float32Array): Promise<void> {
  const table = await bank.signs(space);
  if (table?.count !== count) throw new Error("bank: entries are missing");
  const found = nearest(query, table, (index) => bank.pooled(table.keys[index] ?? ""));
  if (found.length !== filteredCount) throw new Error(`bank: ${found.length} neighbours`);
}

function entryOf(at: number, memory: BankedMemory): NewMemory {
  const place = { startLine: at, endLine: at + 20 };
  const source = { path: `/a/${at % 300}.ts`, language: "typescript", text: "", ...place };
  return { id: idOf(at), memory, source };
}

function idOf(at: number) {
  return memoryId({ model: "model", form: "kept-1", pathHeader: "// a.ts", text: `${at}` });
}

function makeMemory(byteLength: number): BankedMemory {
  const pooled = Float32Array.from({ length: hidden }, () => random() - 0.5);
  const payload = new Uint8Array(byteLength).fill(7);
  return { header: { tokens: 128 }, payload, pooled, signBits: signBits(pooled) };
}

async function measure(work: (round: number) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await work(round);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(2);
}
