// A store in a folder of its own, with a catalogue of one small model whose bytes are made up.
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { CatalogueModel } from "../../sidecar/catalogue/models.ts";
import { openStore, type Store } from "../../sidecar/catalogue/store.ts";

/** Three megabytes: longer than any buffer on the way. */
export const modelBytes = new Uint8Array(randomBytes(3 << 20));

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function catalogueModel(facts: Partial<CatalogueModel> = {}): CatalogueModel {
  return {
    id: "small",
    title: "Small",
    licence: "MIT",
    fileName: "small.gguf",
    byteLength: modelBytes.length,
    sha256: sha256Of(modelBytes),
    url: "http://127.0.0.1:1/small.gguf",
    ...facts,
  };
}

/** Deleted when the test ends. */
export async function scratchFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pith-catalogue-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function scratchStore(
  context: TestContext,
  facts: Partial<CatalogueModel> = {},
): Promise<Store> {
  const folder = await scratchFolder(context);
  return openStore({ folder, models: [catalogueModel(facts)] });
}

/** What lies in the models folder, the remembered checksums aside. */
export async function modelFiles(store: Store): Promise<string[]> {
  return (await readdir(store.home.models)).filter((name) => name !== "checksums").sort();
}
