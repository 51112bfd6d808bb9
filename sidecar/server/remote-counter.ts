// Counts tokens as models elsewhere do, in a thread that is started at need and ends when it has not
// been asked for a while. Knows no LSP.
import { Worker } from "node:worker_threads";
import { LimitError } from "../errors.ts";
import type { RemoteCounts } from "../protocol.ts";

export interface CountRequest {
  id: number;
  text: string;
}

export interface CountAnswer {
  id: number;
  counts: RemoteCounts;
}

/** UTF-16 code units; at half a second for each encoding, as long a text as completions are made in. */
const greatestLength = 1_000_000;
/** Starting takes a second; a person who selects here and there is not kept waiting for it again. */
const idleMs = 60_000;

export class RemoteCounter {
  readonly #entry: URL;
  #thread: CountingThread | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param entry the bundle of counter.ts */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** @throws LimitError for a text beyond the limit; Error when the thread ends meanwhile. */
  async count(text: string): Promise<RemoteCounts> {
    if (text.length > greatestLength)
      throw new LimitError(`tokens: a text of ${text.length} characters exceeds ${greatestLength}`);
    if (this.#thread?.hasEnded !== false) this.#thread = new CountingThread(this.#entry);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), idleMs).unref();
    return this.#thread.count(text);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#thread?.end(new Error("tokens: the counting thread ended"));
  }
}

/** One run of the thread, with the questions that it has not answered yet. */
class CountingThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { resolve(counts: RemoteCounts): void; reject(error: Error): void }
  >();
  #lastId = 0;
  hasEnded = false;

  constructor(entry: URL) {
    // Its standard output must not get into ours, which is the protocol's.
    this.#worker = new Worker(entry, { name: "pith-counter", stdout: true });
    this.#worker.unref();
    this.#worker.on("message", ({ id, counts }: CountAnswer) => {
      this.#waiting.get(id)?.resolve(counts);
      this.#waiting.delete(id);
    });
    this.#worker.on("error", (error) => this.end(error));
    this.#worker.on("exit", () => this.end(new Error("tokens: the counting thread ended")));
  }

  count(text: string): Promise<RemoteCounts> {
    const id = ++this.#lastId;
    const answer = new Promise<RemoteCounts>((resolve, reject) =>
      this.#waiting.set(id, { resolve, reject }),
    );
    this.#worker.postMessage({ id, text } satisfies CountRequest);
    return answer;
  }

  /** What waits is refused at once: an answer may be under way, and the end itself takes a while. */
  end(cause: Error): void {
    this.hasEnded = true;
    for (const { reject } of this.#waiting.values()) reject(cause);
    this.#waiting.clear();
    void this.#worker.terminate();
  }
}
