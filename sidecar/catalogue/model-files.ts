// The names of the files of one model: the one it ends up as, and those that a download makes beside
// it on its way.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Home } from "./home.ts";
import type { CatalogueModel } from "./models.ts";

/** Where a download of a catalogue model ends up. */
export function downloadedFile(home: Home, model: CatalogueModel): string {
  return join(home.models, model.fileName);
}

export interface DownloadTraces {
  /** What has arrived so far. */
  readonly partial: string;
  /** The server's version of it. */
  readonly tag: string;
  readonly lock: string;
  /** The folder in which the parts of mirrors are put together. */
  readonly mirror: string;
}

export function downloadTraces(file: string): DownloadTraces {
  return {
    partial: `${file}.partial`,
    tag: `${file}.partial.json`,
    lock: `${file}.lock`,
    mirror: `${file}.mirror`,
  };
}

/** null when there is no such file. */
export async function byteLengthOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch {
    return null;
  }
}
