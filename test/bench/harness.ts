// Interleaved measurements: whoever is measured takes turns, so that what else the machine does
// falls on all of them, and only ratios within one run are to be believed. How much else it did is
// read from the kernel's counters and belongs beside every result.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Threads of an engine go on looking for work for some milliseconds after a run. */
const pauseMs = 40;

/**
 * Measures each of `subjects` `rounds` times after one round that does not count; the order turns
 * around from round to round. Returns the values by subject.
 */
export async function takeTurns<Subject>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject) => Promise<number>,
): Promise<Map<Subject, number[]>> {
  const values = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    for (const subject of order) {
      await sleep(pauseMs);
      const value = await measure(subject);
      if (round > 0) values.get(subject)?.push(value);
    }
  }
  return values;
}

/** The machine's processors from now on: how busy processes other than `own` keep them. */
export class BusyMeter {
  readonly #start = performance.now();
  readonly #startMs: number | null;
  readonly #own: () => readonly number[];

  /** `own` are the process ids of this benchmark, itself among them. */
  constructor(own: () => readonly number[]) {
    this.#own = own;
    this.#startMs = this.#foreignMs();
  }

  /** The share of all processors since the start, from 0 to 1; null where the kernel does not tell. */
  foreignShare(): number | null {
    const now = this.#foreignMs();
    if (now === null || this.#startMs === null) return null;
    const wallMs = performance.now() - this.#start;
    return Math.max(0, now - this.#startMs) / (wallMs * availableParallelism());
  }

  #foreignMs(): number | null {
    const all = readTicks("/proc/stat", (text) => {
      // user nice system idle iowait irq softirq steal, of all processors (proc_stat(5)).
      const fields = text.slice(0, text.indexOf("\n")).trim().split(/\s+/).slice(1, 9).map(Number);
      return fields.reduce(
        (sum, ticks, index) => sum + (index === 3 || index === 4 ? 0 : ticks),
        0,
      );
    });
    if (all === null) return null;
    const own = this.#own().map((id) => readTicks(`/proc/${id}/stat`, ownTicks) ?? 0);
    return (all - own.reduce((sum, ticks) => sum + ticks, 0)) * TICK_MS;
  }
}

/** USER_HZ is 100 on every Linux that Node runs on (time(7)). */
const TICK_MS = 10;

/** utime and stime, fields 14 and 15 of proc_pid_stat(5); the name before may hold spaces. */
function ownTicks(text: string): number {
  const [user, system] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user ?? 0) + (system ?? 0);
}

function readTicks(file: string, parse: (text: string) => number): number | null {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    return null; // Not Linux, or the process has ended.
  }
}
