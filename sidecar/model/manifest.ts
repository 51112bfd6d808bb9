// manifest.json of a prepared folder: which model it holds, in which variant and format version, and
// how long every file is, so that a cut or foreign folder is refused before it is mapped.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "../errors.ts";
import type { EmbeddingFormat } from "./embedding-table.ts";
import type { Hyperparameters } from "./hyperparameters.ts";
import { fileLength } from "./prepared-folder.ts";

export type Variant = "lossless" | "fast" | "fp32";

/** Counts up when folders of an older version can no longer be read. */
export const FORMAT_VERSION = 8;

export const preparedFiles = {
  decoder: "decoder.onnx",
  attention: "attention.onnx",
  compressor: "compressor.onnx",
  weights: "weights.bin",
  embeddings: "embeddings.bin",
  outputGrams: "output-grams.bin",
  vocabulary: "vocabulary.json",
} as const;

/** Written last, so a folder that has one is whole. */
export const MANIFEST_FILE = "manifest.json";

export interface Manifest {
  readonly formatVersion: number;
  readonly sourceName: string;
  readonly sourceSha256: string;
  readonly variant: Variant;
  readonly hyperparameters: Hyperparameters;
  readonly embeddings: EmbeddingFormat;
  /** Bytes of each of `preparedFiles`. */
  readonly fileLengths: Readonly<Record<string, number>>;
}

/** The manifest of the files that lie in `folder`. */
export async function createManifest(
  folder: string,
  model: Omit<Manifest, "formatVersion" | "fileLengths">,
): Promise<Manifest> {
  const fileLengths: Record<string, number> = {};
  for (const name of Object.values(preparedFiles))
    fileLengths[name] = (await fileLength(join(folder, name))) ?? 0;
  return { formatVersion: FORMAT_VERSION, ...model, fileLengths };
}

/** @throws FormatError when the folder is of another version or a file is missing or cut. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST_FILE);
  const manifest = await readJson<Partial<Manifest>>(path);
  if (manifest.formatVersion !== FORMAT_VERSION)
    throw new FormatError(
      `${path}: format version ${manifest.formatVersion}, expected ${FORMAT_VERSION}`,
    );
  for (const name of Object.values(preparedFiles)) {
    const expected = manifest.fileLengths?.[name];
    const found = await fileLength(join(folder, name));
    if (found === null || found !== expected)
      throw new FormatError(
        `${join(folder, name)}: ${found ?? "no"} bytes, the manifest says ${expected}`,
      );
  }
  return manifest as Manifest;
}

/** @throws FormatError when the file is missing or no JSON object. */
export async function readJson<Content extends object>(path: string): Promise<Content> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new FormatError(`${path}: cannot be read`, { cause });
  });
  const content = parseJson(path, text);
  if (typeof content !== "object" || content === null)
    throw new FormatError(`${path}: not a JSON object`);
  return content as Content;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${path}: not JSON`, { cause });
  }
}
