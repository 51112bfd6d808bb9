// Settings as an editor sends them -> settings without gaps. An editor other than VS Code may send
// a part of them, or none.
import type { Settings } from "../protocol.ts";
import type { ModelChoice } from "../service.ts";

/** package.json's defaults. */
const defaultSettings: Settings = {
  enable: true,
  languages: { "*": true },
  model: "qwen2.5-coder-0.5b",
  modelFolder: "",
  threads: 0,
  multiline: "auto",
  alignment: "exact",
  memories: { enable: true, budget: 512, form: "kept" },
  bank: { limit: 1024 },
  exclude: [],
  trace: "off",
  isTrusted: true,
};

/** What is missing or of another type is taken from the defaults. */
export function readSettings(given: unknown): Settings {
  const values: Partial<Record<string, unknown>> = { ...(given as object | null) };
  const entries = Object.entries(defaultSettings).map(([name, standard]) => {
    const value = values[name];
    return [name, typeof value === typeof standard && value !== null ? value : standard];
  });
  return Object.fromEntries(entries);
}

/** The part of the settings that another model has to be opened for. */
export function modelChoice({ model, modelFolder, threads }: Settings): ModelChoice {
  return { model, home: modelFolder, threads };
}
