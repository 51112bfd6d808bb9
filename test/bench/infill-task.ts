// Single-line infilling in the manner of HumanEval-Infilling: a small function with one line taken
// out. infill-tasks.json holds the whole functions; which line goes is decided here and by the task's
// name alone, so that nobody's taste has a say. The cut is at the beginning of the line, before its
// indentation, and at its end, before the line end: both are token borders for every engine.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";

export interface InfillTask {
  readonly id: string;
  readonly language: "python" | "typescript" | "javascript";
  /** Ends with a line end. */
  readonly prefix: string;
  /** The line that was taken out, with its indentation. */
  readonly line: string;
  /** Begins with the line end behind it. */
  readonly suffix: string;
  /** Assertions that a right completion passes. */
  readonly tests: string;
}

interface WrittenTask {
  id: string;
  language: InfillTask["language"];
  code: string[];
  tests: string[];
}

/** A program that hangs has failed; a good one takes milliseconds, on a busy machine a few seconds. */
const timeLimitMs = 20_000;

export async function loadInfillTasks(): Promise<InfillTask[]> {
  const file = join("test", "bench", "infill-tasks.json");
  const tasks: WrittenTask[] = JSON.parse(await readFile(file, "utf8"));
  return tasks.map(({ id, language, code, tests }) => {
    const index = chooseLine(id, code);
    return {
      ...{ id, language },
      prefix: code.slice(0, index).map(withLineEnd).join(""),
      line: code[index] ?? "",
      suffix: `\n${code
        .slice(index + 1)
        .map(withLineEnd)
        .join("")}`,
      tests: tests.map(withLineEnd).join(""),
    };
  });
}

/** Runs a task with `text` in place of the line that was taken out. */
export async function passes(task: InfillTask, text: string, folder: string): Promise<boolean> {
  const code = `${task.prefix}${text}${task.suffix}\n${task.tests}`;
  if (task.language === "python") {
    const file = join(folder, "task.py");
    await writeFile(file, code);
    return succeeds("python3", ["-I", file], folder);
  }
  const file = join(folder, "task.mjs");
  const program = `import assert from "node:assert/strict";\n${code}`;
  const loader = task.language === "typescript" ? "ts" : "js";
  const built = await transform(program, { loader, logLevel: "silent" }).catch(() => null);
  if (built === null) return false; // What does not parse does not pass.
  await writeFile(file, built.code);
  return succeeds(process.execPath, [file], folder);
}

/**
 * The line at SHA-256(id) modulo the number of candidates: lines inside the function or class with at
 * least a name or a number on them, documentation and imports aside.
 */
function chooseLine(id: string, code: readonly string[]): number {
  const candidates = [...code.keys()].filter((index) => isCandidate(code[index] ?? ""));
  const hash = createHash("sha256").update(id).digest().readUInt32BE(0);
  const chosen = candidates[hash % candidates.length];
  if (chosen === undefined) throw new Error(`infill task ${id}: no line to take out`);
  return chosen;
}

function isCandidate(line: string): boolean {
  const isIndented = /^\s/.test(line);
  const isDocumentation = /^\s*("""|\/\*\*)/.test(line);
  const hasContent = /[a-z0-9]/i.test(line.replace(/\b(else|try|return)\b/g, ""));
  return isIndented && hasContent && !isDocumentation;
}

function succeeds(program: string, args: readonly string[], cwd: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: "ignore", timeout: timeLimitMs });
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0));
  });
}

function withLineEnd(line: string): string {
  return `${line}\n`;
}
