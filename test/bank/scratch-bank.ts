// A bank in a folder of its own, and memories that can be told apart and checked from their number.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  Bank,
  type BankedMemory,
  type BankOptions,
  type MemorySource,
} from "../../sidecar/bank/bank.ts";
import { type MemoryId, memoryId } from "../../sidecar/bank/memory-id.ts";
import { signBits } from "../../sidecar/selection/similarity.ts";

const hidden = 70;

export async function scratchFolder(context: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "pith-bank-"));
  context.after(() => rm(parent, { recursive: true, force: true }));
  return join(parent, "bank");
}

export async function openBank(
  context: TestContext,
  folder: string,
  options: Partial<BankOptions> = {},
): Promise<Bank> {
  const bank = await Bank.open(folder, { cap: 1e8, ...options });
  context.after(() => bank.close());
  return bank;
}

export function idOf(number: number, model = "model"): MemoryId {
  return memoryId({ model, form: "kept-1", pathHeader: "// a.ts", text: `text ${number}` });
}

/** Every part of it says which one it is. */
export function memoryOf(number: number, payloadLength = 1_000): BankedMemory {
  const pooled = Float32Array.from({ length: hidden }, (_, at) => Math.sin(number + 3 * at));
  return {
    header: { number, kinds: ["key", "value"] },
    payload: new Uint8Array(payloadLength).fill(number % 251),
    pooled,
    signBits: signBits(pooled),
  };
}

export function sourceOf(number: number, path = "/home/a/src/a.ts"): MemorySource {
  const place = { startLine: 10 * number, endLine: 10 * number + 10 };
  return { path, ...place, language: "typescript", text: `first ${number}\nlast ${number}\n` };
}
