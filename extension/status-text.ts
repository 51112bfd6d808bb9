// What the status item and the status bar say, as a function of what is known. Translation comes in
// as a function, so that every sentence can be read and tested without an editor.
import type {
  CompletionReport,
  EmptyReason,
  MemoryActivity,
  SidecarState,
} from "../sidecar/protocol.ts";

/** `vscode.l10n.t`: `{0}` in the message stands for the first value. */
export type Translate = (message: string, ...values: (string | number)[]) => string;

export interface Language {
  t: Translate;
  /** Of numbers and times: a BCP 47 tag. */
  locale: string;
}

/** The sidecar's own state, or why there is no sidecar that could have one. */
export type Condition =
  | SidecarState
  | { kind: "starting" }
  | { kind: "restarting"; delayMs: number }
  | { kind: "stopped"; message: string };

export interface Status {
  condition: Condition;
  /** The newest completion that was not overtaken by another keystroke. */
  last: CompletionReport | null;
  /** Why the settings rule completions out in the file that is in front; null when they do not. */
  off: EmptyReason | null;
  activity: MemoryActivity;
}

export interface StatusView {
  /** For the status bar: short, with an icon. */
  text: string;
  /** A sentence. */
  detail: string;
  severity: "information" | "warning" | "error";
  isBusy: boolean;
  /** What a click does; null: shows all of Pith's commands. */
  command: "pith.downloadModel" | "pith.restartSidecar" | "pith.chooseModel" | null;
}

const plain = { severity: "information", isBusy: false, command: null } as const;
const busy = { severity: "information", isBusy: true, command: null } as const;

/** Work on memories shows in the sentence only: the text of the status bar stays where it is. */
export function viewOf(status: Status, t: Translate): StatusView {
  const view = viewWithoutWork(status, t);
  const work = status.condition.kind === "ready" ? workOf(status.activity, t) : null;
  if (work === null) return view;
  const detail = `${view.detail} ${work}`;
  if (status.activity.kind !== "unavailable") return { ...view, isBusy: true, detail };
  return { ...view, detail, severity: view.severity === "error" ? "error" : "warning" };
}

/** null while nothing is done and nothing is in its way. */
export function workOf(activity: MemoryActivity, t: Translate): string | null {
  switch (activity.kind) {
    case "resting":
      return null;
    case "unavailable":
      return t("Completions do without memories: {0}.", activity.message);
    case "reading":
      return t("Reading files of the workspace: {0} of {1}.", activity.done, activity.total);
    case "encoding":
      return t("Encoding memories: {0} of {1}.", activity.done, activity.total);
    case "decoding":
      return t("Decoding memories: {0} of {1}.", activity.done, activity.total);
    default:
      throw new Error(`status: unknown activity ${JSON.stringify(activity satisfies never)}`);
  }
}

function viewWithoutWork({ condition, last, off }: Status, t: Translate): StatusView {
  if (off !== null) return emptyView(off, t);
  switch (condition.kind) {
    case "starting":
      return { ...busy, text: "$(loading~spin) Pith", detail: t("The sidecar is starting.") };
    case "restarting": {
      const seconds = Math.ceil(condition.delayMs / 1000);
      const detail = t("The sidecar ended and starts again in {0} s.", seconds);
      return { ...busy, severity: "warning", text: "$(loading~spin) Pith", detail };
    }
    case "stopped": {
      const detail = t("The sidecar keeps ending: {0}", condition.message);
      return {
        ...plain,
        severity: "error",
        command: "pith.restartSidecar",
        text: "$(error) Pith",
        detail,
      };
    }
    case "model-missing": {
      const text = `$(cloud-download) ${t("Pith: no model")}`;
      const detail = t("The model {0} is not on this machine yet.", condition.model);
      return { ...plain, severity: "warning", command: "pith.downloadModel", text, detail };
    }
    case "downloading":
    case "preparing":
      return progressView(condition, t);
    case "loading": {
      const detail = t("The model {0} is being loaded.", condition.model);
      return { ...busy, text: "$(loading~spin) Pith", detail };
    }
    case "failed": {
      const detail = t("The model {0} cannot be used: {1}", condition.model, condition.message);
      return {
        ...plain,
        severity: "error",
        command: "pith.chooseModel",
        text: "$(error) Pith",
        detail,
      };
    }
    case "ready":
      return readyView(condition.model, last, t);
    default:
      throw new Error(`status: unknown condition ${JSON.stringify(condition satisfies never)}`);
  }
}

function progressView(
  { kind, model, fraction }: { kind: "downloading" | "preparing"; model: string; fraction: number },
  t: Translate,
): StatusView {
  const percent = Math.floor(100 * fraction);
  const detail =
    kind === "downloading"
      ? t("The model {0} is being downloaded: {1} %.", model, percent)
      : t("The model {0} is being prepared, once: {1} %.", model, percent);
  return { ...busy, text: `$(loading~spin) Pith ${percent} %`, detail };
}

function readyView(model: string, last: CompletionReport | null, t: Translate): StatusView {
  if (last === null) return { ...plain, text: "$(sparkle) Pith", detail: t("Ready: {0}.", model) };
  if (last.reason === null) {
    const { total } = last.ms;
    const { generated, reused } = last.tokens;
    const facts = [generated, Math.round(total), reused] as const;
    const detail = t("{0} tokens in {1} ms, {2} positions reused.", ...facts);
    return { ...plain, text: "$(sparkle) Pith", detail: `${model}: ${detail}` };
  }
  return emptyView(last.reason, t);
}

function emptyView(reason: EmptyReason, t: Translate): StatusView {
  const { short, sentence } = wordsFor(reason, t);
  const severity = reason === "engine-failed" ? "error" : "information";
  return { ...plain, severity, text: `$(circle-slash) Pith: ${short}`, detail: sentence };
}

/** Every reason of an empty completion: a few words for the status bar and a sentence. */
export function wordsFor(reason: EmptyReason, t: Translate): { short: string; sentence: string } {
  const words: Record<EmptyReason, [short: string, sentence: string]> = {
    "model-missing": [t("no model"), t("The model is not on this machine yet.")],
    "model-loading": [t("loading"), t("The model is still being loaded.")],
    disabled: [t("off"), t("Completions are switched off by pith.enable.")],
    "language-off": [
      t("off for this language"),
      t("Completions are off for this language by pith.languages."),
    ],
    untrusted: [
      t("restricted mode"),
      t("This workspace is not trusted, so nothing is completed here."),
    ],
    "ignored-file": [t("ignored file"), t("The ignore rules leave this file out.")],
    "not-checked": [
      t("not checked yet"),
      t("The file system has not said yet whether the ignore rules leave this file out."),
    ],
    secret: [t("secrets"), t("This file may hold secrets, so nothing of it is read.")],
    "too-large": [t("file too large"), t("This file is too large for completions.")],
    "inside-word-off": [t("inside a word"), t("The cursor is inside a word.")],
    cancelled: [t("cancelled"), t("The editor took its request back.")],
    superseded: [t("overtaken"), t("A newer keystroke overtook this completion.")],
    "end-of-text": [t("nothing to add"), t("The model sees nothing to add here.")],
    "repeats-suffix": [
      t("already there"),
      t("The suggestion only repeated the text after the cursor."),
    ],
    "repeats-itself": [t("repetition"), t("The model only repeated itself.")],
    "breaks-syntax": [
      t("would break code"),
      t("Nothing of the suggestion would have left the code as whole as it is."),
    ],
    "only-space": [t("only space"), t("The suggestion was nothing but white space.")],
    "low-confidence": [t("unsure"), t("The model was not sure enough of its suggestion.")],
    "engine-failed": [t("failed"), t("The engine failed; the log says how.")],
  };
  const [short, sentence] = words[reason];
  return { short, sentence };
}

/** One line of the log for one completion, without any text of the user's. */
export function reportLine({
  version,
  reason,
  text,
  tokens,
  ms,
  latencyMs,
}: CompletionReport): string {
  const outcome = reason ?? `${text.length} characters`;
  const { prefix, suffix, contextBefore, contextAfter, generated, computed, reused } = tokens;
  const near = `prefix ${prefix} suffix ${suffix} memories ${contextBefore} as ${contextAfter}`;
  const counts = `${near} generated ${generated} computed ${computed} reused ${reused}`;
  const times = `prefill ${Math.round(ms.prefill)} decode ${Math.round(ms.decode)} all ${Math.round(latencyMs)} ms`;
  return `completion of version ${version}: ${outcome}; ${counts}; ${times}`;
}
