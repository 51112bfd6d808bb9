// One inline completion from its arrival to its report. In: a document and a place in it. Out: a
// text, or "" and one reason of the closed list, which `report` is told of every request. A newer
// request, for whichever document, aborts the older one. Knows no LSP.
import { CancelledError } from "../errors.ts";
import type { CompletionReport, EmptyReason, Settings, SidecarState } from "../protocol.ts";
import type { ShownCompletion } from "../service.ts";
import { completeInline, type EngineThread } from "../thread-client.ts";

export interface InlineRequest {
  readonly uri: string;
  readonly version: number;
  readonly languageId: string;
  /** Absolute path; null: on no disk. */
  readonly file: string | null;
  /** As the prompt's header shows it. */
  readonly path: string;
  /** All the text before and behind the cursor. */
  readonly prefix: string;
  readonly suffix: string;
}

export type Insertion = Pick<ShownCompletion, "text" | "replaced">;

export interface InlineRequestsOptions {
  settings(): Settings;
  state(): SidecarState;
  /** The thread, while it can answer. */
  thread(): EngineThread | null;
  report(report: CompletionReport, answer: ShownCompletion): void;
}

/**
 * UTF-16 code units of a document beyond which nothing is completed. The text around the cursor goes
 * to the engine's thread with every request, a millisecond at this length; files that people write
 * are a tenth of it.
 */
export const greatestLength = 1_000_000;

export class InlineRequests {
  readonly #options: InlineRequestsOptions;
  #running: AbortController | null = null;

  constructor(options: InlineRequestsOptions) {
    this.#options = options;
  }

  /**
   * The text to insert, or "", and how many characters of the rest of the line it replaces.
   * @throws CancelledError when `signal` fires, else what went wrong; both are reported before.
   */
  async answer(request: InlineRequest, signal: AbortSignal): Promise<Insertion> {
    this.#running?.abort("superseded");
    const startMs = performance.now();
    const report = (answer: ShownCompletion, reason: EmptyReason | null) => {
      const latencyMs = performance.now() - startMs;
      const { uri, version } = request;
      const { text, tokens, ms } = answer;
      this.#options.report({ uri, version, reason, text, tokens, ms, latencyMs }, answer);
    };
    const settings = this.#options.settings();
    const refusal = refusalBySettings(request, settings);
    const thread = refusal === null ? this.#options.thread() : null;
    if (thread === null) {
      report(nothing, refusal ?? refusalByState(this.#options.state()));
      return nothing;
    }
    const running = this.#begin(signal);
    try {
      const { multiline, alignment } = settings;
      const answer = await thread.ask(
        completeInline,
        { ...request, multiline, alignment },
        running.signal,
      );
      report(answer, answer.reason);
      return answer;
    } catch (error) {
      // A stop of the engine takes its requests back, too.
      const cancelled: EmptyReason = running.signal.reason ?? "cancelled";
      const reason = error instanceof CancelledError ? cancelled : "engine-failed";
      report(nothing, reason);
      if (reason === "superseded") return nothing;
      throw error;
    } finally {
      if (this.#running === running) this.#running = null;
    }
  }

  /** A controller that fires with the reason "cancelled" when `signal` does. */
  #begin(signal: AbortSignal): AbortController {
    const running = new AbortController();
    const cancel = () => running.abort("cancelled");
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    this.#running = running;
    return running;
  }
}

/** Why a request is not even begun; null when nothing speaks against it. */
function refusalBySettings(
  { languageId, prefix, suffix }: Pick<InlineRequest, "languageId" | "prefix" | "suffix">,
  { isTrusted, enable, languages }: Settings,
): EmptyReason | null {
  if (!isTrusted) return "untrusted";
  if (!enable) return "disabled";
  if (!(languages[languageId] ?? languages["*"] ?? true)) return "language-off";
  return prefix.length + suffix.length > greatestLength ? "too-large" : null;
}

/** Why a model in this state cannot answer. */
function refusalByState({ kind }: SidecarState): EmptyReason {
  switch (kind) {
    case "model-missing":
    case "downloading":
      return "model-missing";
    case "preparing":
    case "loading":
      return "model-loading";
    case "ready":
    case "failed":
      return "engine-failed";
  }
}

/** The model was not asked, or was interrupted. */
const nothing: ShownCompletion = {
  text: "",
  replaced: 0,
  reason: null,
  alignment: null,
  use: null,
  memories: [],
  tokens: {
    prefix: 0,
    suffix: 0,
    contextBefore: 0,
    contextAfter: 0,
    generated: 0,
    computed: 0,
    reused: 0,
  },
  ms: { load: 0, plan: 0, attach: 0, prefill: 0, decode: 0, total: 0 },
};
