// The command line as a shell runs it: a process of the bundled program.
import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const program = new URL("../../pith.mjs", import.meta.url).pathname;

export async function runPith(
  args: readonly string[],
  options: { readonly input?: string | Uint8Array; readonly home?: string } = {},
): Promise<Outcome> {
  const { input, home } = options;
  const env = home === undefined ? process.env : { ...process.env, PITH_HOME: home };
  const child = spawn(process.execPath, [program, ...args], { env });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => {}); // It may end before it has read all.
  child.stdin.end(input ?? "");
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

/** The lines of a JSON-lines output. */
export function parseLines<T = Record<string, unknown>>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
