// What the speed benchmark asks of an engine, Pith's or the peer's, and the process it lives in.
// Each has a process of its own: memory and threads of one are not those of another.
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";

/** An engine with one sequence in its cache. */
export interface SpeedEngine {
  /** Puts `ids` behind what the cache holds, `chunk` at a time, up to the last one's logits. */
  prefill(ids: readonly number[], chunk: number): Promise<void>;
  /** Forgets every position from `length` on. */
  truncate(length: number): void;
  /** Runs `ids` one by one behind what the cache holds, each up to its logits. */
  decode(ids: readonly number[]): Promise<void>;
  /** The likeliest next id, by the logits of the last run. */
  bestId(): number;
}

/** An engine loaded in a process of its own, and the work it is asked for. */
export type Work =
  /** `ids` after the first `kept` positions of the prefill before; the rest is forgotten. */
  | {
      readonly kind: "prefill";
      readonly kept: number;
      readonly ids: readonly number[];
      readonly chunk: number;
    }
  /** `ids` after `context`, which is put into the cache beforehand and is not measured. */
  | {
      readonly kind: "decode";
      readonly context: readonly number[];
      readonly ids: readonly number[];
    };

export interface Measured {
  readonly ms: number;
  /** The likeliest next id after the work, so that it is seen to have been done. */
  readonly bestId: number;
  readonly peakMb: number;
}

/** The other end of `serveEngine`. */
export class EngineProcess {
  readonly loadMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, loadMs: number) {
    this.#child = child;
    this.loadMs = loadMs;
  }

  /** Starts `program` with `argument` for `serveEngine` and waits until its engine is loaded. */
  static async start(program: string, argument: string): Promise<EngineProcess> {
    const child = fork(program, [], { env: { ...process.env, [ARGUMENT]: argument } });
    const { loadMs } = await nextMessage<{ loadMs: number }>(child);
    return new EngineProcess(child, loadMs);
  }

  get processId(): number {
    return this.#child.pid ?? 0;
  }

  measure(work: Work): Promise<Measured> {
    this.#child.send(work);
    return nextMessage<Measured>(this.#child);
  }

  async stop(): Promise<void> {
    const end = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill();
    await end;
  }
}

const ARGUMENT = "PITH_SPEED_ENGINE";

/** What `EngineProcess.start` was given, in the process that it started; else undefined. */
export function engineArgument(): string | undefined {
  return process.env[ARGUMENT];
}

/** Loads the engine and answers its parent's questions until it is killed. */
export async function serveEngine(load: () => Promise<SpeedEngine>): Promise<void> {
  const start = performance.now();
  const engine = await load();
  const loadMs = performance.now() - start;
  let held = 0; // Positions in the cache that the next decode can count on.
  process.on("message", async (work: Work) => {
    if (work.kind === "prefill") {
      held = 0;
      process.send?.(await timed(engine, () => prefill(engine, work)));
      return;
    }
    const { context, ids } = work;
    if (held !== context.length) await prefill(engine, { kept: 0, ids: context, chunk: 512 });
    held = context.length;
    engine.truncate(held);
    process.send?.(await timed(engine, () => engine.decode(ids)));
  });
  process.send?.({ loadMs });
}

async function prefill(
  engine: SpeedEngine,
  { kept, ids, chunk }: Omit<Extract<Work, { kind: "prefill" }>, "kind">,
): Promise<void> {
  engine.truncate(kept);
  await engine.prefill(ids, chunk);
}

async function timed(engine: SpeedEngine, run: () => Promise<void>): Promise<Measured> {
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  return { ms, bestId: engine.bestId(), peakMb: peakMb() };
}

/** Mapped files that were read count, for both engines. */
function peakMb(): number {
  if (process.platform !== "linux") return (process.resourceUsage().maxRSS * 1024) / 1e6;
  // maxRSS would be the parent's when that is larger: a fork inherits it.
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}

function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) =>
      reject(new Error(`speed: an engine's process ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as Message);
    });
  });
}
