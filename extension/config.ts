// package.json's `pith.*` settings as one plain object, in the form in which the sidecar takes them.
import type { WorkspaceConfiguration } from "vscode";
import type { Settings } from "../sidecar/protocol.ts";

/** What of a `WorkspaceConfiguration` is read; its section is `pith`. */
export type Configuration = Pick<WorkspaceConfiguration, "get">;

/** Of the section `files`, for a language or for all. */
export type FilesConfiguration = Configuration & Pick<WorkspaceConfiguration, "inspect">;

/** Defaults are package.json's: VS Code has merged them in. */
export function readSettings(
  configuration: Configuration,
  isTrusted: boolean,
  encodings: Settings["encodings"] = {},
): Settings {
  return {
    enable: configuration.get("enable", true),
    languages: { ...configuration.get<Record<string, boolean>>("languages", {}) },
    model: configuration.get("model", ""),
    modelFolder: configuration.get("modelFolder", ""),
    threads: configuration.get("threads", 0),
    alignment: configuration.get<Settings["alignment"]>("alignment", "exact"),
    memories: {
      enable: configuration.get("memories.enable", true),
      budget: configuration.get("memories.budget", 512),
      form: configuration.get<Settings["memories"]["form"]>("memories.form", "kept"),
    },
    bank: { limit: configuration.get("bank.limit", 1024) },
    exclude: [...configuration.get<string[]>("exclude", [])],
    encodings,
    multiline: configuration.get<Settings["multiline"]>("multiline", "auto"),
    trace: configuration.get<Settings["trace"]>("trace", "off"),
    isTrusted,
  };
}

/** What the editor's `files.encoding` is, and for which languages another. */
export function readEncodings(
  filesOf: (languageId?: string) => FilesConfiguration,
): Settings["encodings"] {
  const all = filesOf();
  const languages = all.inspect("encoding")?.languageIds ?? [];
  const own = languages.map((id) => [id, filesOf(id).get("encoding", "utf8")]);
  return { "*": all.get("encoding", "utf8"), ...Object.fromEntries(own) };
}

/** Why nothing is completed whatever the model does; null where completions are on. */
export function switchedOff(
  settings: Settings,
  languageId: string | undefined,
): "untrusted" | "disabled" | "language-off" | null {
  if (!settings.isTrusted) return "untrusted";
  if (!settings.enable) return "disabled";
  if (languageId === undefined || isLanguageOn(settings.languages, languageId)) return null;
  return "language-off";
}

/** Whether completions are on for a language by itself or by the rule `*`. */
export function isLanguageOn(languages: Settings["languages"], languageId: string): boolean {
  return languages[languageId] ?? languages["*"] ?? true;
}

/**
 * The editor's proxy settings as the variables that command-line programs know. A variable that is
 * set already wins, as it does in the editor itself.
 */
export function proxyEnvironment(
  http: Configuration,
  present: NodeJS.ProcessEnv,
): Record<string, string> {
  const proxy = http.get("proxy", "");
  const noProxy = http.get<string[]>("noProxy", []).join(",");
  const wanted = { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy };
  const isSet = (name: string) => present[name] ?? present[name.toLowerCase()];
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => value !== "" && !isSet(name)),
  );
}
