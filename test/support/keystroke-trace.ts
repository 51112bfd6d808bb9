// A real file being typed: the same keystrokes for the tests, the benchmark and its peer.
import { readFileSync } from "node:fs";

export interface Keystroke {
  /** All the text before and behind the cursor, after the keystroke. */
  readonly prefix: string;
  readonly suffix: string;
}

export const tracePath = "sidecar/completion/window.ts";
export const traceLanguage = "typescript";

/**
 * `count` characters typed into the pinned copy of a source file, one keystroke each, up to a line
 * end in its second half; what follows stands behind the cursor all the time.
 */
export function keystrokes(count: number): Keystroke[] {
  const text = readFileSync("test/golden/trace/window.ts.txt", "utf8");
  const end = text.indexOf("\n", text.length * 0.55 + count);
  const suffix = text.slice(end);
  return Array.from({ length: count }, (_, index) => ({
    prefix: text.slice(0, end - count + index + 1),
    suffix,
  }));
}
