// One file over HTTP into a partial file. A dropped connection goes on where it ended; what lies on
// the disk from an earlier try is asked for no second time. The bytes are not judged here beyond
// their number: the caller checks the checksum.
import { open, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { FormatError, LimitError, throwIfCancelled } from "../errors.ts";
import { formatByteSize } from "./byte-size.ts";
import { CatalogueError } from "./catalogue-error.ts";
import { byteLengthOf } from "./model-files.ts";
import { failureCode, isCertificateFailure, whyUnreachable } from "./network.ts";

export interface Transfer {
  readonly url: string;
  readonly byteLength: number;
  /** Where the bytes go. Kept when the transfer fails or is cancelled. */
  readonly partial: string;
  /** Remembers the server's version of the file (its ETag) between two tries. */
  readonly tag: string;
  readonly dispatcher: Dispatcher;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number, total: number) => void) | undefined;
  /** Tries in a row that bring next to nothing, after a first answer. Default 5. */
  readonly retries?: number | undefined;
  /** Tries at a host that never answered. Default 1. */
  readonly connectRetries?: number | undefined;
  /** The first pause between tries; it doubles. Default 500. */
  readonly backoffMs?: number | undefined;
}

/** A try that brings this much is progress: the count of failures starts again. */
const progressByteLength = 1 << 20;
const maxBackoffMs = 15_000;

/** A failure that another try may mend. `hasAnswered`: the host was reached. */
class DroppedError extends Error {
  override readonly name = "DroppedError";
  readonly hasAnswered: boolean;
  constructor(message: string, options: { hasAnswered: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.hasAnswered = options.hasAnswered;
  }
}

/**
 * @throws CancelledError, LimitError when the disk is full, FormatError when the server has a file
 * of another length, CatalogueError when the server refuses or cannot be reached.
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  for (let failures = 0; ; ) {
    const before = await storedByteLength(transfer);
    const failure = await tryOnce(transfer).then(
      () => null,
      (error: unknown) => error,
    );
    if (failure === null) return;
    throwIfCancelled(transfer.signal);
    if (!(failure instanceof DroppedError)) throw failure;
    const gained = (await storedByteLength(transfer)) - before;
    failures = gained >= progressByteLength ? 1 : failures + 1;
    const { retries = 5, connectRetries = 1 } = transfer;
    if (failures > (failure.hasAnswered ? retries : connectRetries))
      throw new CatalogueError(failure.message, { cause: failure.cause });
    await pause(transfer, failures);
  }
}

async function tryOnce(transfer: Transfer): Promise<void> {
  const { url, byteLength } = transfer;
  const stored = await storedByteLength(transfer);
  if (stored === byteLength) return;
  if (stored > byteLength) await startOver(transfer);
  const offset = stored > byteLength ? 0 : stored;
  const response = await send(transfer, offset);
  try {
    const start = await startOfAnswer(transfer, response, offset);
    await rememberTag(transfer, response);
    const end = await writeBody(transfer, response, start);
    if (end < byteLength)
      throw new DroppedError(
        `${host(url)}: the connection ended after ${end} of ${byteLength} bytes`,
        {
          hasAnswered: true,
        },
      );
  } finally {
    response.body.on("error", () => {}).destroy(); // Nobody reads what is left of it.
  }
}

async function send(transfer: Transfer, offset: number): Promise<Dispatcher.ResponseData> {
  const { url, dispatcher, signal } = transfer;
  const tag = offset > 0 ? await recallTag(transfer) : null;
  const headers = {
    "user-agent": "pith",
    "accept-encoding": "identity",
    ...(offset > 0 && { range: `bytes=${offset}-` }),
    ...(tag !== null && { "if-range": tag }),
  };
  try {
    const sending = request(url, { dispatcher, headers, signal: signal ?? null });
    return await (signal ? orAborted(sending, signal) : sending);
  } catch (cause) {
    throwIfCancelled(signal);
    throw explainFailure(url, cause, false);
  }
}

/** undici hears a cancel only once it is connected, which may take as long as the limit allows. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const options = { once: true, signal: settled.signal };
    signal.addEventListener("abort", () => reject(signal.reason), options);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}

/** The position of the answer's first byte, or the error that the answer is. */
async function startOfAnswer(
  transfer: Transfer,
  response: Dispatcher.ResponseData,
  offset: number,
): Promise<number> {
  const { url, byteLength } = transfer;
  const { statusCode } = response;
  if (statusCode === 206) return startOfRange(transfer, response, offset);
  if (statusCode === 200) {
    // Also the answer to a range by a server that knows none, or that has another version by now.
    const length = response.headers["content-length"];
    if (length !== undefined && Number(length) !== byteLength)
      throw wrongLength(url, length, byteLength);
    return 0;
  }
  if (statusCode === 416) {
    await startOver(transfer);
    throw new DroppedError(`${host(url)}: refused the range from byte ${offset}`, {
      hasAnswered: true,
    });
  }
  const message = `${host(url)}: answered with status ${statusCode} for ${url}`;
  if (statusCode === 408 || statusCode === 429 || statusCode >= 500)
    throw new DroppedError(message, { hasAnswered: true });
  throw new CatalogueError(message);
}

async function startOfRange(
  transfer: Transfer,
  { headers }: Dispatcher.ResponseData,
  offset: number,
): Promise<number> {
  const { url, byteLength } = transfer;
  const range = String(headers["content-range"] ?? "");
  const [, start = "", total = ""] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
  if (total !== "" && total !== "*" && Number(total) !== byteLength)
    throw wrongLength(url, total, byteLength);
  const tag = await recallTag(transfer);
  const { etag } = headers;
  const isOtherVersion = tag !== null && etag !== undefined && etag !== tag;
  if (start === "" || Number(start) !== offset || isOtherVersion) {
    await startOver(transfer);
    throw new DroppedError(`${host(url)}: answered bytes ${offset} onwards with "${range}"`, {
      hasAnswered: true,
    });
  }
  return offset;
}

/** Writes from `start` on and returns the position behind the last byte. */
async function writeBody(
  transfer: Transfer,
  response: Dispatcher.ResponseData,
  start: number,
): Promise<number> {
  const { url, byteLength, partial, signal, onProgress } = transfer;
  const handle = await open(partial, start === 0 ? "w" : "r+", 0o600);
  let position = start;
  try {
    onProgress?.(position, byteLength);
    for await (const chunk of response.body) {
      if (position + chunk.length > byteLength)
        throw wrongLength(url, `more than ${byteLength}`, byteLength);
      // As much as the disk takes at a time; one that takes no more is an error.
      for (let done = 0; done < chunk.length; ) {
        const left = chunk.length - done;
        const { bytesWritten } = await handle.write(chunk, done, left, position);
        done += bytesWritten;
        position += bytesWritten;
      }
      onProgress?.(position, byteLength);
    }
  } catch (error) {
    throwIfCancelled(signal);
    throw explainFailure(url, error, true);
  } finally {
    await handle.close();
  }
  return position;
}

function explainFailure(url: string, error: unknown, hasAnswered: boolean): Error {
  if (error instanceof FormatError) return error;
  const code = failureCode(error);
  const details = error instanceof Error ? error.message : String(error);
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG")
    return new LimitError(
      `model folder: the disk is full (${code}); make room and go on, what has arrived is kept`,
      { cause: error },
    );
  if (isCertificateFailure(error))
    return new CatalogueError(`${host(url)}: its certificate does not check out (${details})`, {
      cause: error,
    });
  if (details.includes("407") || code === "UND_ERR_INVALID_ARG")
    return new CatalogueError(`${host(url)}: refused on the way (${details})`, { cause: error });
  const why = whyUnreachable(error) ?? details;
  return new DroppedError(`${host(url)}: ${why} (${code || "dropped"})`, {
    hasAnswered,
    cause: error,
  });
}

function wrongLength(
  url: string,
  length: number | string | string[],
  expected: number,
): FormatError {
  return new FormatError(
    `${host(url)}: sends ${length} bytes instead of ${expected} (${formatByteSize(expected)}); something on the way may answer in its place`,
  );
}

async function pause({ backoffMs = 500, signal }: Transfer, failures: number): Promise<void> {
  const ms = Math.min(backoffMs * 2 ** (failures - 1), maxBackoffMs);
  await delay(ms, undefined, { signal }).catch(() => {});
  throwIfCancelled(signal);
}

async function storedByteLength({ partial }: Transfer): Promise<number> {
  return (await byteLengthOf(partial)) ?? 0;
}

async function startOver({ partial, tag }: Transfer): Promise<void> {
  await rm(partial, { force: true });
  await rm(tag, { force: true });
}

/** A weak tag (`W/`) does not promise equal bytes, so it is no use for a range (RFC 9110, 13.1.5). */
async function rememberTag({ tag }: Transfer, { headers }: Dispatcher.ResponseData): Promise<void> {
  const { etag } = headers;
  if (typeof etag === "string" && etag.startsWith('"'))
    await writeFile(tag, JSON.stringify({ etag }), { mode: 0o600 });
  else await rm(tag, { force: true });
}

async function recallTag({ tag }: Transfer): Promise<string | null> {
  try {
    return JSON.parse(await readFile(tag, "utf8")).etag ?? null;
  } catch {
    return null; // None, or damaged: the checksum will tell.
  }
}

function host(url: string): string {
  return new URL(url).host;
}
