// Owns the engine's thread and the model that is open in it. In: which model is wanted. Out: the
// state that the status item shows, and the thread while it can answer. Knows no LSP.
import type { SidecarState } from "../protocol.ts";
import type { ModelChoice, ModelFacts, OpenProgress } from "../service.ts";
import { EngineThread } from "../thread-client.ts";

export interface ModelOwnerOptions {
  /** The bundle of the engine's thread. */
  readonly entry: URL;
  onState(state: SidecarState): void;
  onOpen(facts: ModelFacts): void;
  onFailure(error: unknown): void;
  /** Size of a model that is not there, null when nothing is known of it. */
  sizeOf(choice: ModelChoice): Promise<number | null>;
}

export class ModelOwner {
  state: SidecarState = { kind: "loading", model: "" };
  readonly #options: ModelOwnerOptions;
  #choice: ModelChoice = { model: "", home: "", threads: 0 };
  /** null: it ended, or it was never needed. */
  #thread: EngineThread | null = null;
  /** Whether the thread may have a model open. */
  #isOpen = false;
  #opening = new AbortController();
  /** The last opening or closing, which never fails; the next waits for it. */
  #last: Promise<void> = Promise.resolve();
  /** The thread ended while it served: the next request starts another. */
  #isWorthRestarting = false;

  /** Starts the thread, so that it is up when the settings arrive. */
  constructor(options: ModelOwnerOptions) {
    this.#options = options;
    this.#thread = this.#startThread();
  }

  /** The thread while it can answer. After a crash the first call starts it again. */
  get ready(): EngineThread | null {
    if (this.#isWorthRestarting) this.open(this.#choice);
    return this.state.kind === "ready" ? this.#thread : null;
  }

  /** Opens `choice`, unless it is open or being opened. */
  use(choice: ModelChoice): void {
    const isSame = JSON.stringify(choice) === JSON.stringify(this.#choice);
    if (isSame && ["ready", "loading", "preparing"].includes(this.state.kind)) return;
    this.open(choice);
  }

  /** Opens `choice`, replacing what is open or being opened. */
  open(choice: ModelChoice): void {
    this.#opening.abort();
    const opening = new AbortController();
    this.#opening = opening;
    this.#choice = choice;
    this.#isWorthRestarting = false;
    this.#become({ kind: "loading", model: choice.model });
    void this.#inTurn(() => this.#open(choice, opening.signal));
  }

  /** Lets go of the model's files. Never fails. */
  async close(): Promise<void> {
    this.#opening.abort();
    this.#become({ kind: "loading", model: this.#choice.model });
    await this.#inTurn(() => this.#close());
  }

  /** Shows a download of the model that is waited for. */
  showDownload(id: string, fraction: number): void {
    const isAwaited = this.state.kind === "model-missing" || this.state.kind === "downloading";
    if (id !== this.#choice.model || !isAwaited) return;
    this.#become({ kind: "downloading", model: id, fraction });
  }

  /** Never fails. */
  async stop(): Promise<void> {
    this.#opening.abort();
    const thread = this.#thread;
    this.#thread = null;
    await thread?.stop();
  }

  async #open(choice: ModelChoice, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const onProgress = (progress: OpenProgress) => {
      if (!signal.aborted) this.#become({ ...withKind(progress), model: choice.model });
    };
    try {
      await this.#close();
      this.#thread ??= this.#startThread();
      this.#isOpen = true;
      const facts = await this.#thread.open(choice, { onProgress, signal });
      if (!signal.aborted) await this.#report(choice, facts);
    } catch (error) {
      // An opening that was replaced has nothing to say, not even that it failed.
      if (signal.aborted) return;
      this.#options.onFailure(error);
      this.#become({ kind: "failed", model: choice.model, message: messageOf(error) });
    }
  }

  async #report(choice: ModelChoice, facts: ModelFacts | null): Promise<void> {
    const { model } = choice;
    if (facts !== null) {
      this.#become({ kind: "ready", model });
      this.#options.onOpen(facts);
      return;
    }
    const byteLength = await this.#options.sizeOf(choice);
    this.#become({ kind: "model-missing", model, byteLength });
  }

  /** A thread that does not let go of its model in time is ended: the next opening starts another. */
  async #close(): Promise<void> {
    const thread = this.#thread;
    if (thread === null || !this.#isOpen) return;
    this.#isOpen = false;
    if (await thread.close()) return;
    this.#thread = null;
    await thread.end();
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step).catch(this.#options.onFailure);
    return this.#last;
  }

  #startThread(): EngineThread {
    const thread = new EngineThread(this.#options.entry);
    this.#isOpen = false;
    void thread.ended.then((cause) => {
      if (thread === this.#thread) this.#mourn(cause);
    });
    return thread;
  }

  #mourn(cause: string): void {
    this.#thread = null;
    this.#isWorthRestarting = this.state.kind === "ready";
    const { model } = this.#choice;
    this.#become({ kind: "failed", model, message: `the engine ended: ${cause}` });
  }

  #become(state: SidecarState): void {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.#options.onState(state);
  }
}

/** Whole percents, so that a listener is not told every piece. */
function withKind(
  progress: OpenProgress,
): { kind: "preparing"; fraction: number } | { kind: "loading" } {
  if (progress.stage === "loading") return { kind: "loading" };
  return { kind: "preparing", fraction: Math.floor(progress.fraction * 100) / 100 };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
