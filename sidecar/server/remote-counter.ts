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
  readonly #waiting = new Map<
    number,
    { resolve(counts: RemoteCounts): void; reject(error: Error): void }
  >();
  #worker: Worker | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** @param entry the bundle of counter.ts */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** @throws LimitError for a text beyond the limit; Error when the thread ends meanwhile. */
  async count(text: string): Promise<RemoteCounts> {
    if (text.length > greatestLength)
      throw new LimitError(`tokens: a text of ${text.length} characters exceeds ${greatestLength}`);
    this.#worker ??= this.#start();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), idleMs).unref();
    const id = ++this.#lastId;
    const answer = new Promise<RemoteCounts>((resolve, reject) =>
      this.#waiting.set(id, { resolve, reject }),
    );
    this.#worker.postMessage({ id, text } satisfies CountRequest);
    return answer;
  }

  stop(): void {
    clearTimeout(this.#timer);
    void this.#worker?.terminate();
    this.#worker = null;
  }

  #start(): Worker {
    // Its standard output must not get into ours, which is the protocol's.
    const worker = new Worker(this.#entry, { name: "pith-counter", stdout: true });
    worker.unref();
    worker.on("message", ({ id, counts }: CountAnswer) => {
      this.#waiting.get(id)?.resolve(counts);
      this.#waiting.delete(id);
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = null;
      this.#fail(new Error("tokens: the counting thread ended"));
    });
    return worker;
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
