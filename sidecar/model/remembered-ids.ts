// A list of ids that takes seconds to find, kept in a file of the prepared folder it was found in.
import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { readJson } from "./manifest.ts";
import { writeWholeFile } from "./prepared-folder.ts";

/** The list in `file`, else what `find` finds, which is written there. */
export async function rememberedIds(
  file: string,
  find: () => Promise<number[]>,
): Promise<number[]> {
  const remembered = await readJson<{ ids?: unknown }>(file).catch(() => null);
  // A file that is missing or damaged is made again.
  if (isIds(remembered?.ids)) return remembered.ids;
  const ids = await find();
  await remember(file, ids).catch(() => {}); // They are found again then.
  return ids;
}

async function remember(file: string, ids: readonly number[]): Promise<void> {
  const partial = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    await writeWholeFile(partial, JSON.stringify({ ids }));
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

function isIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isInteger);
}
