// Standard output is the protocol's, so lines for the log go to standard error.

export function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function logFailure(error: unknown): void {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
