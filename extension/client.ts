// Owns the sidecar through all of its runs: starts it, sees it end, starts it again after a while, and
// gives up after too many ends. What the rest of the extension asks of the sidecar goes through here.
import {
  type CancellationToken,
  type Disposable,
  EventEmitter,
  type LogOutputChannel,
  workspace,
} from "vscode";
import type {
  LanguageClient,
  Middleware,
  ProgressType,
  RequestType,
  RequestType0,
} from "vscode-languageclient/node";
import type {
  BudgetReport,
  CompletionReport,
  MemoryActivity,
  Settings,
} from "../sidecar/protocol.ts";
import { restartDelayMs } from "./restart.ts";
import type { Session } from "./session.ts";
import type { Condition } from "./status-text.ts";

export interface ClientOptions {
  /** The sidecar's program, an ES module for Node. */
  program: string;
  log: LogOutputChannel;
  middleware: Middleware;
  readSettings(): Settings;
}

export class Client implements Disposable {
  private readonly options: ClientOptions;
  private readonly conditions = new EventEmitter<Condition>();
  private readonly reports = new EventEmitter<CompletionReport>();
  private readonly budgets = new EventEmitter<BudgetReport>();
  private readonly activities = new EventEmitter<MemoryActivity>();
  readonly onDidChangeCondition = this.conditions.event;
  readonly onDidComplete = this.reports.event;
  /** Only while `watchBudget` says that a view is to be seen. */
  readonly onDidBudget = this.budgets.event;
  readonly onDidChangeActivity = this.activities.event;
  condition: Condition = { kind: "starting" };
  activity: MemoryActivity = { kind: "resting" };
  private session: Session | null = null;
  private deaths: number[] = [];
  private restartTimer: NodeJS.Timeout | undefined;
  /** Raised by every stop: a start that was begun before it starts nothing any more. */
  private stops = 0;
  private ending: Promise<unknown> = Promise.resolve();

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /** Does nothing while the sidecar runs. Never fails: what is wrong becomes the condition. */
  async start(): Promise<void> {
    const { stops } = this;
    try {
      // The language client's library takes longer to load than an activation may.
      const { Session } = await import("./session.ts");
      if (this.session === null && stops === this.stops) await this.open(Session);
    } catch (error) {
      if (stops === this.stops) this.become({ kind: "stopped", message: `${error}` });
    }
  }

  /** Starts afresh, however often the sidecar has ended before, unless another stop comes meanwhile. */
  async restart(): Promise<void> {
    this.deaths = [];
    const stopped = this.stop();
    const { stops } = this;
    await stopped;
    if (stops === this.stops) await this.start();
  }

  /** Waits for the end of every sidecar, also of one that an earlier stop ends. Never fails. */
  async stop(): Promise<void> {
    this.stops += 1;
    clearTimeout(this.restartTimer);
    const { session } = this;
    this.session = null;
    this.ending = Promise.allSettled([this.ending, session?.close()]);
    await this.ending;
  }

  async sendSettings(): Promise<void> {
    await this.session?.sendSettings();
  }

  /** Whether a view is to be seen that `onDidBudget` is for; a sidecar that starts does not know. */
  async watchBudget(isVisible: boolean): Promise<void> {
    await this.session?.watchBudget(isVisible);
  }

  /** @throws Error when no sidecar runs, or what the sidecar answered. */
  request<P, R>(type: RequestType<P, R, void>, params: P, token?: CancellationToken): Promise<R>;
  request<R>(type: RequestType0<R, void>): Promise<R>;
  request<P, R>(
    type: RequestType<P, R, void> | RequestType0<R, void>,
    params?: P,
    token?: CancellationToken,
  ): Promise<R> {
    const client = this.runningClient();
    if (client === null) return Promise.reject(new Error("the sidecar is not running"));
    if (type.numberOfParams === 0) return client.sendRequest(type as RequestType0<R, void>);
    return client.sendRequest(type as RequestType<unknown, R, void>, params, token);
  }

  /** Calls back with every `$/progress` on a token that a request named. */
  onProgress<P>(type: ProgressType<P>, token: string, listener: (value: P) => void): Disposable {
    return this.runningClient()?.onProgress(type, token, listener) ?? { dispose() {} };
  }

  dispose(): void {
    void this.stop();
    this.conditions.dispose();
    this.reports.dispose();
    this.budgets.dispose();
    this.activities.dispose();
  }

  /** Of the sidecar; null when there is none. */
  get processId(): number | null {
    return this.session?.processId ?? null;
  }

  private async open(Session: typeof import("./session.ts").Session): Promise<void> {
    clearTimeout(this.restartTimer);
    this.become({ kind: "starting" });
    const session: Session = new Session(this.options, {
      onState: (state) => this.become(state),
      onReport: (report) => this.reports.fire(asEditorSeesIt(report)),
      onBudget: (report) => this.budgets.fire(asEditorSeesIt(report)),
      onActivity: (activity) => this.work(activity),
      onEnd: (cause) => this.mourn(session, cause),
    });
    this.session = session;
    await session.connect();
  }

  private runningClient(): LanguageClient | null {
    return this.session?.runningClient ?? null;
  }

  private become(condition: Condition): void {
    this.condition = condition;
    this.conditions.fire(condition);
    // Another sidecar, or another model, begins its work anew.
    if (condition.kind !== "ready") this.work({ kind: "resting" });
  }

  private work(activity: MemoryActivity): void {
    this.activity = activity;
    this.activities.fire(activity);
  }

  /** After the end of a sidecar that nobody asked to end. */
  private mourn(session: Session, cause: string): void {
    if (this.session !== session) return;
    this.session = null;
    this.options.log.warn(`the sidecar ended: ${cause}`);
    const now = Date.now();
    this.deaths.push(now);
    const delayMs = restartDelayMs(this.deaths, now);
    if (delayMs === null) {
      this.become({ kind: "stopped", message: cause });
      return;
    }
    this.become({ kind: "restarting", delayMs });
    this.restartTimer = setTimeout(() => void this.start(), delayMs);
  }
}

/** The sidecar hears of a cancel, not of its cause; the editor knows whether the text has changed. */
function asEditorSeesIt<R extends CompletionReport | BudgetReport>(report: R): R {
  if (report.reason !== "cancelled") return report;
  const document = workspace.textDocuments.find(({ uri }) => `${uri}` === report.uri);
  const isOvertaken = document !== undefined && document.version !== report.version;
  return isOvertaken ? { ...report, reason: "superseded" } : report;
}
