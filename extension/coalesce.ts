// At most one run in an interval: the first wish runs at once, those that follow too soon run as one
// when the interval is over.

export class Coalesced {
  private readonly intervalMs: number;
  private readonly run: () => void;
  private timer: NodeJS.Timeout | undefined;
  private isWanted = false;

  constructor(intervalMs: number, run: () => void) {
    this.intervalMs = intervalMs;
    this.run = run;
  }

  wish(): void {
    if (this.timer !== undefined) {
      this.isWanted = true;
      return;
    }
    this.isWanted = false;
    this.timer = setTimeout(() => this.end(), this.intervalMs);
    this.run();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isWanted = false;
  }

  private end(): void {
    this.timer = undefined;
    if (this.isWanted) this.wish();
  }
}
