// An editor as the sidecar sees it: a real process of the bundled program, LSP over its standard
// input and output. Notes down what the sidecar tells.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import type {
  BudgetReport,
  CompletionReport,
  MemoryActivity,
  Settings,
  SidecarState,
} from "../../sidecar/protocol.ts";

export interface EditorOptions {
  readonly settings?: Partial<Settings>;
  /** Instead of the tests' own PITH_HOME. */
  readonly home?: string;
  /** URI of the workspace. */
  readonly folder?: string;
  /** URIs of those that are in the workspace beside it. */
  readonly otherFolders?: readonly string[];
}

export interface InsertedText {
  readonly insertText: string;
  readonly range: unknown;
}

export interface PublishedDiagnostics {
  readonly uri: string;
  readonly diagnostics: readonly {
    readonly range: { readonly start: { readonly line: number } };
    /** 1 error, 2 warning. */
    readonly severity: number;
    readonly code: string;
    readonly message: string;
  }[];
}

interface Progress {
  readonly token: string | number;
  readonly kind: "begin" | "report" | "end";
  readonly title?: string;
  readonly percentage?: number;
}

const program = new URL("../../pith.mjs", import.meta.url).pathname;

export class Editor {
  readonly process: ChildProcessWithoutNullStreams;
  readonly connection: MessageConnection;
  readonly states: SidecarState[] = [];
  readonly reports: CompletionReport[] = [];
  readonly budgets: BudgetReport[] = [];
  readonly activities: MemoryActivity[] = [];
  /** What the sidecar said of documents, in the order of its saying. */
  readonly diagnostics: PublishedDiagnostics[] = [];
  /** Titles and percentages of the progress that the server shows by itself. */
  readonly progress: Progress[] = [];
  /** Everything on standard error. */
  log = "";
  readonly exited: Promise<number | null>;
  readonly #news = new EventEmitter();
  capabilities: Record<string, unknown> = {};
  #lastVersion = 0;
  #end: Error | null = null;

  private constructor(home: string | undefined) {
    const env = home === undefined ? process.env : { ...process.env, PITH_HOME: home };
    this.process = spawn(process.execPath, [program, "serve"], { env });
    this.process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    // A sidecar that was killed leaves a pipe that nobody reads.
    this.process.stdin.on("error", () => {});
    this.exited = once(this.process, "exit").then(([code]) => code as number | null);
    // After its last words were read. Whoever waits for more then fails instead.
    this.process.once("close", (code, signal) => {
      this.#end = new Error(`the sidecar ended: ${signal ?? code}\n${this.log}`);
      this.#news.emit("end");
      this.connection.dispose();
    });
    const { stdout, stdin } = this.process;
    const streams = [new StreamMessageReader(stdout), new StreamMessageWriter(stdin)] as const;
    this.connection = createMessageConnection(...streams);
    this.#listen();
  }

  /** A sidecar that has answered `initialize`. */
  static async start({
    settings,
    home,
    folder = "file:///project",
    otherFolders = [],
  }: EditorOptions = {}): Promise<Editor> {
    const editor = new Editor(home);
    const answer = await editor.request<{ capabilities: Record<string, unknown> }>("initialize", {
      processId: process.pid,
      rootUri: null,
      workspaceFolders: [folder, ...otherFolders].map((uri) => ({ uri, name: "project" })),
      capabilities: { window: { workDoneProgress: true } },
      initializationOptions: { model: "smollm2-135m", trace: "messages", ...settings },
    });
    editor.capabilities = answer.capabilities;
    await editor.connection.sendNotification("initialized", {});
    return editor;
  }

  request<R>(method: string, params: object | undefined = {}): Promise<R> {
    return this.connection.sendRequest<R>(method, params);
  }

  /** Resolves at a state of that kind, at once when it is the last one; a failure is an error. */
  async waitFor(kind: SidecarState["kind"]): Promise<SidecarState> {
    for (;;) {
      const state = this.states.at(-1);
      if (state?.kind === kind) return state;
      if (state?.kind === "failed") throw new Error(`${state.message}\n${this.log}`);
      await this.#next("state");
    }
  }

  /** Opens a document; `$0` is the cursor. Returns its request of a completion. */
  async open(uri: string, markedText: string, languageId = "python"): Promise<object> {
    const offset = markedText.indexOf("$0");
    const before = markedText.slice(0, offset).split("\n");
    const text = markedText.replace("$0", "");
    const version = ++this.#lastVersion;
    const textDocument = { uri, languageId, version, text };
    await this.connection.sendNotification("textDocument/didOpen", { textDocument });
    return {
      textDocument: { uri },
      position: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
      context: { triggerKind: 2 },
    };
  }

  complete(request: object): Promise<InsertedText[]> {
    return this.request("textDocument/inlineCompletion", request);
  }

  /** The report of the `count`th completion. */
  async report(count: number): Promise<CompletionReport> {
    for (;;) {
      const report = this.reports[count - 1];
      if (report !== undefined) return report;
      await this.#next("report");
    }
  }

  /** The `count`th report of the token budget. */
  async budget(count: number): Promise<BudgetReport> {
    for (;;) {
      const budget = this.budgets[count - 1];
      if (budget !== undefined) return budget;
      await this.#next("budget");
    }
  }

  /** What was said last of the document, as `line severity code`, once it is `wanted`. */
  async problems(uri: string, wanted: readonly string[]): Promise<void> {
    for (;;) {
      const said = this.diagnostics.findLast((each) => each.uri === uri)?.diagnostics;
      const lines = said?.map((each) => `${each.range.start.line} ${each.severity} ${each.code}`);
      if (lines?.join() === wanted.join()) return;
      await this.#next("diagnostics");
    }
  }

  /** Resolves when the idle work that is or will be done next has come to rest, or to another end. */
  async rest(end: MemoryActivity["kind"] = "resting"): Promise<void> {
    do await this.#next("activity");
    while (this.activities.at(-1)?.kind !== end);
  }

  /** The end as LSP has it; resolves with the exit code. */
  async stop(): Promise<number | null> {
    await this.request("shutdown", undefined);
    await this.connection.sendNotification("exit");
    return this.exited;
  }

  /** The next news of that kind, or the end. @throws Error when the sidecar had ended before. */
  async #next(news: "state" | "report" | "budget" | "activity" | "diagnostics"): Promise<void> {
    if (this.#end !== null) throw this.#end;
    const waiting = new AbortController();
    const { signal } = waiting;
    await Promise.race([once(this.#news, news, { signal }), once(this.#news, "end", { signal })]);
    waiting.abort();
  }

  #listen(): void {
    const { connection } = this;
    connection.onNotification("pith/state", (state: SidecarState) => {
      this.states.push(state);
      this.#news.emit("state");
    });
    connection.onNotification("pith/completed", (report: CompletionReport) => {
      this.reports.push(report);
      this.#news.emit("report");
    });
    connection.onNotification("pith/budget", (report: BudgetReport) => {
      this.budgets.push(report);
      this.#news.emit("budget");
    });
    connection.onNotification("pith/memories/activity", (activity: MemoryActivity) => {
      this.activities.push(activity);
      this.#news.emit("activity");
    });
    connection.onNotification("textDocument/publishDiagnostics", (said: PublishedDiagnostics) => {
      this.diagnostics.push(said);
      this.#news.emit("diagnostics");
    });
    connection.onRequest("window/workDoneProgress/create", () => null);
    connection.onNotification("$/progress", ({ token, value }) => {
      this.progress.push({ token, ...value });
    });
    connection.listen();
  }
}
