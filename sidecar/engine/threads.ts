// How many threads share an operator unless the user says. Two threads of one core share its
// arithmetic units, so cores count and not threads; one is left to the editor. More than four gain
// little: a decode step waits for memory.
import { readdirSync, readFileSync } from "node:fs";
import { arch, availableParallelism } from "node:os";

/** max(2, min(4, physical cores - 1)) */
export function defaultThreadCount(coreCount = physicalCoreCount()): number {
  return Math.max(2, Math.min(4, coreCount - 1));
}

function physicalCoreCount(): number {
  // Elsewhere than on Linux nothing tells without running a program: x64 processors run two threads
  // a core as a rule, others one.
  const guess = arch() === "x64" ? Math.ceil(availableParallelism() / 2) : availableParallelism();
  return process.platform === "linux" ? (countSiblingSets() ?? guess) : guess;
}

/** Linux names for every processor the ones that share its core. */
function countSiblingSets(): number | null {
  const folder = "/sys/devices/system/cpu";
  try {
    const names = readdirSync(folder).filter((name) => /^cpu\d+$/.test(name));
    const sets = names.map((name) =>
      readFileSync(`${folder}/${name}/topology/thread_siblings_list`, "utf8"),
    );
    return sets.length === 0 ? null : new Set(sets).size;
  } catch {
    return null; // Some containers hide the folder.
  }
}
