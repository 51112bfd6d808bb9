// What the verbs that ask a model have in common: the flags that name it, and an engine's thread in
// which it is open for as long as the verb works.
import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultModelId } from "../catalogue/models.ts";
import { UnsupportedError } from "../errors.ts";
import type { ModelChoice, ModelFacts } from "../service.ts";
import { EngineThread } from "../thread-client.ts";
import { createProgress } from "./progress.ts";

/** As commander hands them over. */
export interface ModelFlags {
  readonly model: string;
  readonly home: string;
  readonly threads: number;
  readonly variant?: ModelChoice["variant"];
  readonly adapter?: string;
}

export interface UsableModel {
  readonly thread: EngineThread;
  readonly facts: ModelFacts;
}

const mostThreads = 64;

export function addModelFlags(command: Command): Command {
  return command
    .option("--model <model>", "an id of `pith models list`, or a GGUF file", defaultModelId)
    .option("--threads <count>", "0: by the number of cores", parseThreads, 0)
    .option("--home <folder>", "instead of PITH_HOME or the platform's data folder", "");
}

/** For measurements: the exact weights beside the ones that are fast. */
export function variantFlag(): Option {
  return new Option(
    "--variant <variant>",
    "how the weights are prepared (default by model)",
  ).choices(["lossless", "fast"]);
}

/**
 * Opens the model, with progress on stderr while it is prepared.
 * @throws UnsupportedError when it is not on this machine, else what the service throws
 */
export async function openFlagged(thread: EngineThread, flags: ModelFlags): Promise<ModelFacts> {
  const { model, home, threads, variant, adapter } = flags;
  const progress = createProgress(`preparing ${model}`);
  try {
    const facts = await thread.open(
      { model, home, threads, variant, adapter },
      {
        onProgress: (event) => {
          if (event.stage === "preparing") progress.update(event.fraction * 100, 100);
        },
      },
    );
    if (facts === null)
      throw new UnsupportedError(
        `model ${model}: is not on this machine; run: pith models download ${model}`,
      );
    return facts;
  } finally {
    progress.stop();
  }
}

/** Runs `work` with the model that the flags name, and lets go of it whatever comes of that. */
export async function withModel<T>(
  entry: URL,
  flags: ModelFlags,
  work: (model: UsableModel) => Promise<T>,
): Promise<T> {
  const thread = new EngineThread(entry);
  try {
    return await work({ thread, facts: await openFlagged(thread, flags) });
  } finally {
    await thread.stop();
  }
}

function parseThreads(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0 || count > mostThreads)
    throw new InvalidArgumentError(`a whole number from 0 to ${mostThreads} is wanted.`);
  return count;
}
