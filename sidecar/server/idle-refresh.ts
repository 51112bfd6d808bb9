// Work for the pauses. Some time after the last edit or request the model's cache is made exact
// again; the next edit or request breaks that off. Knows no LSP.
import { defaults } from "../completion/defaults.ts";
import { CancelledError } from "../errors.ts";
import { type EngineThread, refresh } from "../thread-client.ts";

export interface IdleRefreshOptions {
  /** The thread, while it can answer. */
  thread(): EngineThread | null;
  onDone(rows: number): void;
  onFailure(error: unknown): void;
}

export class IdleRefresh {
  readonly #options: IdleRefreshOptions;
  #running = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IdleRefreshOptions) {
    this.#options = options;
  }

  /** To be called at every edit and request. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#running.abort();
    this.#timer = setTimeout(() => void this.#run(), defaults.idleMs);
  }

  async #run(): Promise<void> {
    this.#running = new AbortController();
    try {
      const rows = await this.#options.thread()?.ask(refresh, {}, this.#running.signal);
      if (rows) this.#options.onDone(rows);
    } catch (error) {
      if (!(error instanceof CancelledError)) this.#options.onFailure(error);
    }
  }
}
