// Owns the sidecar process and the language client that talks to it: starts both, sees the process
// end, starts it again after a while, and gives up after too many ends.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import {
  type CancellationToken,
  type Disposable,
  EventEmitter,
  type LogOutputChannel,
  workspace,
} from "vscode";
import {
  CloseAction,
  ErrorAction,
  type InitializeParams,
  LanguageClient,
  type Middleware,
  type ProgressType,
  type RequestType,
  type RequestType0,
  Trace,
} from "vscode-languageclient/node";
import type { CompletionReport, Settings } from "../sidecar/protocol.ts";
import { completed, settingsChanged, stateChanged } from "../sidecar/protocol.ts";
import { proxyEnvironment } from "./config.ts";
import { restartDelayMs } from "./restart.ts";
import type { Condition } from "./status-text.ts";

export interface ClientOptions {
  /** The sidecar's program, an ES module for Node. */
  program: string;
  log: LogOutputChannel;
  middleware: Middleware;
  readSettings(): Settings;
}

/** One run of the sidecar, from the start of its process to its end. */
interface Session {
  process: ChildProcess;
  client: LanguageClient;
}

/** Text that a person writes. Output, settings and comparisons are left out, our own log above all. */
const schemes = ["file", "untitled", "vscode-vfs", "vscode-notebook-cell"];

export class Client implements Disposable {
  private readonly options: ClientOptions;
  private readonly conditions = new EventEmitter<Condition>();
  private readonly reports = new EventEmitter<CompletionReport>();
  readonly onDidChangeCondition = this.conditions.event;
  readonly onDidComplete = this.reports.event;
  condition: Condition = { kind: "starting" };
  private session: Session | null = null;
  private deaths: number[] = [];
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(options: ClientOptions) {
    this.options = options;
  }

  async start(): Promise<void> {
    clearTimeout(this.restartTimer);
    this.become({ kind: "starting" });
    const session = this.createSession();
    this.session = session;
    session.process.once("exit", (code, signal) => this.mourn(session, `${signal ?? code}`));
    session.process.once("error", (error) => this.mourn(session, error.message));
    try {
      await session.client.start();
      await session.client.setTrace(traceOf(this.options.readSettings()));
    } catch (error) {
      // The process may live on without having answered; its end is seen by `mourn`.
      this.options.log.error(`the sidecar did not start: ${error}`);
      session.process.kill();
    }
  }

  /** Starts afresh, however often the sidecar has ended before. */
  async restart(): Promise<void> {
    this.deaths = [];
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    clearTimeout(this.restartTimer);
    const { session } = this;
    this.session = null;
    if (session === null) return;
    // A sidecar that is busy or broken need not answer; ending its process is the fallback.
    await session.client.stop(1000).catch(() => {});
    await endProcess(session.process);
  }

  async sendSettings(): Promise<void> {
    const settings = this.options.readSettings();
    const client = this.runningClient();
    await client?.setTrace(traceOf(settings));
    await client?.sendNotification(settingsChanged, settings);
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
  }

  /** Of the sidecar; null when there is none. */
  get processId(): number | null {
    return this.session?.process.pid ?? null;
  }

  private runningClient(): LanguageClient | null {
    return this.session?.client.isRunning() ? this.session.client : null;
  }

  private become(condition: Condition): void {
    this.condition = condition;
    this.conditions.fire(condition);
  }

  private createSession(): Session {
    const process = spawnSidecar(this.options);
    const client = new SilentClient("pith", "Pith", async () => process, {
      outputChannel: this.options.log,
      documentSelector: schemes.map((scheme) => ({ scheme })),
      initializationOptions: this.options.readSettings,
      middleware: this.options.middleware,
      errorHandler: ownEndings,
      stdioOptions: { stdout() {}, stderr: logLines },
    });
    client.onNotification(stateChanged, (state) => this.become(state));
    client.onNotification(completed, (report) => this.reports.fire(asEditorSeesIt(report)));
    return { process, client };
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
function asEditorSeesIt(report: CompletionReport): CompletionReport {
  if (report.reason !== "cancelled") return report;
  const document = workspace.textDocuments.find(({ uri }) => `${uri}` === report.uri);
  const isOvertaken = document !== undefined && document.version !== report.version;
  return isOvertaken ? { ...report, reason: "superseded" } : report;
}

/** Shows nothing by itself: what goes wrong becomes a condition or a reason, and stands in the log. */
class SilentClient extends LanguageClient {
  /** The sidecar's own progress is for editors that do not know its state; here the status shows it. */
  protected override fillInitializeParams(params: InitializeParams): void {
    super.fillInitializeParams(params);
    Object.assign(params.capabilities.window ?? {}, { workDoneProgress: false });
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** The end of the process is what counts here, so the library must not start anything again. */
const ownEndings = {
  error: () => ({ action: ErrorAction.Continue, handled: true }),
  closed: () => ({
    action: CloseAction.DoNotRestart,
    handled: true,
    message: "the connection to the sidecar is closed",
  }),
};

function spawnSidecar({ program, log }: ClientOptions): ChildProcess {
  const proxies = proxyEnvironment(workspace.getConfiguration("http"), process.env);
  const env = { ...process.env, ...proxies, ELECTRON_RUN_AS_NODE: "1" };
  const child = spawn(process.execPath, [program, "serve"], { env });
  if (child.pid !== undefined) {
    log.info(`sidecar started, process ${child.pid}`);
    yieldToEditor(child.pid, log);
  }
  return child;
}

function logLines(input: Readable, log: LogOutputChannel): void {
  createInterface({ input }).on("line", (line) => log.info(line));
}

/** Two models in memory at once would be too much, so a restart waits for the old process's end. */
async function endProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
  await ended;
  clearTimeout(timer);
}

function traceOf({ trace }: Settings): Trace {
  return trace === "verbose" ? Trace.Verbose : Trace.Off;
}

/** Typing must stay smooth while the model computes. Threads started later inherit the priority. */
function yieldToEditor(pid: number, log: LogOutputChannel): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    // Some systems refuse; the sidecar then runs at the normal priority.
    log.warn(`the sidecar's priority stays as it is: ${error}`);
  }
}
