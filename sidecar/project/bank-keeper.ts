// The bank of a project from one change of its limit to the next. Opening, closing and emptying it
// happen in turn, each after the work that uses it. None of them hinders what comes next: where there
// is no bank, memories last as long as the process.
import { type BankFacts, MemoryBank, type MemoryBankOptions } from "./memory-bank.ts";

export class BankKeeper {
  readonly #options: Omit<MemoryBankOptions, "cap">;
  #bank: MemoryBank | null = null;
  /** Bytes; 0: none is wanted. */
  #cap = 0;
  /** The last change. Never fails. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #using = new Set<Promise<unknown>>();

  constructor(options: Omit<MemoryBankOptions, "cap">) {
    this.#options = { ...options, onFailure: onceEach(options.onFailure) };
  }

  /** Opens it anew with a limit in bytes. What goes wrong is told. */
  open(cap: number): void {
    void this.#inTurn(async () => {
      await this.#close();
      this.#cap = cap;
      await this.#open();
    });
  }

  /** Tries once more where it could not be opened. */
  mend(): void {
    if (this.#bank === null && this.#cap > 0) void this.#inTurn(() => this.#open());
  }

  /** Changes wait until `work` is done; null: there is no bank. */
  async use<Result>(work: (bank: MemoryBank | null) => Promise<Result>): Promise<Result> {
    await this.#last;
    const using = work(this.#bank);
    this.#using.add(using);
    try {
      return await using;
    } finally {
      this.#using.delete(using);
    }
  }

  /** After the changes that were begun. */
  async facts(): Promise<BankFacts> {
    const none = { memories: 0, byteLength: 0, limit: this.#cap };
    return await this.use(async (bank) => (await bank?.facts()) ?? none);
  }

  /** Deletes every memory. @throws Error where some stay, and why */
  async purge(): Promise<void> {
    await this.#inTurn(async () => {
      // What other processes have made lies there also when this one could not open it.
      this.#bank ??= await MemoryBank.open({ ...this.#options, cap: this.#cap });
      try {
        await this.#bank.purge();
      } finally {
        if (this.#cap === 0) await this.#close();
      }
    });
  }

  /** Lets go of its files. Never fails; there is no bank from then on. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      this.#cap = 0;
      await this.#close();
    });
  }

  async #open(): Promise<void> {
    const { onFailure } = this.#options;
    if (this.#bank !== null || this.#cap === 0) return;
    this.#bank = await MemoryBank.open({ ...this.#options, cap: this.#cap }).catch((error) => {
      onFailure(error);
      return null;
    });
  }

  async #close(): Promise<void> {
    const bank = this.#bank;
    this.#bank = null;
    await bank?.close();
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(async () => {
      await Promise.allSettled(this.#using);
      await change();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/** A bank that fails at all fails for every piece: one message says it. */
function onceEach(tell: (error: unknown) => void): (error: unknown) => void {
  const told = new Set<string>();
  return (error) => {
    const message = `${error}`;
    if (told.has(message)) return;
    told.add(message);
    tell(error);
  };
}
