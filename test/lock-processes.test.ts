// A lock among processes that are stopped, continued and killed while its time is set back, which is
// what a laptop that sleeps looks like. The other processes are this very file, started anew with the
// lock's folder in their environment.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { withLock } from "../sidecar/lock.ts";
import { scratchFolder } from "./catalogue/scratch-store.ts";

const { PITH_TEST_LOCK } = process.env;
if (PITH_TEST_LOCK !== undefined) await enterForEver(PITH_TEST_LOCK);
else
  test("of processes that are stopped, continued and killed never two are inside", async (context) => {
    const folder = await scratchFolder(context);
    const lines: string[] = [];
    const children = [0, 1, 2, 3].map(() => startEntering(folder, lines));
    try {
      for (let round = 0; lines.length < 400 || round < 100; round += 1) {
        const child = children[round % children.length];
        child?.kill("SIGSTOP");
        await utimes(join(folder, "lock"), 1, 1).catch(() => {}); // Free at this moment.
        await delay((round * 7) % 23);
        child?.kill("SIGCONT");
        if (round % 10 !== 9) continue;
        await Promise.all(children.splice(round % children.length, 1).map(end));
        children.push(startEntering(folder, lines));
      }
    } finally {
      await Promise.all(children.map(end));
    }
    assert.deepEqual([...new Set(lines)], ["entered"]);
  });

/** Enters again and again, says so each time, and says when another process is inside as well. */
async function enterForEver(folder: string): Promise<void> {
  const mark = join(folder, `inside-${process.pid}`);
  for (;;)
    await withLock(join(folder, "lock"), {}, async () => {
      await writeFile(mark, "");
      for (const name of await readdir(folder))
        if (name.startsWith("inside-") && isOther(Number(name.slice("inside-".length))))
          process.stdout.write(`two inside: ${process.pid} and ${name}\n`);
      await rm(mark);
      process.stdout.write("entered\n");
    });
}

function isOther(pid: number): boolean {
  try {
    // One that was killed inside and whose end its parent has not taken note of yet runs no more.
    const hasEnded = process.platform === "linux" && isZombie(pid);
    return pid !== process.pid && !hasEnded && process.kill(pid, 0);
  } catch {
    return false; // It was killed inside.
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (!child.kill("SIGKILL")) throw new Error(`a process ended by itself: ${child.exitCode}`);
  await once(child, "close");
}

/** By the state behind the name in brackets, see proc_pid_stat(5). */
function isZombie(pid: number): boolean {
  return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

/** Its lines go to `lines`. */
function startEntering(folder: string, lines: string[]): ChildProcess {
  const env = { ...process.env, PITH_TEST_LOCK: folder };
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    lines.push(...text.split("\n").filter((line) => line !== ""));
  });
  return child;
}
