// What became of the last completions, in words, for a bug report: kept whether or not the log shows
// them, because the log is read after something went wrong.

/** Enough for a burst of typing, and short enough to paste. */
const longest = 60;

export class History {
  private readonly entries: string[] = [];

  add(line: string): void {
    this.entries.push(`${new Date().toISOString().slice(11, 23)} ${line}`);
    if (this.entries.length > longest) this.entries.shift();
  }

  /** Oldest first; each begins with the time of day, UTC. */
  lines(): readonly string[] {
    return this.entries;
  }
}
