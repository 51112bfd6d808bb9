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
  encodings: {},
  trace: "off",
  isTrusted: true,
};

/** The words that a setting may be, as package.json has them. */
const words: Readonly<Record<string, readonly string[]>> = {
  multiline: ["auto", "never"],
  alignment: ["exact", "token", "off"],
  form: ["kept", "embedded", "raw"],
  trace: ["off", "messages", "verbose"],
};

/** Leaves the near text and the answer their room in a window of 4,096 positions. */
const greatestBudget = 3072;

/** What is missing or of another type is taken from the defaults, in a group each by itself. */
export function readSettings(given: unknown): Settings {
  const settings = readFields(defaultSettings, given);
  const { memories: givenMemories, bank } = fieldsOf(given);
  const memories = readFields(defaultSettings.memories, givenMemories);
  const encodings = Object.entries(settings.encodings).filter(([, each]) => isText(each));
  const budget = Math.min(greatestBudget, Math.max(0, Math.floor(memories.budget)));
  return {
    ...settings,
    encodings: Object.fromEntries(encodings),
    memories: { ...memories, budget },
    bank: readFields(defaultSettings.bank, bank),
  };
}

/** The part of the settings that another model has to be opened for. */
export function modelChoice({ model, modelFolder, threads }: Settings): ModelChoice {
  return { model, home: modelFolder, threads };
}

function readFields<Fields extends object>(standard: Fields, given: unknown): Fields {
  const values = fieldsOf(given);
  const entries = Object.entries(standard).map(([name, each]) => {
    const value = values[name];
    return [name, isAlike(value, each) && isAdmitted(name, value) ? value : each];
  });
  return Object.fromEntries(entries);
}

function fieldsOf(given: unknown): Partial<Record<string, unknown>> {
  return { ...(given as object | null) };
}

/** Of the same type; lists are lists of strings. */
function isAlike(value: unknown, standard: unknown): boolean {
  if (Array.isArray(standard)) return Array.isArray(value) && value.every(isText);
  return typeof value === typeof standard && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isAdmitted(name: string, value: unknown): boolean {
  return words[name]?.includes(`${value}`) ?? true;
}
