// Why files are kept from being read, as a keystroke may know it: what was found out stays until it is
// asked for again in a pause, so that no file system stands in the way of an answer.
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { SkipReason } from "../workspace/skip-reason.ts";

/**
 * Milliseconds that the first keystroke in a file waits for the answer, which takes a few where the
 * disk is at hand and the rules have to be read. After them nothing is completed until it is there:
 * a rule may forbid it. The answer comes in any case, since each call of the file system has its end.
 */
const patienceMs = 1_000;

export class KnownReasons {
  readonly #find: (file: string) => Promise<SkipReason | null>;
  readonly #known = new Map<string, SkipReason | null>();
  #asked = new Map<string, Promise<void>>();

  /** @param find asks the disk */
  constructor(find: (file: string) => Promise<SkipReason | null>) {
    this.#find = find;
  }

  /** null: it may be read. */
  async of(file: string): Promise<SkipReason | "unknown" | null> {
    if (!this.#known.has(file)) {
      const given = new AbortController();
      const late = delay(patienceMs, undefined, { signal: given.signal }).catch(() => {});
      await Promise.race([this.#ask(file), late]);
      given.abort();
      // The event loop may have been blocked all the while, with the answer at the door.
      if (!this.#known.has(file)) await nextTurn();
    }
    return this.#known.get(file) ?? (this.#known.has(file) ? null : "unknown");
  }

  /** Asks again; what was known holds until there is an answer. */
  async refresh(file: string): Promise<void> {
    this.#asked.delete(file);
    await this.#ask(file);
  }

  /** Other rules hold now. */
  clear(): void {
    this.#known.clear();
    this.#asked = new Map();
  }

  #ask(file: string): Promise<void> {
    const asked = this.#asked;
    const underWay = asked.get(file);
    if (underWay !== undefined) return underWay;
    const asking = this.#find(file)
      .then((reason) => {
        if (this.#asked === asked) this.#known.set(file, reason);
      })
      .finally(() => {
        if (asked.get(file) === asking) asked.delete(file);
      });
    asked.set(file, asking);
    return asking;
  }
}
