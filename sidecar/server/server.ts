// The language server on standard input and output, LSP 3.18. Requests and notifications come
// in here and go to the parts that answer them.
import type { NotificationType, RequestType, RequestType0 } from "vscode-jsonrpc";
import {
  type Connection,
  createConnection,
  DidChangeWatchedFilesNotification,
  DidChangeWorkspaceFoldersNotification,
  type InitializeParams,
  type InitializeResult,
  type InlineCompletionItem,
  type InlineCompletionParams,
  TextDocumentSyncKind,
} from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import { listModels, openStore } from "../catalogue/store.ts";
import { UnsupportedError } from "../errors.ts";
import * as protocol from "../protocol.ts";
import type { ModelChoice, ModelFacts, ShownCompletion } from "../service.ts";
import {
  configureProject,
  demonstrationProblems,
  describe,
  type EngineThread,
  splitTokens,
  underTrained,
} from "../thread-client.ts";
import { alignmentLine } from "./alignment-line.ts";
import { BudgetWatch } from "./budget-watch.ts";
import { cutAtCursor, extended } from "./cursor.ts";
import { DemonstrationDiagnostics } from "./demonstration-diagnostics.ts";
import { filePath } from "./document-path.ts";
import { guarded } from "./guarded.ts";
import { IdleWork } from "./idle-work.ts";
import { InlineRequests } from "./inline-requests.ts";
import { log, logFailure } from "./log.ts";
import { MemoryRequests } from "./memory-requests.ts";
import { ModelOwner } from "./model-owner.ts";
import { ModelShelf } from "./model-shelf.ts";
import { OpenDocuments } from "./open-documents.ts";
import { RemoteCounter } from "./remote-counter.ts";
import { modelChoice, readSettings } from "./settings.ts";
import { StateProgress } from "./state-progress.ts";

export interface ServerOptions {
  /** The bundle of the engine's thread. */
  readonly entry: URL;
  /** The bundle of the thread that counts tokens for models elsewhere. */
  readonly counter: URL;
  readonly version: string;
}

/** Serves until the client says `exit` or closes its end of the pipe; either ends the process. */
export function serve(options: ServerOptions): void {
  new Server(options).listen();
}

class Server {
  readonly #connection: Connection = createConnection(process.stdin, process.stdout);
  readonly #documents = new OpenDocuments();
  readonly #version: string;
  readonly #owner: ModelOwner;
  readonly #shelf: ModelShelf;
  readonly #idle: IdleWork;
  readonly #inline: InlineRequests;
  readonly #counter: RemoteCounter;
  readonly #memories: MemoryRequests;
  readonly #demonstrations = new DemonstrationDiagnostics((params) => {
    // An editor that has gone away misses nothing.
    this.#connection.sendDiagnostics(params).catch(() => {});
  });
  readonly #budget = new BudgetWatch((report) => this.#tell(protocol.budgeted, report));
  #settings = readSettings(null);
  /** LSP admits no message of the server's before. */
  #isInitialized = false;
  #canWatchFiles = false;
  #progress: StateProgress | null = null;

  constructor({ entry, counter, version }: ServerOptions) {
    const owner = new ModelOwner({
      entry,
      sizeOf,
      onState: (state) => this.#showState(state),
      onOpen: (facts) => this.#welcome(facts),
      onFailure: logFailure,
    });
    const settings = () => this.#settings;
    const thread = () => owner.ready;
    this.#version = version;
    this.#counter = new RemoteCounter(counter);
    this.#memories = new MemoryRequests({
      thread: () => this.#informedThread(),
      count: (text) => this.#counter.count(text),
    });
    this.#owner = owner;
    this.#shelf = new ModelShelf({ owner, settings, onNotice: log });
    this.#idle = new IdleWork({
      thread,
      onActivity: (activity) => this.#tell(protocol.memoryActivity, activity),
      onDone: (rows) => this.#trace(`idle: ${rows} rows run`),
      onRest: () => void this.#checkDemonstrations().catch(logFailure),
      onFailure: logFailure,
    });
    this.#inline = new InlineRequests({
      settings,
      thread,
      state: () => owner.state,
      report: (report, answer) => {
        this.#traceAlignment(answer);
        this.#budget.add(report, answer);
        this.#tell(protocol.completed, report);
      },
    });
  }

  listen(): void {
    const connection = this.#connection;
    connection.onInitialize((params) => this.#initialize(params));
    connection.onInitialized(() => this.#greet());
    connection.onShutdown(() => this.#owner.stop());
    connection.languages.inlineCompletion.on(
      guarded((params, signal) => this.#complete(params, signal)),
    );
    connection.onNotification(protocol.settingsChanged.method, (given) => this.#apply(given));
    connection.onNotification(protocol.budgetWatched.method, ({ isVisible }) =>
      this.#budget.watch(isVisible === true),
    );
    this.#answer(protocol.listModels, () => this.#shelf.list());
    this.#answer(protocol.downloadModel, (wanted, signal) => this.#download(wanted, signal));
    this.#answer(protocol.deleteModel, ({ id }) => this.#shelf.delete(id));
    this.#answer(protocol.splitTokens, ({ text }, signal) => this.#split(text, signal));
    this.#answer(protocol.underTrained, (_, signal) =>
      this.#readyThread().ask(underTrained, {}, signal),
    );
    this.#answer(protocol.countRemote, ({ text }) => this.#counter.count(text));
    this.#answer(protocol.diagnostics, () => this.#diagnose());
    this.#answer(protocol.readSelection, () => this.#memories.selection());
    this.#answer(protocol.readKept, (wanted, signal) => this.#readKept(wanted, signal));
    this.#answer(protocol.compress, (wanted, signal) => this.#compress(wanted, signal));
    this.#answer(protocol.copyContext, ({ uri, ...place }, signal) =>
      this.#memories.context(this.#documents.cursorAt(uri, place), place, signal),
    );
    this.#answer(protocol.listDemonstrations, () => this.#memories.demonstrations());
    this.#answer(protocol.readBank, () => this.#memories.bankFacts());
    this.#answer(protocol.purgeBank, () => this.#memories.purge());
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const { uri } of changes) {
        const file = filePath(uri);
        if (file !== null) this.#idle.change(file);
      }
    });
    this.#documents.listen(connection, (document, text) => this.#note(document, text));
    connection.listen();
  }

  // Our own messages go by their names: the library has message types of its own.

  #answer<P, R>(
    { method }: RequestType<P, R, void> | RequestType0<R, void>,
    handler: (params: P, signal: AbortSignal) => Promise<R>,
  ): void {
    const answer = guarded(handler);
    // A request without parameters comes with its token alone.
    this.#connection.onRequest(method, (...[params, token]) => answer(params, token ?? params));
  }

  #tell<P>({ method }: NotificationType<P>, params: P): void {
    // An editor that has gone away misses nothing.
    this.#connection.sendNotification(method, params).catch(() => {});
  }

  #initialize(params: InitializeParams): InitializeResult {
    this.#settings = readSettings(params.initializationOptions);
    this.#documents.changeFolders(params.workspaceFolders ?? []);
    const { workspace } = params.capabilities;
    this.#canWatchFiles = workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    if (params.capabilities.window?.workDoneProgress)
      this.#progress = new StateProgress(() => this.#connection.window.createWorkDoneProgress());
    this.#owner.open(modelChoice(this.#settings));
    return {
      serverInfo: { name: "pith", version: this.#version },
      capabilities: {
        positionEncoding: "utf-16",
        textDocumentSync: TextDocumentSyncKind.Incremental,
        notebookDocumentSync: { notebookSelector: [{ notebook: "*" }] },
        inlineCompletionProvider: true,
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  }

  #greet(): void {
    this.#isInitialized = true;
    this.#showState(this.#owner.state);
    this.#connection.onNotification(DidChangeWorkspaceFoldersNotification.type, ({ event }) => {
      this.#documents.changeFolders(event.added, event.removed);
      this.#configureProject();
    });
    if (this.#canWatchFiles)
      this.#connection.client
        .register(DidChangeWatchedFilesNotification.type, { watchers: [{ globPattern: "**/*" }] })
        .catch(logFailure);
  }

  #showState(state: protocol.SidecarState): void {
    if (!this.#isInitialized) return;
    this.#tell(protocol.stateChanged, state);
    this.#progress?.show(state);
  }

  #apply(given: unknown): void {
    this.#settings = readSettings(given);
    this.#owner.use(modelChoice(this.#settings));
    this.#configureProject();
  }

  /** A model that was just opened knows nothing of the workspace. */
  #welcome(facts: ModelFacts): void {
    this.#trace(openedLine(facts));
    this.#configureProject();
    for (const document of this.#documents.all()) this.#note(document, document.getText());
  }

  #configureProject(): void {
    const { isTrusted, enable, memories, exclude, encodings, bank } = this.#settings;
    const folders = this.#documents.folderPaths;
    const isEnabled = isTrusted && enable && memories.enable;
    const bankLimit = bank.limit * 1024 * 1024;
    const { budget, form } = memories;
    const settings = { folders, exclude, encodings, isEnabled, budget, form, bankLimit };
    this.#owner.ready?.ask(configureProject, settings).catch(logFailure);
    // What is shown is selected anew in the pause that begins now.
    this.#idle.touch();
  }

  #note(document: TextDocument, text: string | null): void {
    this.#demonstrations.noteDocument(document, text);
    const file = filePath(document.uri);
    if (file === null) this.#idle.touch();
    else this.#idle.edit(file, text);
  }

  /** Of files on the disk; what is open was checked as it was typed. */
  async #checkDemonstrations(): Promise<void> {
    const { isTrusted, enable, memories } = this.#settings;
    const thread = isTrusted && enable && memories.enable ? this.#owner.ready : null;
    this.#demonstrations.noteDisk((await thread?.ask(demonstrationProblems, {})) ?? []);
  }

  async #complete(
    params: InlineCompletionParams,
    signal: AbortSignal,
  ): Promise<InlineCompletionItem[]> {
    const document = this.#documents.at(params.textDocument.uri);
    const { head, tail, range } = cutAtCursor(document, params);
    const { uri, version, languageId } = document;
    const text = this.#documents.around(document, `${head.text}${head.selected}`, tail);
    const place = this.#documents.placeOf(document);
    const whyNone = this.#documents.whyNoMemories(place);
    this.#idle.moveTo(place && { ...place, languageId, ...text }, whyNone);
    const path = this.#documents.pathOf(document);
    const request = { uri, version, languageId, file: place?.file ?? null, path, ...text };
    const insertion = await this.#inline.answer(request, signal);
    if (insertion.text === "") return [];
    const insertText = `${head.selected}${insertion.text}`;
    return [{ insertText, range: extended(range, insertion.replaced) }];
  }

  #download(
    { id, token }: { id: string; token: string },
    signal: AbortSignal,
  ): Promise<protocol.ModelEntry> {
    return this.#withProgress(token, `Pith: downloading ${id}`, (onPercent) =>
      this.#shelf.download(id, { signal, onPercent }),
    );
  }

  #readKept(
    { targets, token }: { targets: protocol.DocumentLines[]; token: string },
    signal: AbortSignal,
  ): Promise<protocol.KeptText[]> {
    return this.#withProgress(token, "Pith: reading memories", (onPercent) =>
      this.#memories.keptTexts(targets, onPercent, signal),
    );
  }

  #compress(
    { targets, token }: { targets: { uri: string; range?: protocol.LineRange }[]; token: string },
    signal: AbortSignal,
  ): Promise<protocol.CompressReport> {
    return this.#withProgress(token, "Pith: making memories", (onPercent) =>
      this.#memories.compress(targets, onPercent, signal),
    );
  }

  /** Progress that can be cancelled, on the token that a request names. */
  async #withProgress<T>(
    token: string,
    title: string,
    work: (onPercent: (percent: number, stage?: string) => void) => Promise<T>,
  ): Promise<T> {
    const progress = this.#connection.window.attachWorkDoneProgress(token);
    progress.begin(title, 0, undefined, true);
    try {
      return await work((percent, stage = "") => progress.report(percent, stage));
    } finally {
      progress.done();
    }
  }

  async #split(text: string, signal: AbortSignal): Promise<protocol.TokenSplit> {
    const { ids, pieces } = await this.#readyThread().ask(splitTokens, { text }, signal);
    return { ids, pieces: pieces.map((piece) => Buffer.from(piece).toString("base64")) };
  }

  async #informedThread(): Promise<EngineThread> {
    const thread = this.#readyThread();
    await this.#idle.inform(thread);
    return thread;
  }

  #readyThread(): EngineThread {
    const thread = this.#owner.ready;
    if (thread === null)
      throw new UnsupportedError(`model ${this.#settings.model}: is ${this.#owner.state.kind}`);
    return thread;
  }

  async #diagnose(): Promise<Record<string, string>> {
    const { state } = this.#owner;
    const { heapUsed, rss } = process.memoryUsage();
    return {
      version: this.#version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      memory: `${megabytes(rss)} resident, ${megabytes(heapUsed)} of it the main heap`,
      state: "message" in state ? `${state.kind}: ${state.message}` : state.kind,
      ...(await this.#owner.ready?.ask(describe, {})),
    };
  }

  #traceAlignment(answer: ShownCompletion): void {
    const line = this.#settings.trace === "verbose" ? alignmentLine(answer) : null;
    if (line !== null) log(line);
  }

  #trace(line: string): void {
    if (this.#settings.trace !== "off") log(line);
  }
}

async function sizeOf({ model, home }: ModelChoice): Promise<number | null> {
  const models = await listModels(await openStore({ folder: home }));
  return models.find(({ id }) => id === model)?.byteLength ?? null;
}

function openedLine({ id, variant, threads, ms }: ModelFacts): string {
  const times = Object.entries(ms).map(([stage, each]) => `${stage} ${Math.round(each)} ms`);
  const sinceStart = `${Math.round(process.uptime() * 1000)} ms after the start`;
  return `opened ${id}, ${variant}, ${threads} threads: ${times.join(", ")}; ${sinceStart}`;
}

function megabytes(byteLength: number): string {
  return `${Math.round(byteLength / 1e6)} MB`;
}
