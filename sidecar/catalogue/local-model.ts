// Models that the user brings along. A record names the file where it lies: it is neither copied nor
// moved, and deleting the model deletes the record alone.
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Home } from "./home.ts";

export interface LocalModel {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  /** Absolute. */
  readonly file: string;
  readonly byteLength: number;
  /** At the time when it was added. */
  readonly sha256: string;
}

const ending = ".local.json";

export async function listLocalModels(home: Home): Promise<LocalModel[]> {
  const names = (await readdir(home.models)).filter((name) => name.endsWith(ending)).sort();
  const models = await Promise.all(names.map((name) => readLocalModel(join(home.models, name))));
  return models.filter((model) => model !== null);
}

export async function findLocalModel(home: Home, id: string): Promise<LocalModel | null> {
  return (await listLocalModels(home)).find((model) => model.id === id) ?? null;
}

/** Replaces what was recorded under the same id. */
export async function writeLocalModel(home: Home, model: LocalModel): Promise<void> {
  const target = join(home.models, `${model.id}${ending}`);
  const aside = `${target}.${process.pid}`;
  try {
    await writeFile(aside, JSON.stringify(model), { mode: 0o600 });
    await rename(aside, target);
  } finally {
    await rm(aside, { force: true });
  }
}

export async function deleteLocalModel(home: Home, id: string): Promise<void> {
  await rm(join(home.models, `${id}${ending}`), { force: true });
}

/** An id made from a file's name: `Phi 3.Q4_K_M.gguf` becomes `phi-3.q4_k_m`. */
export function localModelId(fileName: string): string {
  const id = fileName
    .replace(/\.gguf$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  return id || "model";
}

async function readLocalModel(file: string): Promise<LocalModel | null> {
  try {
    const model: LocalModel = JSON.parse(await readFile(file, "utf8"));
    return typeof model.id === "string" && typeof model.file === "string" ? model : null;
  } catch {
    return null; // Deleted meanwhile, or damaged: the user adds the file again.
  }
}
