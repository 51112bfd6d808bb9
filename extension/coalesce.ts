// At most one run in an interval, at its end: what a keystroke sets off does not get in the way of its
// ghost text. Where it would get in the way of the next one, it waits longer.

export interface Patience {
  /** Whether something is going on that the run would slow; asked at the end of an interval. */
  isBusy(): boolean;
  /** About this long after the first wish the run comes, however busy it is. */
  longestMs: number;
}

export class Coalesced {
  private readonly intervalMs: number;
  private readonly run: () => void;
  private readonly patience: Patience;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    intervalMs: number,
    run: () => void,
    patience: Patience = { isBusy: () => false, longestMs: intervalMs },
  ) {
    this.intervalMs = intervalMs;
    this.run = run;
    this.patience = patience;
  }

  wish(): void {
    if (this.timer === undefined) this.wait(this.patience.longestMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private wait(leftMs: number): void {
    this.timer = setTimeout(() => {
      const stillMs = leftMs - this.intervalMs;
      if (stillMs >= this.intervalMs && this.patience.isBusy()) return this.wait(stillMs);
      this.timer = undefined;
      this.run();
    }, this.intervalMs);
  }
}
