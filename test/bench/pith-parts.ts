// Pith's parts as the service wires them, of the variant that it prepares, for benchmarks that look
// inside: what a request runs, and the cache that it leaves.
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { type PromptLayout, readLayout } from "../../sidecar/completion/layout.ts";
import { Memories } from "../../sidecar/completion/memories.ts";
import { Engine } from "../../sidecar/engine/engine.ts";
import { readAdapter } from "../../sidecar/memory/adapter.ts";
import { loadOutputGrams } from "../../sidecar/model/output-grams.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { cut, noAdapter } from "../support/memory-parts.ts";
import { preparedModel, type RealModelId } from "../support/weights.ts";

export interface PithParts {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  readonly layout: PromptLayout;
  readonly memories: Memories;
  readonly completer: Completer;
  close(): Promise<void>;
}

/** `adapter` is a file; without it there are no embedded memories. */
export async function openParts(
  id: RealModelId,
  threads: number,
  adapter?: string,
): Promise<PithParts> {
  const prepared = await preparedModel(id);
  const engine = await Engine.load(prepared.engine, { threads });
  const tokenizer = Tokenizer.create(prepared.vocabulary);
  const layout = readLayout(tokenizer);
  const loadGrams = () => loadOutputGrams(prepared.outputGramsFile, prepared.hyperparameters);
  const backbone = { ...prepared.hyperparameters, sha256: prepared.sourceSha256 };
  const loadAdapter = adapter === undefined ? noAdapter : () => readAdapter(adapter, backbone);
  const memories = new Memories(engine, {
    ...{ vocabulary: tokenizer, layout, cut, loadGrams, loadAdapter },
  });
  const { limits } = defaults.alignment;
  return {
    ...{ engine, tokenizer, layout, memories },
    completer: new Completer(engine, tokenizer, limits, memories),
    close: async () => {
      tokenizer.dispose();
      await engine.dispose();
    },
  };
}
