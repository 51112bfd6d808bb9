// One place of syntax-places.ts in the product: what the model wrote, what was shown of it, and what
// accepting that does to the number of errors that the parser finds in the file.
import { Completer } from "../../sidecar/completion/complete.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { defaultThreadCount } from "../../sidecar/engine/threads.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { DocumentTrees } from "../../sidecar/workspace/syntax/document-trees.ts";
import { ErrorCounter } from "../support/parsed-code.ts";
import type { SyntaxPlace } from "../support/syntax-places.ts";
import { preparedModel } from "../support/weights.ts";

export interface SyntaxResult {
  /** As far as the product let the model write. */
  readonly generated: string;
  /** Its greatest length ended it. */
  readonly isCut: boolean;
  readonly shown: string;
  /** Characters of the rest of the line that the shown text takes the place of. */
  readonly replaced: number;
  readonly reason: string | null;
  /** Errors in the file with the gap, and after accepting; the same where nothing is shown. */
  readonly before: number;
  readonly after: number;
}

export class SyntaxTrial {
  readonly #counter = new ErrorCounter();
  /** Without limits of time, so that the figures are the same on a busy machine. */
  readonly #trees = new DocumentTrees({ treeMs: Infinity, countsMs: Infinity });
  readonly #engine: Engine;
  readonly #tokenizer: Tokenizer;
  readonly #completer: Completer;
  readonly #heard: { text: string };

  private constructor(engine: Engine, tokenizer: Tokenizer) {
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    this.#heard = listen(tokenizer);
    this.#completer = new Completer(engine, tokenizer);
  }

  static async open(): Promise<SyntaxTrial> {
    const model = await preparedModel("qwen2.5-coder-0.5b");
    const engine = await Engine.load(model.engine, { threads: defaultThreadCount() });
    return new SyntaxTrial(engine, Tokenizer.create(model.vocabulary));
  }

  async close(): Promise<void> {
    this.#tokenizer.dispose();
    await this.#engine.dispose();
  }

  async run({ path, languageId, grammar, prefix, suffix }: SyntaxPlace): Promise<SyntaxResult> {
    this.#heard.text = "";
    const document = { path, languageId, prefix, suffix };
    const completion = await this.#completer.completeInline(
      { ...document, multiline: "auto", alignment: "exact" },
      { faults: this.#trees.open(document) },
    );
    const { text: shown, replaced, reason, use, tokens } = completion;
    const before = await this.#counter.count(grammar, prefix + suffix);
    const accepted = prefix + shown + suffix.slice(replaced);
    return {
      generated: this.#heard.text,
      isCut: use !== null && tokens.generated >= use.reserve,
      ...{ shown, replaced, reason, before },
      after: shown === "" ? before : await this.#counter.count(grammar, accepted),
    };
  }
}

/** What the tokenizer's last decoder made: answers do not say what was cut from them. */
function listen(tokenizer: Tokenizer): { text: string } {
  const heard = { text: "" };
  const create = tokenizer.createStreamDecoder.bind(tokenizer);
  tokenizer.createStreamDecoder = (skippedBytes) => {
    const decoder = create(skippedBytes);
    return {
      ...decoder,
      push: (id) => {
        const piece = decoder.push(id);
        heard.text += piece;
        return piece;
      },
    };
  };
  return heard;
}
