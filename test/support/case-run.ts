// A case -> what the product shows for it. A text given as a model's goes through the same code as
// the model's own does once it is decoded, cut where decoding would have stopped.
import { restOf } from "../../extension/type-through.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { isInsideWord, readPlace } from "../../sidecar/completion/place.ts";
import { findEnd, shapeText } from "../../sidecar/completion/postprocess.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { defaultThreadCount } from "../../sidecar/engine/threads.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { DocumentTrees } from "../../sidecar/workspace/syntax/document-trees.ts";
import type { Case } from "./case-file.ts";
import { preparedModel, type RealModelId } from "./weights.ts";

/** `text` in place of `replaced` characters behind the cursor; "" is nothing. */
export interface Suggestion {
  readonly text: string;
  readonly replaced: number;
}

/** However busy the machine is. */
const trees = new DocumentTrees({ treeMs: Infinity, countsMs: Infinity });

export class CaseRunner {
  readonly #models = new Map<string, Promise<OpenedModel>>();

  suggest(each: Case): Promise<Suggestion> {
    const { source } = each;
    return "model" in source
      ? this.#ask(source.model, each)
      : shapeGenerated(source.generated, each);
  }

  async close(): Promise<void> {
    for (const { engine, tokenizer } of await Promise.all(this.#models.values())) {
      tokenizer.dispose();
      await engine.dispose();
    }
  }

  async #ask(id: RealModelId, { path, languageId, prefix, suffix }: Case): Promise<Suggestion> {
    const opening = this.#models.get(id) ?? openModel(id);
    this.#models.set(id, opening);
    const { completer } = await opening;
    const document = { path, languageId, prefix, suffix };
    const { text, replaced } = await completer.completeInline(
      { ...document, multiline: "auto", alignment: "exact" },
      { faults: trees.open(document) },
    );
    return { text, replaced };
  }
}

interface OpenedModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly completer: Completer;
}

/** Once for all its cases. */
async function openModel(id: RealModelId): Promise<OpenedModel> {
  const model = await preparedModel(id);
  const engine = await Engine.load(model.engine, { threads: defaultThreadCount() });
  const tokenizer = Tokenizer.create(model.vocabulary);
  return { engine, tokenizer, completer: new Completer(engine, tokenizer) };
}

export async function shapeGenerated(
  generated: string,
  document: Omit<Case, "source" | "steps">,
): Promise<Suggestion> {
  if (isInsideWord(document)) return { text: "", replaced: 0 };
  const place = readPlace(document, "auto");
  const ends = Array.from(generated, (_, index) => generated.slice(0, index + 1));
  const decoded = ends.find((text) => findEnd(text, place) !== null);
  const isCut = document.isCut && decoded === undefined;
  const faults = await trees.open(document);
  const { text, replaced } = shapeText(decoded ?? generated, place, isCut, faults);
  return { text, replaced };
}

/** What is left of a suggestion once `typed` was typed over it. */
export function typeOver(document: Case, shown: Suggestion, typed: string): Suggestion {
  const { prefix: head, suffix: tail } = document;
  if (shown.text === "") return shown;
  const rest = restOf({ uri: "case:", head, tail, ...shown }, "case:", head + typed, tail);
  return rest ?? { text: "", replaced: 0 };
}
