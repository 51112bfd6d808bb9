// Which models are on this disk, and whether they are what they should be. Touches no network.
import { readdir, realpath, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { CancelledError, errorKind, FormatError, UnsupportedError } from "../errors.ts";
import { openFileSource } from "../gguf/byte-source.ts";
import { parseHeader } from "../gguf/header.ts";
import type { Metadata } from "../gguf/metadata.ts";
import { withLock } from "../lock.ts";
import { CatalogueError } from "./catalogue-error.ts";
import { type ChecksumOptions, checksumOf, forgetChecksum, readChecksum } from "./checksum.ts";
import { type Home, openHome, preparedPrefix } from "./home.ts";
import {
  deleteLocalModel,
  findLocalModel,
  type LocalModel,
  listLocalModels,
  localModelId,
  writeLocalModel,
} from "./local-model.ts";
import { byteLengthOf, downloadedFile, downloadTraces } from "./model-files.ts";
import { type CatalogueModel, catalogue } from "./models.ts";

export interface Store {
  readonly home: Home;
  readonly models: readonly CatalogueModel[];
}

export interface StoredModel {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly byteLength: number;
  readonly sha256: string;
  readonly state: "present" | "partial" | "absent";
  /** Where the file lies or would lie. */
  readonly file: string;
  /** Bytes of it that are on the disk. */
  readonly storedByteLength: number;
}

/** A file that may be opened: its checksum is known and, for the catalogue's models, right. */
export interface LocatedModel {
  readonly id: string;
  readonly file: string;
  readonly sha256: string;
}

export interface VerifiedModel extends LocatedModel {
  /** What the catalogue says, or what was found when the file was added. */
  readonly expected: string;
  readonly isValid: boolean;
}

/** @param options `folder`: instead of `PITH_HOME`. `models`: instead of the shipped catalogue. */
export async function openStore(
  options: { folder?: string; models?: readonly CatalogueModel[] } = {},
): Promise<Store> {
  return { home: await openHome(options.folder), models: options.models ?? catalogue };
}

/** Those of the catalogue in its order, then those that the user added. Reads sizes, not contents. */
export async function listModels(store: Store): Promise<StoredModel[]> {
  const locals = await listLocalModels(store.home);
  const own = store.models.map(async (model) => {
    const local = locals.find(({ id }) => id === model.id);
    return describe(model, await catalogueFile(store, model, local));
  });
  const added = locals
    .filter(({ id }) => !findCatalogueModel(store, id))
    .map(async (local) => {
      const byteLength = (await byteLengthOf(local.file)) ?? local.byteLength;
      return describe({ ...local, byteLength }, local.file);
    });
  return Promise.all([...own, ...added]);
}

/**
 * The file of a model by catalogue id, by the id of a file that was added, or by path; null when it
 * is not there. The first call reads the file for its checksum, later ones only its size and time.
 *
 * @throws UnsupportedError for an id that nothing has, FormatError for a file with a wrong checksum.
 */
export async function locateModel(
  store: Store,
  idOrPath: string,
  options: ChecksumOptions = {},
): Promise<LocatedModel | null> {
  const { id, file, expected } = await resolveModel(store, idOrPath);
  if ((await byteLengthOf(file)) === null) return null;
  const sha256 = await checksumOf(store.home, file, options);
  const model = findCatalogueModel(store, id);
  if (model && sha256 !== expected) throw wrongChecksum(file, sha256, model);
  return { id, file, sha256 };
}

/**
 * Reads the whole file, whatever is remembered of it; null when it is not there.
 *
 * @throws UnsupportedError for an id that nothing has.
 */
export async function verifyModel(
  store: Store,
  idOrPath: string,
  options: ChecksumOptions = {},
): Promise<VerifiedModel | null> {
  const { id, file, expected } = await resolveModel(store, idOrPath);
  if ((await byteLengthOf(file)) === null) return null;
  const sha256 = await readChecksum(store.home, file, options);
  return {
    id,
    file,
    sha256,
    expected: expected ?? sha256,
    isValid: sha256 === (expected ?? sha256),
  };
}

/**
 * Deletes what Pith has of a model: its file, a partial download, prepared forms. Of a file that the
 * user added only the record and the prepared forms go.
 *
 * @throws CatalogueError while the model is being downloaded, UnsupportedError for an unknown id.
 */
export async function deleteModel(store: Store, id: string): Promise<void> {
  const model = findCatalogueModel(store, id);
  const local = await findLocalModel(store.home, id);
  if (!model && !local) throw unknownModel(store, id);
  if (model) await deleteDownload(store, model);
  if (local) await forgetChecksum(store.home, local.file);
  await deleteLocalModel(store.home, id);
  for (const { sha256 } of [model, local].filter((each) => each != null))
    await deletePrepared(store.home, sha256);
}

/**
 * Records a GGUF file of the user's where it lies. One with the checksum of a catalogue model stands
 * for that model, so a machine without a network can be served from a stick.
 *
 * @throws FormatError when it is no GGUF file, CatalogueError when it cannot be read.
 */
export async function addModel(
  store: Store,
  path: string,
  options: ChecksumOptions = {},
): Promise<LocatedModel> {
  const file = await existingFile(path);
  const facts = await readFacts(file);
  const sha256 = await readChecksum(store.home, file, options);
  const model = store.models.find((each) => each.sha256 === sha256);
  const id = model?.id ?? (await freeId(store, file, sha256));
  const title = model?.title ?? (facts.title || basename(file));
  await writeLocalModel(store.home, {
    ...{ id, title, file, sha256 },
    licence: model?.licence ?? facts.licence,
    byteLength: (await byteLengthOf(file)) ?? 0,
  });
  return { id, file, sha256 };
}

export function findCatalogueModel(store: Store, id: string): CatalogueModel | undefined {
  return store.models.find((model) => model.id === id);
}

export function unknownModel(store: Store, id: string): UnsupportedError {
  const known = store.models.map((model) => model.id).join(", ");
  return new UnsupportedError(
    `model ${id}: not known; the catalogue has ${known}, and a path ends in .gguf`,
  );
}

async function resolveModel(
  store: Store,
  idOrPath: string,
): Promise<{ id: string; file: string; expected: string | null }> {
  const model = findCatalogueModel(store, idOrPath);
  const local = await findLocalModel(store.home, idOrPath);
  if (model) {
    const file = await catalogueFile(store, model, local ?? undefined);
    return { id: model.id, file, expected: model.sha256 };
  }
  if (local) return { id: local.id, file: local.file, expected: local.sha256 };
  if (!/[/\\]|\.gguf$/i.test(idOrPath)) throw unknownModel(store, idOrPath);
  await checkRegular(resolve(idOrPath));
  return { id: idOrPath, file: resolve(idOrPath), expected: null };
}

/** What Pith downloaded goes before what the user added under the same id. */
async function catalogueFile(
  store: Store,
  model: CatalogueModel,
  local: LocalModel | undefined,
): Promise<string> {
  const downloaded = downloadedFile(store.home, model);
  if (!local || (await byteLengthOf(downloaded)) !== null) return downloaded;
  return (await byteLengthOf(local.file)) === null ? downloaded : local.file;
}

async function describe(
  model: { id: string; title: string; licence: string; byteLength: number; sha256: string },
  file: string,
): Promise<StoredModel> {
  const { id, title, licence, byteLength, sha256 } = model;
  const whole = await byteLengthOf(file);
  const facts = { id, title, licence, byteLength, sha256, file };
  if (whole === byteLength) return { ...facts, state: "present", storedByteLength: whole };
  const partial = await byteLengthOf(downloadTraces(file).partial);
  const state = partial === null ? "absent" : "partial";
  return { ...facts, state, storedByteLength: partial ?? 0 };
}

async function deleteDownload(store: Store, model: CatalogueModel): Promise<void> {
  const file = downloadedFile(store.home, model);
  const { partial, tag, lock, mirror } = downloadTraces(file);
  const busy = new AbortController();
  const onWait = (isAlive: boolean) => {
    if (isAlive) busy.abort();
  };
  const deleting = withLock(lock, { signal: busy.signal, onWait }, async () => {
    for (const each of [file, partial, tag, mirror])
      await rm(each, { force: true, recursive: true, maxRetries: 3 });
    await forgetChecksum(store.home, file);
  });
  await deleting.catch((error: unknown) => {
    if (!(error instanceof CancelledError)) throw error;
    throw new CatalogueError(`model ${model.id}: is being downloaded now; cancel that first`);
  });
}

async function deletePrepared(home: Home, sha256: string): Promise<void> {
  const names = await readdir(home.prepared);
  for (const name of names.filter((each) => each.startsWith(preparedPrefix(sha256))))
    await rm(join(home.prepared, name), { force: true, recursive: true, maxRetries: 3 });
}

async function existingFile(path: string): Promise<string> {
  try {
    await checkRegular(path);
    return await realpath(path);
  } catch (cause) {
    if (cause instanceof UnsupportedError) throw cause;
    throw new CatalogueError(`model file ${path}: cannot be read; check the path`, { cause });
  }
}

/** A named pipe would be waited for without end. @throws UnsupportedError */
async function checkRegular(file: string): Promise<void> {
  const found = await stat(file).catch(() => null); // What is not there is told by others.
  if (found !== null && !found.isFile())
    throw new UnsupportedError(`model ${file}: is no regular file`);
}

async function readFacts(file: string): Promise<{ title: string; licence: string }> {
  const source = await openFileSource(file);
  try {
    const { metadata } = await parseHeader(source);
    const licence = shownText(metadata, "general.license") || "unknown";
    return { title: shownText(metadata, "general.name"), licence };
  } finally {
    await source.close();
  }
}

/** Empty where the file has none that can be read: it is shown and decides nothing. */
function shownText(metadata: Metadata, key: string): string {
  try {
    const value = metadata.get(key);
    return typeof value === "string" ? value : "";
  } catch (error) {
    if (errorKind(error) === "internal") throw error;
    return "";
  }
}

/** Two files of one name get two ids; the same place keeps its id. */
async function freeId(store: Store, file: string, sha256: string): Promise<string> {
  const id = localModelId(basename(file));
  const taken = await findLocalModel(store.home, id);
  const isFree = !findCatalogueModel(store, id) && (!taken || taken.file === file);
  return isFree ? id : `${id}-${sha256.slice(0, 8)}`;
}

function wrongChecksum(file: string, sha256: string, model: CatalogueModel): FormatError {
  return new FormatError(
    `model ${model.id}: ${file} has SHA-256 ${sha256} instead of ${model.sha256}; delete it and download it again`,
  );
}
