// What one request costs: rows run through the model and milliseconds, stage by stage.
import type { StageTimes } from "./request.ts";

export class Meter {
  readonly #counters: { readonly positions: number };
  readonly #firstPosition: number;
  readonly #start = performance.now();
  readonly #stages = { compress: 0, plan: 0, prefill: 0, decode: 0 };
  #last = this.#start;

  constructor(counters: { readonly positions: number }) {
    this.#counters = counters;
    this.#firstPosition = counters.positions;
  }

  /** Ends a stage: the time since the last one ended is its own. */
  lap(stage: "compress" | "plan" | "prefill" | "decode"): void {
    const now = performance.now();
    this.#stages[stage] += now - this.#last;
    this.#last = now;
  }

  /** Rows run since the start. */
  get computed(): number {
    return this.#counters.positions - this.#firstPosition;
  }

  get times(): StageTimes {
    return { ...this.#stages, total: this.#last - this.#start };
  }
}
