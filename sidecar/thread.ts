// The engine's thread: answers the messages of thread-client.ts by the service. One model is open at
// a time. What is wrong with a request is its answer; what ends this thread is a bug.
import { parentPort } from "node:worker_threads";
import {
  CancellationSenderStrategy,
  type CancellationToken,
  CancellationTokenSource,
  createMessageConnection,
  ErrorCodes,
  PortMessageReader,
  PortMessageWriter,
  type RequestType,
  ResponseError,
} from "vscode-jsonrpc/node";
import { errorKind } from "./errors.ts";
import type { MemoryActivity } from "./project/request.ts";
import { type OpenModel, openModel } from "./service.ts";
import * as messages from "./thread-client.ts";

if (parentPort === null) throw new Error("thread: this program runs in a worker thread only");

const connection = createMessageConnection(
  new PortMessageReader(parentPort),
  new PortMessageWriter(parentPort),
  undefined,
  {
    cancellationStrategy: {
      sender: CancellationSenderStrategy.Message,
      receiver: { kind: "request", createCancellationTokenSource: createFlaggedSource },
    },
  },
);
let open: OpenModel | null = null;

answer(messages.openModel, async ({ choice, token }, signal) => {
  await close();
  open = await openModel(choice, {
    signal,
    onFailure: (error) => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
    onProgress: (progress) => void connection.sendProgress(messages.openProgress, token, progress),
  });
  return open?.facts ?? null;
});
answer(messages.closeModel, close);
answer(messages.completeInline, (document, signal) => model().completeInline(document, signal));
answer(messages.complete, (request, signal) => model().complete(request, signal));
answer(messages.score, (request, signal) => model().score(request, signal));
answer(messages.select, (request) => model().select(request));
answer(messages.splitTokens, async ({ text }) => model().splitTokens(text));
answer(messages.underTrained, (_, signal) => model().underTrained(signal));
answer(messages.configureProject, async (settings) => model().project.configure(settings));
answer(messages.noteChanges, (changes) => model().project.note(changes));
answer(messages.work, ({ work, token }, signal) =>
  model().work(work, { signal, onActivity: activityOn(token) }),
);
answer(messages.compress, ({ targets, token }, signal) =>
  model().ofProject((project) =>
    project.compress(targets, { signal, onActivity: activityOn(token) }),
  ),
);
answer(messages.keptTexts, ({ lines, token }, signal) =>
  model().ofProject((project) =>
    project.keptTexts(lines, { signal, onActivity: activityOn(token) }),
  ),
);
answer(messages.rank, (cursor, signal) =>
  model().ofProject((project) => project.rank(cursor, signal)),
);
answer(messages.selection, async () => model().project.selection);
answer(messages.demonstrations, () => model().project.folders.demonstrations());
answer(messages.demonstrationProblems, () => model().project.folders.demonstrationProblems());
answer(messages.bankFacts, () => model().project.bankFacts());
answer(messages.purgeBank, () => model().ofProject((project) => project.purge()));
answer(messages.describe, async () => open?.describe() ?? {});
connection.listen();

function activityOn(token: number): (activity: MemoryActivity) => void {
  return (activity) => void connection.sendProgress(messages.workProgress, token, activity);
}

function model(): OpenModel {
  if (open === null) throw new Error("thread: no model is open");
  return open;
}

/** Never fails. */
async function close(): Promise<void> {
  const closed = open;
  open = null;
  await closed?.dispose();
}

function answer<P extends object, R>(
  type: RequestType<P, R, messages.ErrorFacts>,
  handler: (params: P, signal: AbortSignal) => Promise<R>,
): void {
  connection.onRequest(type.method, async (params: P, token: CancellationToken) => {
    try {
      return await handler(params, signalOf(token));
    } catch (error) {
      return toResponseError(error);
    }
  });
}

function toResponseError(thrown: unknown): ResponseError<messages.ErrorFacts> {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const facts = { kind: errorKind(error), stack: error.stack ?? "" };
  return new ResponseError(ErrorCodes.InternalError, error.message, facts);
}

/** A source whose token reads the sender's flag, besides being cancelled by message. */
function createFlaggedSource(request: messages.FlaggedRequest): CancellationTokenSource {
  const source = new CancellationTokenSource();
  const flag = new Int32Array(request.cancelFlag ?? new SharedArrayBuffer(4));
  const { token } = source;
  const isSet = () => Atomics.load(flag, 0) !== 0;
  const flagged: CancellationToken = {
    get isCancellationRequested() {
      return isSet() || token.isCancellationRequested;
    },
    onCancellationRequested: token.onCancellationRequested,
  };
  return Object.defineProperty(source, "token", { value: flagged });
}

/** An AbortSignal whose `aborted` is true from the moment on when the sender cancels. */
function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  token.onCancellationRequested(() => controller.abort());
  return Object.defineProperty(controller.signal, "aborted", {
    get: () => token.isCancellationRequested,
  });
}
