// The main thread's end of the engine's thread: every message between the two, and a client that
// starts the worker, asks it, and tells when it has ended. `thread.ts` is the other end.
//
// JSON-RPC over the worker's message port; values are cloned, not turned into text. A cancel goes
// two ways: as a message, and as a flag in shared memory, because the engine computes without a turn
// of its event loop and would see the message one chunk of the prompt too late.
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import {
  type CancellationSenderStrategy,
  CancellationTokenSource,
  createMessageConnection,
  type Message,
  type MessageConnection,
  PortMessageReader,
  PortMessageWriter,
  ProgressType,
  RequestType,
  ResponseError,
} from "vscode-jsonrpc/node";
import {
  CancelledError,
  type ErrorKind,
  FormatError,
  LimitError,
  throwIfCancelled,
  UnsupportedError,
} from "./errors.ts";
import type { FileProblem } from "./project/folders.ts";
import type { KeptText } from "./project/kept-texts.ts";
import type { BankFacts } from "./project/memory-bank.ts";
import type { Cursor } from "./project/near-text.ts";
import type { PlacedDemonstration } from "./project/read-files.ts";
import type {
  Changes,
  CompressReport,
  Lines,
  MemoryActivity,
  PauseWork,
  ProjectSettings,
  Selection,
  Target,
  WorkOptions,
} from "./project/request.ts";
import type { Candidate } from "./project/selection.ts";
import type {
  BatchCompletion,
  BatchRequest,
  BatchScore,
  BatchSelection,
  EditorDocument,
  ModelChoice,
  ModelFacts,
  OpenProgress,
  ScoreRequest,
  SelectRequest,
  ShownCompletion,
  TokenSplit,
} from "./service.ts";

/** null: the model is not on this machine. Replaces a model that was open. */
export const openModel = new RequestType<
  { choice: ModelChoice; token: number },
  ModelFacts | null,
  ErrorFacts
>("openModel");
export const closeModel = new RequestType<Nothing, void, ErrorFacts>("closeModel");
export const completeInline = new RequestType<EditorDocument, ShownCompletion, ErrorFacts>(
  "completeInline",
);
export const complete = new RequestType<BatchRequest, BatchCompletion, ErrorFacts>("complete");
export const score = new RequestType<ScoreRequest, BatchScore, ErrorFacts>("score");
export const select = new RequestType<SelectRequest, BatchSelection, ErrorFacts>("select");
export const splitTokens = new RequestType<{ text: string | Uint8Array }, TokenSplit, ErrorFacts>(
  "splitTokens",
);
export const underTrained = new RequestType<Nothing, number[], ErrorFacts>("underTrained");
/** Holds until the model is replaced. */
export const configureProject = new RequestType<ProjectSettings, void, ErrorFacts>(
  "configureProject",
);
export const noteChanges = new RequestType<Changes, void, ErrorFacts>("noteChanges");
/** For idle time: makes memories and the cached prompt ready. Returns the rows run. */
export const work = new RequestType<{ work: PauseWork; token: number }, number, ErrorFacts>("work");
export const workProgress = new ProgressType<MemoryActivity>();
/** Encodes files, folders or lines into the bank. */
export const compress = new RequestType<
  { targets: readonly Target[]; token: number },
  CompressReport,
  ErrorFacts
>("compress");
/** What the memories of some lines hold of them. */
export const keptTexts = new RequestType<
  { lines: readonly Lines[]; token: number },
  readonly KeptText[],
  ErrorFacts
>("keptTexts");
/** All that might stand in front of a place, the best first. */
export const rank = new RequestType<Cursor, readonly Candidate[], ErrorFacts>("rank");
export const demonstrations = new RequestType<
  Nothing,
  (PlacedDemonstration & { readonly file: string })[],
  ErrorFacts
>("demonstrations");
export const demonstrationProblems = new RequestType<Nothing, FileProblem[], ErrorFacts>(
  "demonstrationProblems",
);
export const bankFacts = new RequestType<Nothing, BankFacts, ErrorFacts>("bankFacts");
/** Deletes every memory. */
export const purgeBank = new RequestType<Nothing, void, ErrorFacts>("purgeBank");
export const selection = new RequestType<Nothing, Selection, ErrorFacts>("selection");
export const describe = new RequestType<Nothing, Record<string, string>, ErrorFacts>("describe");
export const openProgress = new ProgressType<OpenProgress>();

export type Nothing = Record<string, never>;

/** What of an error gets across beside its message. */
export interface ErrorFacts {
  readonly kind: ErrorKind;
  readonly stack: string;
}

/** Editors wait for two seconds before they end a server themselves. */
const graceMs = 1_000;
/** Longer than a bank waits for another process, and than a step of the model on a busy machine. */
const closeMs = 15_000;

/** A request as it is sent, with the flag that its sender sets on a cancel. */
export type FlaggedRequest = Message & { cancelFlag?: SharedArrayBuffer };

export class EngineThread {
  /** Why the thread ended, `stop` included; never rejects. */
  readonly ended: Promise<string>;
  readonly #worker: Worker;
  readonly #connection: MessageConnection;
  /** Of the requests that are under way. */
  readonly #asked = new Set<CancellationTokenSource>();
  #end: string | null = null;
  #lastToken = 0;

  /** @param entry the bundle of thread.ts */
  constructor(entry: URL) {
    // Its standard output must not get into ours, which may be a protocol's.
    this.#worker = new Worker(entry, { name: "pith-engine", stdout: true });
    this.#connection = createMessageConnection(
      new PortMessageReader(this.#worker),
      new PortMessageWriter(this.#worker),
      undefined,
      { cancellationStrategy: { sender: new FlagSender(), receiver: messageReceiver } },
    );
    this.ended = this.#watch();
    this.#connection.listen();
  }

  /**
   * Opens a model, preparing it where that has not been done. null: it is not on this machine.
   * @throws what `service.openModel` throws
   */
  open(choice: ModelChoice, options: OpenCalls = {}): Promise<ModelFacts | null> {
    const { onProgress, signal } = options;
    return this.#watchProgress(openProgress, onProgress, (token) =>
      this.ask(openModel, { choice, token }, signal),
    );
  }

  /** Work for a pause; returns the rows run. @throws CancelledError */
  work(pause: PauseWork, options: WorkOptions): Promise<number> {
    const { onActivity, signal } = options;
    return this.#watchProgress(workProgress, onActivity, (token) =>
      this.ask(work, { work: pause, token }, signal),
    );
  }

  /** @throws Error when the thread has ended or ends meanwhile, else what the service throws. */
  async ask<P extends object, R>(
    type: RequestType<P, R, ErrorFacts>,
    params: P,
    signal?: AbortSignal,
  ): Promise<R> {
    if (this.#end !== null) throw new Error(`engine thread: ended: ${this.#end}`);
    throwIfCancelled(signal);
    const source = new CancellationTokenSource();
    this.#asked.add(source);
    const cancel = () => source.cancel();
    signal?.addEventListener("abort", cancel);
    try {
      return await this.#connection.sendRequest<R>(type.method, params, source.token);
    } catch (error) {
      throw await this.#revive(error);
    } finally {
      this.#asked.delete(source);
      signal?.removeEventListener("abort", cancel);
    }
  }

  /**
   * Takes back what is asked of it and lets it close its files. False when it does not in time, or is
   * no more. Never fails.
   */
  async close(withinMs = closeMs): Promise<boolean> {
    for (const source of this.#asked) source.cancel();
    const closed = this.ask(closeModel, {}).then(
      () => true,
      () => false,
    );
    return await Promise.race([closed, delay(withinMs, false, { ref: false })]);
  }

  /**
   * Closes, and ends the thread; after `graceMs` whatever it is doing, but for a step of the model that
   * runs. Never fails.
   */
  async stop(): Promise<void> {
    await this.close(graceMs);
    await this.end();
  }

  /** At once, but for what the system does not give back: that is waited for no longer than `graceMs`. */
  async end(): Promise<void> {
    const ended = this.#worker.terminate().then(
      () => true,
      () => true,
    );
    if (await Promise.race([ended, delay(graceMs, false, { ref: false })])) return;
    this.#worker.unref();
    killAtExit();
  }

  /** @throws UnsupportedError for what lies in no folder of the workspace; CancelledError */
  compress(targets: readonly Target[], options: WorkOptions): Promise<CompressReport> {
    const { onActivity, signal } = options;
    return this.#watchProgress(workProgress, onActivity, (token) =>
      this.ask(compress, { targets, token }, signal),
    );
  }

  /** @throws as `Project.keptTexts` does */
  keptTexts(lines: readonly Lines[], options: WorkOptions): Promise<readonly KeptText[]> {
    const { onActivity, signal } = options;
    return this.#watchProgress(workProgress, onActivity, (token) =>
      this.ask(keptTexts, { lines, token }, signal),
    );
  }

  async #watchProgress<Progress, Answer>(
    type: ProgressType<Progress>,
    onProgress: (progress: Progress) => void = () => {},
    ask: (token: number) => Promise<Answer>,
  ): Promise<Answer> {
    const token = ++this.#lastToken;
    const subscription = this.#connection.onProgress(type, token, onProgress);
    try {
      return await ask(token);
    } finally {
      subscription.dispose();
    }
  }

  #watch(): Promise<string> {
    return new Promise((resolve) => {
      let cause: string | null = null;
      this.#worker.on("error", (error) => {
        cause = error.message;
      });
      this.#worker.on("exit", (code) => {
        this.#end = cause ?? `exit code ${code}`;
        this.#connection.dispose();
        resolve(this.#end);
      });
    });
  }

  /** The error as it was thrown in the thread, or that there is no thread any more. */
  async #revive(error: unknown): Promise<unknown> {
    if (!(error instanceof ResponseError)) return error;
    const facts: ErrorFacts | undefined = error.data;
    if (facts?.kind === undefined) return new Error(`engine thread: ended: ${await this.ended}`);
    const revived = new classes[facts.kind](error.message);
    revived.stack = facts.stack;
    return revived;
  }
}

/**
 * For a process in which a call of the file system hangs. Node waits at its exit for the thread that
 * the call holds, that is for ever; all has been said by then, so only the exit code is lost.
 */
export function killAtExit(): void {
  process.once("exit", () => process.kill(process.pid, "SIGKILL"));
}

export interface OpenCalls {
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const classes = {
  format: FormatError,
  unsupported: UnsupportedError,
  limit: LimitError,
  cancelled: CancelledError,
  internal: Error,
} as const satisfies Record<ErrorKind, unknown>;

/** Nothing asks the main thread; its requests would be cancelled by message alone. */
const messageReceiver = { createCancellationTokenSource: () => new CancellationTokenSource() };

class FlagSender implements CancellationSenderStrategy {
  readonly #flags = new Map<number | string, SharedArrayBuffer>();

  enableCancellation(request: FlaggedRequest & { id: number | string | null }): void {
    if (request.id === null) return;
    request.cancelFlag = new SharedArrayBuffer(4);
    this.#flags.set(request.id, request.cancelFlag);
  }

  sendCancellation(connection: MessageConnection, id: number | string): Promise<void> {
    const flag = this.#flags.get(id);
    if (flag !== undefined) Atomics.store(new Int32Array(flag), 0, 1);
    return connection.sendNotification("$/cancelRequest", { id });
  }

  cleanup(id: number | string): void {
    this.#flags.delete(id);
  }
}
