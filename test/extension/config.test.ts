import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Configuration,
  isLanguageOn,
  proxyEnvironment,
  readEncodings,
  readSettings,
  switchedOff,
} from "../../extension/config.ts";

test("settings are read as the sidecar takes them", () => {
  const configuration = configurationOf({
    enable: false,
    languages: { "*": true, python: false },
    model: "smollm2-135m",
    threads: 3,
    multiline: "never",
    "memories.budget": 96,
    "bank.limit": 64,
    exclude: ["out"],
    trace: "messages",
  });
  assert.deepEqual(readSettings(configuration, false, { "*": "utf8" }), {
    enable: false,
    languages: { "*": true, python: false },
    model: "smollm2-135m",
    modelFolder: "",
    threads: 3,
    alignment: "exact",
    multiline: "never",
    memories: { enable: true, budget: 96, form: "kept" },
    bank: { limit: 64 },
    exclude: ["out"],
    encodings: { "*": "utf8" },
    trace: "messages",
    isTrusted: false,
  });
});

test("the editor's encodings are those of all files and of languages that have their own", () => {
  const filesOf = (languageId?: string) => ({
    ...configurationOf({ encoding: languageId === "java" ? "iso88591" : "utf8" }),
    inspect: () => ({ key: "encoding", languageIds: ["java"] }),
  });
  assert.deepEqual(readEncodings(filesOf as Parameters<typeof readEncodings>[0]), {
    "*": "utf8",
    java: "iso88591",
  });
});

test("a language follows its own rule before the rule for the rest", () => {
  const cases: [Record<string, boolean>, boolean][] = [
    [{ "*": true }, true],
    [{ "*": false }, false],
    [{ "*": false, python: true }, true],
    [{ "*": true, python: false }, false],
    [{}, true],
  ];
  for (const [languages, isOn] of cases) assert.equal(isLanguageOn(languages, "python"), isOn);
});

test("trust comes before the main switch, and that before the language", () => {
  const on = readSettings(configurationOf({ languages: { "*": true, python: false } }), true);
  assert.equal(switchedOff(on, "typescript"), null);
  assert.equal(switchedOff(on, undefined), null);
  assert.equal(switchedOff(on, "python"), "language-off");
  assert.equal(switchedOff({ ...on, enable: false }, "python"), "disabled");
  assert.equal(switchedOff({ ...on, enable: false, isTrusted: false }, "python"), "untrusted");
});

test("the editor's proxy is handed on, unless the environment names one", () => {
  const http = configurationOf({ proxy: "http://proxy:3128", noProxy: ["localhost", "intern"] });
  assert.deepEqual(proxyEnvironment(http, {}), {
    HTTPS_PROXY: "http://proxy:3128",
    HTTP_PROXY: "http://proxy:3128",
    NO_PROXY: "localhost,intern",
  });
  const present = { https_proxy: "http://other", HTTP_PROXY: "http://other" };
  assert.deepEqual(proxyEnvironment(http, present), { NO_PROXY: "localhost,intern" });
  assert.deepEqual(proxyEnvironment(configurationOf({}), {}), {});
});

function configurationOf(values: Record<string, unknown>): Configuration {
  return { get: (key: string, fallback?: unknown) => values[key] ?? fallback };
}
