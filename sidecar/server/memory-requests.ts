// What the editor asks about memories, between its messages and the engine's thread: URIs become
// paths and back, bytes become base64. Knows no LSP.
import { pathToFileURL } from "node:url";
import { UnsupportedError } from "../errors.ts";
import type { Cursor } from "../project/near-text.ts";
import type { MemoryActivity } from "../project/request.ts";
import type { MemoryPlace } from "../project/selection.ts";
import type * as protocol from "../protocol.ts";
import {
  bankFacts,
  demonstrations,
  type EngineThread,
  purgeBank,
  rank,
  selection,
  splitTokens,
} from "../thread-client.ts";
import { filePath } from "./document-path.ts";
import { fitTexts } from "./fit-texts.ts";

export interface MemoryRequestsOptions {
  /**
   * The thread, which knows of every change up to now.
   * @throws UnsupportedError while the model cannot answer
   */
  thread(): Promise<EngineThread>;
  /** Tokens of a text for models elsewhere. */
  count(text: string): Promise<protocol.RemoteCounts>;
}

/** Told while a request works. */
export type OnPercent = (percent: number, stage: MemoryActivity["kind"]) => void;

export class MemoryRequests {
  readonly #options: MemoryRequestsOptions;

  constructor(options: MemoryRequestsOptions) {
    this.#options = options;
  }

  async selection(): Promise<protocol.Selection> {
    const { file, budget, memories } = await this.#ask(selection, {});
    return {
      uri: file === null ? null : pathToFileURL(file).href,
      budget,
      memories: memories.map((each) => ({ ...each, places: { ...each.places } })),
    };
  }

  async keptTexts(
    targets: readonly protocol.DocumentLines[],
    onPercent: OnPercent,
    signal: AbortSignal,
  ): Promise<protocol.KeptText[]> {
    const lines = targets.map(({ uri, range }) => ({ file: requirePath(uri), range }));
    const options = { signal, onActivity: percentTo(onPercent) };
    const texts = await (await this.#options.thread()).keptTexts(lines, options);
    return texts.map((text) =>
      text.kind === "decoded"
        ? text
        : {
            ...text,
            tokens: text.tokens.map(({ bytes, share }) => ({
              piece: Buffer.from(bytes).toString("base64"),
              share,
            })),
          },
    );
  }

  async compress(
    targets: readonly { uri: string; range?: protocol.LineRange }[],
    onPercent: OnPercent,
    signal: AbortSignal,
  ): Promise<protocol.CompressReport> {
    const files = targets.map(({ uri, range }) => ({ file: requirePath(uri), range }));
    const options = { signal, onActivity: percentTo(onPercent) };
    const report = await (await this.#options.thread()).compress(files, options);
    const { skipped, problems, nothing, limits } = report;
    const plain = { skipped: [...skipped], problems: [...problems], nothing: [...nothing] };
    return { ...report, ...plain, limits: [...limits] };
  }

  /** The spans that matter at a place within a budget, the best first, each under its path. */
  async context(
    cursor: Cursor,
    { budget, encoding }: { budget: number; encoding: protocol.Encoding },
    signal: AbortSignal,
  ): Promise<protocol.CompressedContext> {
    const candidates = await this.#ask(rank, cursor, signal);
    const texts = candidates.map((each) => `// ${labelOf(each)}\n${each.text.trimEnd()}\n`);
    const fitting = await fitTexts(texts, budget, (text) => this.#count(text, encoding, signal));
    return { text: fitting.text, tokens: fitting.tokens, spans: fitting.count };
  }

  async demonstrations(): Promise<protocol.DemonstrationEntry[]> {
    const all = await this.#ask(demonstrations, {});
    return all.map(({ file, path, title, task, text, startLine, endLine }) => ({
      ...{ kind: "demonstration", uri: pathToFileURL(file).href, path, title },
      // People count lines from 1, the last one included.
      ...{ startLine: startLine - 1, endLine },
      summary: (task ?? text).trim().split("\n", 1)[0] ?? "",
    }));
  }

  bankFacts(): Promise<protocol.BankFacts> {
    return this.#ask(bankFacts, {});
  }

  purge(): Promise<void> {
    return this.#ask(purgeBank, {});
  }

  readonly #ask: EngineThread["ask"] = async (type, params, signal) =>
    (await this.#options.thread()).ask(type, params, signal);

  async #count(text: string, encoding: protocol.Encoding, signal: AbortSignal): Promise<number> {
    if (encoding !== "model") return (await this.#options.count(text))[encoding];
    const { ids } = await this.#ask(splitTokens, { text }, signal);
    return ids.length;
  }
}

function percentTo(onPercent: OnPercent): (activity: MemoryActivity) => void {
  return (activity) => {
    if (!("total" in activity) || activity.total === 0) return;
    onPercent((100 * activity.done) / activity.total, activity.kind);
  };
}

function labelOf({ path, startLine, endLine }: MemoryPlace): string {
  return `${path}:${startLine + 1}-${endLine}`;
}

function requirePath(uri: string): string {
  const file = filePath(uri);
  if (file === null) throw new UnsupportedError(`memories: ${uri} is no file on this machine`);
  return file;
}
