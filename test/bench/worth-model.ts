// A model that completes the line of a sample behind memories, in the layout of the editor: memories,
// header, near text with what stands behind the line. The near text is shorter than the editor's, so
// that a benchmark takes hours, not days.
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import type { MemoryRequest } from "../../sidecar/completion/request.ts";
import { PrefixWindow, SuffixWindow } from "../../sidecar/completion/window.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { loadOutputGrams } from "../../sidecar/model/output-grams.ts";
import type { PreparedModel } from "../../sidecar/model/prepare.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { cut, noAdapter } from "../support/memory-parts.ts";
import type { WorthSample } from "./worth-samples.ts";

export interface Result {
  /** Of the target line, in nats. */
  readonly nll: number;
  readonly text: string;
  /** Of the memories. */
  readonly positions: number;
  /** From the request to the end of the line, without what encoding took. */
  readonly ms: number;
  readonly compressMs: number;
}

const nearTokens = { before: { tokens: 160, step: 32 }, after: 32 };
const greedy = { temperature: 0, topP: 1, seed: 1, alignment: "off" } as const;

export class WorthModel {
  readonly tokenizer: Tokenizer;
  readonly #engine: Engine;
  readonly #completer: Completer;

  static async open(prepared: PreparedModel, threads: number): Promise<WorthModel> {
    return new WorthModel(prepared, await Engine.load(prepared.engine, { threads }));
  }

  private constructor(prepared: PreparedModel, engine: Engine) {
    this.tokenizer = Tokenizer.create(prepared.vocabulary);
    this.#engine = engine;
    const memories = new Memories(engine, {
      vocabulary: this.tokenizer,
      layout: readLayout(this.tokenizer),
      ...{ cut, loadAdapter: noAdapter },
      loadGrams: () => loadOutputGrams(prepared.outputGramsFile, prepared.hyperparameters),
    });
    this.#completer = new Completer(engine, this.tokenizer, defaults.alignment.limits, memories);
  }

  async measure(sample: WorthSample, memory: MemoryRequest | undefined): Promise<Result> {
    const { path, near, after, target } = sample;
    const prefix = new PrefixWindow(this.tokenizer, nearTokens.before).read(near).text;
    const suffix = new SuffixWindow(this.tokenizer, nearTokens.after).read(`\n${after}`).text;
    const request = { path, prefix, suffix, memory };
    const scored = await this.#completer.score({ ...request, target });
    const line = { ...greedy, maxTokens: defaults.answer.line, stop: ["\n"] };
    // The prompt is in the cache; exact reuse computes what a cold run would.
    const written = await this.#completer.complete({ ...request, ...line }, { exactReuse: true });
    const { prefill } = scored.ms;
    return {
      nll: scored.nll,
      text: written.text,
      positions: scored.tokens.contextAfter,
      ms: prefill + written.ms.decode,
      compressMs: scored.ms.compress,
    };
  }

  async dispose(): Promise<void> {
    this.tokenizer.dispose();
    await this.#engine.dispose();
  }
}
