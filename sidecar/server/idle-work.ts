// Work for the pauses. Some time after the last edit or request the sidecar reads, selects and
// encodes what serves the next completion; the next edit or request breaks that off. Knows no LSP.
import { defaults } from "../completion/defaults.ts";
import { CancelledError } from "../errors.ts";
import type { Cursor } from "../project/near-text.ts";
import type { Changes, MemoryActivity } from "../project/request.ts";
import { type EngineThread, noteChanges } from "../thread-client.ts";

export interface IdleWorkOptions {
  /** The thread, while it can answer. */
  thread(): EngineThread | null;
  onActivity(activity: MemoryActivity): void;
  onDone(rows: number): void;
  /** The pause's work is done, or there was none. */
  onRest(): void;
  onFailure(error: unknown): void;
}

export class IdleWork {
  readonly #options: IdleWorkOptions;
  /** What the thread has not been told yet. */
  #edits = new Map<string, string | null>();
  #touched = new Set<string>();
  #cursor: Cursor | null = null;
  #whyNone: string | null = null;
  #running: AbortController | null = null;
  /** Of the next pause. */
  #timer: NodeJS.Timeout | null = null;

  constructor(options: IdleWorkOptions) {
    this.#options = options;
  }

  /** To be called at every edit, request and change of settings: the pause begins anew. */
  touch(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#running?.abort();
    this.#plan();
  }

  /** The text of an open editor; null when it was closed. */
  edit(file: string, text: string | null): void {
    this.#edits.set(file, text);
    this.touch();
  }

  /** A file was made, changed or deleted on the disk, which may go on for hours: it breaks nothing off. */
  change(file: string): void {
    this.#touched.add(file);
    if (this.#timer === null && this.#running === null) this.#plan();
  }

  /** Where a completion is asked for; `whyNone`: why there can be no memories there, if it is told. */
  moveTo(cursor: Cursor | null, whyNone: string | null): void {
    this.#cursor = cursor;
    this.#whyNone = whyNone;
    this.touch();
  }

  /** Tells the thread of the changes that the next pause would. */
  async inform(thread: EngineThread): Promise<void> {
    await thread.ask(noteChanges, this.#takeChanges());
  }

  #takeChanges(): Changes {
    const edits = [...this.#edits].map(([file, text]) => ({ file, text }));
    const touched = [...this.#touched];
    this.#edits.clear();
    this.#touched.clear();
    return { edits, touched };
  }

  #plan(): void {
    this.#timer = setTimeout(() => void this.#run(), defaults.idleMs);
  }

  async #run(): Promise<void> {
    this.#timer = null;
    const thread = this.#options.thread();
    if (thread === null) return;
    const running = new AbortController();
    this.#running = running;
    const work = { ...this.#takeChanges(), cursor: this.#cursor };
    const { onDone, onFailure } = this.#options;
    // Why there are no memories is told until the next pause.
    const why = this.#whyNone;
    let end: MemoryActivity =
      why === null ? { kind: "resting" } : { kind: "unavailable", message: why };
    const onActivity = (activity: MemoryActivity) => {
      if (activity.kind === "unavailable") end = activity;
      else this.#options.onActivity(activity);
    };
    try {
      const rows = await thread.work(work, { onActivity, signal: running.signal });
      if (rows > 0) onDone(rows);
    } catch (error) {
      if (!(error instanceof CancelledError)) onFailure(error);
    } finally {
      if (this.#running === running) this.#rest(end);
    }
  }

  #rest(end: MemoryActivity): void {
    this.#running = null;
    this.#options.onActivity(end);
    this.#options.onRest();
    if (this.#touched.size > 0 && this.#timer === null) this.#plan();
  }
}
