// One run of the sidecar, from the start of its process to its end: the process and the language
// client that talks to it. Loads the language client's library, so it is itself loaded late.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { type LogOutputChannel, workspace } from "vscode";
import {
  CloseAction,
  ErrorAction,
  type InitializeParams,
  LanguageClient,
  Trace,
} from "vscode-languageclient/node";
import type {
  BudgetReport,
  CompletionReport,
  MemoryActivity,
  Settings,
  SidecarState,
} from "../sidecar/protocol.ts";
import {
  budgeted,
  budgetWatched,
  completed,
  memoryActivity,
  settingsChanged,
  stateChanged,
} from "../sidecar/protocol.ts";
import type { ClientOptions } from "./client.ts";
import { proxyEnvironment } from "./config.ts";

export interface SessionEvents {
  onState(state: SidecarState): void;
  onReport(report: CompletionReport): void;
  onBudget(report: BudgetReport): void;
  onActivity(activity: MemoryActivity): void;
  /** The process ended, asked to or not; `cause` is its exit code, its signal or what went wrong. */
  onEnd(cause: string): void;
}

/** What a sidecar may take to end by itself. */
const stopMs = 1000;

/** Text that a person writes. Output, settings and comparisons are left out, our own log above all. */
const schemes = ["file", "untitled", "vscode-vfs", "vscode-notebook-cell"];

/** The process starts with the construction; `connect` waits until it answers. */
export class Session {
  private readonly options: ClientOptions;
  private readonly process: ChildProcess;
  private readonly client: LanguageClient;

  constructor(options: ClientOptions, events: SessionEvents) {
    this.options = options;
    this.process = spawnSidecar(options);
    this.process.once("exit", (code, signal) => events.onEnd(`${signal ?? code}`));
    this.process.once("error", (error) => events.onEnd(error.message));
    this.client = new SilentClient("pith", "Pith", async () => this.process, {
      outputChannel: options.log,
      documentSelector: schemes.map((scheme) => ({ scheme })),
      initializationOptions: options.readSettings,
      middleware: options.middleware,
      errorHandler: ownEndings,
      stdioOptions: { stdout() {}, stderr: logLines },
    });
    this.client.onNotification(stateChanged, events.onState);
    this.client.onNotification(completed, events.onReport);
    this.client.onNotification(budgeted, events.onBudget);
    this.client.onNotification(memoryActivity, events.onActivity);
  }

  async connect(): Promise<void> {
    try {
      await this.client.start();
      await this.client.setTrace(traceOf(this.options.readSettings()));
    } catch (error) {
      // The process may live on without having answered; its end is what the owner hears of.
      this.options.log.error(`the sidecar did not start: ${error}`);
      this.process.kill();
    }
  }

  async close(): Promise<void> {
    // A sidecar that is busy or broken need not answer; ending its process is the fallback.
    const stopped = this.client.stop(stopMs).catch(() => {});
    await Promise.race([stopped, delay(2 * stopMs, undefined, { ref: false })]);
    await endProcess(this.process);
  }

  async sendSettings(): Promise<void> {
    const settings = this.options.readSettings();
    await this.runningClient?.setTrace(traceOf(settings));
    await this.runningClient?.sendNotification(settingsChanged, settings);
  }

  async watchBudget(isVisible: boolean): Promise<void> {
    await this.runningClient?.sendNotification(budgetWatched, { isVisible });
  }

  get processId(): number | null {
    return this.process.pid ?? null;
  }

  get runningClient(): LanguageClient | null {
    return this.client.isRunning() ? this.client : null;
  }
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
  // A call that hangs, as on a share that is gone, holds one of libuv's threads until it returns.
  const threads = { UV_THREADPOOL_SIZE: "16" };
  const env = { ...threads, ...process.env, ...proxies, ELECTRON_RUN_AS_NODE: "1" };
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

/**
 * Nice 5 weighs a third of an ordinary process on Linux, nice 10 a ninth (sched_prio_to_weight): with
 * the latter a line took 82 s on two cores that others kept busy. Windows knows classes only.
 */
const politeness = process.platform === "win32" ? constants.priority.PRIORITY_BELOW_NORMAL : 5;

/** Typing must stay smooth while the model computes. Threads started later inherit the priority. */
function yieldToEditor(pid: number, log: LogOutputChannel): void {
  try {
    setPriority(pid, politeness);
  } catch (error) {
    // Some systems refuse; the sidecar then runs at the normal priority.
    log.warn(`the sidecar's priority stays as it is: ${error}`);
  }
}
