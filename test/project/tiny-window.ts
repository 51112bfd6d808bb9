// A window of the editor on a folder and a bank, over the tiny model: what the service puts together.
import type { TestContext } from "node:test";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { Project } from "../../sidecar/project/project.ts";
import type { ProjectSettings } from "../../sidecar/project/request.ts";
import { cut } from "../support/memory-parts.ts";
import type { TinyModel } from "../support/tiny-engine.ts";

export interface WindowPlace {
  readonly folder: string;
  readonly bank: string;
}

export interface TinyWindow {
  readonly project: Project;
  readonly completer: Completer;
  /** Messages of what went wrong without stopping anything. */
  readonly failures: string[];
  /** Those that the project was configured with. */
  readonly settings: ProjectSettings;
}

type Parts = Pick<TinyModel, "engine" | "tokenizer" | "loadGrams" | "loadAdapter">;

export function openWindow(
  context: TestContext,
  { engine, tokenizer, loadGrams, loadAdapter }: Parts,
  { folder, bank }: WindowPlace,
): TinyWindow {
  const layout = readLayout(tokenizer);
  const parts = { vocabulary: tokenizer, layout, cut, loadGrams, loadAdapter };
  const memories = new Memories(engine, parts);
  const completer = new Completer(engine, tokenizer, defaults.alignment.limits, memories);
  const failures: string[] = [];
  const onFailure = (error: unknown) => void failures.push(`${error}`);
  const project = new Project({
    ...{ memories, completer, tokenizer, onFailure, bank: { folder: bank, model: "tiny" } },
  });
  context.after(() => project.dispose());
  const settings: ProjectSettings = {
    ...{ folders: [folder], exclude: [], budget: 64, bankLimit: 1e8 },
    ...{ isEnabled: true, form: "kept" },
  };
  project.configure(settings);
  return { project, completer, failures, settings };
}
