// The real models, for tests that need them. Set-up has fetched them; a test that runs alone fetches
// them itself, by the same catalogue and with the mirrors of this folder. All test files share what
// is fetched and prepared, at the same places as the product.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { downloadModel } from "../../sidecar/catalogue/download.ts";
import { preparedFolder } from "../../sidecar/catalogue/home.ts";
import { defaultVariant } from "../../sidecar/catalogue/models.ts";
import { type LocatedModel, openStore, type Store } from "../../sidecar/catalogue/store.ts";
import { FormatError } from "../../sidecar/errors.ts";
import { openFileSource } from "../../sidecar/gguf/byte-source.ts";
import { withLock } from "../../sidecar/lock.ts";
import { FORMAT_VERSION, type Variant } from "../../sidecar/model/manifest.ts";
import {
  loadPrepared,
  type PreparedModel,
  type PrepareOptions,
  prepareModel,
} from "../../sidecar/model/prepare.ts";

export type RealModelId = "smollm2-135m" | "qwen2.5-coder-0.5b";

/** The path of the verified GGUF file. */
export async function realWeights(id: RealModelId): Promise<string> {
  return (await fetchModel(await openStore(), id)).file;
}

/**
 * Prepared once for all test files; the others wait for the one that comes first. Without a variant
 * it is the one that the product prepares.
 */
export async function preparedModel(id: RealModelId, named?: Variant): Promise<PreparedModel> {
  const store = await openStore();
  const { file, sha256 } = await fetchModel(store, id);
  const variant = named ?? defaultVariant(sha256);
  const folder = preparedFolder(store.home, { sha256, variant, format: FORMAT_VERSION });
  return withLock(`${folder}.lock`, {}, async () => {
    const found = await loadPrepared(folder).catch((error: unknown) => {
      if (error instanceof FormatError) return null; // Missing, or of another version.
      throw error;
    });
    return found ?? (await prepareFile(file, folder, { variant, sourceSha256: sha256 }));
  });
}

/** The file's weights and float32 products, for as long as the test file runs. */
export async function exactModel(id: RealModelId): Promise<PreparedModel> {
  const folder = await mkdtemp(join(tmpdir(), "pith-exact-"));
  after(() => rm(folder, { recursive: true }));
  const options = { variant: "lossless", sourceSha256: "0", accuracyLevel: 0 } as const;
  return prepareFile(await realWeights(id), join(folder, "model"), options);
}

async function prepareFile(
  file: string,
  folder: string,
  options: PrepareOptions,
): Promise<PreparedModel> {
  const source = await openFileSource(file);
  try {
    return await prepareModel(source, folder, options);
  } finally {
    await source.close();
  }
}

function fetchModel(store: Store, id: RealModelId): Promise<LocatedModel> {
  const { PITH_MIRRORS = "test/support/mirrors.json" } = process.env;
  return downloadModel(store, id, { mirrorsFile: PITH_MIRRORS });
}
