// At most one run in an interval, at its end: what a keystroke sets off does not get in the way of its
// ghost text.

export class Coalesced {
  private readonly intervalMs: number;
  private readonly run: () => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number, run: () => void) {
    this.intervalMs = intervalMs;
    this.run = run;
  }

  wish(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.run();
    }, this.intervalMs);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
