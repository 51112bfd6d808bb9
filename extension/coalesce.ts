// At most one run in an interval, at its end: what a keystroke sets off does not get in the way of its
// ghost text.

export interface Patience {
  /** Whether something is going on that the run would slow; asked at the end of every interval. */
  isBusy(): boolean;
  /** The run comes this long after the first wish at the latest, however busy it is. */
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

  private wait(longestMs: number): void {
    const leftMs = longestMs - this.intervalMs;
    this.timer = setTimeout(() => {
      if (leftMs >= this.intervalMs && this.patience.isBusy()) return this.wait(leftMs);
      this.timer = undefined;
      this.run();
    }, this.intervalMs);
  }
}
