// Shows the preparation of a model as a progress of the editor's own, for editors that know nothing
// of our state message. Knows no LSP: the bars come in as a function.
import type { SidecarState } from "../protocol.ts";

export interface ProgressBar {
  begin(title: string, percentage: number): void;
  report(percentage: number): void;
  done(): void;
}

export class StateProgress {
  readonly #create: () => Promise<ProgressBar>;
  /** What it holds is null where the editor shows none. */
  #bar: Promise<ProgressBar | null> | null = null;

  constructor(create: () => Promise<ProgressBar>) {
    this.#create = create;
  }

  show(state: SidecarState): void {
    if (state.kind !== "preparing") {
      void this.#bar?.then((bar) => bar?.done());
      this.#bar = null;
      return;
    }
    const percentage = Math.floor(100 * state.fraction);
    this.#bar ??= this.#begin(`Pith: preparing ${state.model}`, percentage).catch(() => null);
    void this.#bar.then((bar) => bar?.report(percentage));
  }

  async #begin(title: string, percentage: number): Promise<ProgressBar> {
    const bar = await this.#create();
    bar.begin(title, percentage);
    return bar;
  }
}
