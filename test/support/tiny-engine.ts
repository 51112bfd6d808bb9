// The tiny model of tiny-gguf.ts, prepared without loss in a temporary folder and loaded.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Engine } from "../../sidecar/engine/engine.ts";
import { type Adapter, parseAdapter } from "../../sidecar/memory/adapter.ts";
import { loadOutputGrams } from "../../sidecar/model/output-grams.ts";
import { prepareModel } from "../../sidecar/model/prepare.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { randomAdapter } from "./random-adapter.ts";
import { type TinyOptions, tinySource } from "./tiny-gguf.ts";

export interface TinyModel {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** The same without fill-in-the-middle: what a model left to right has. */
  readonly leftToRight: Tokenizer;
  /** See sidecar/model/output-grams.ts. */
  loadGrams(): Promise<Float32Array[]>;
  /** The file of a graph that is loaded with the first memory. */
  readonly attentionGraph: string;
  /** One made in code. */
  loadAdapter(): Promise<Adapter>;
  close(): Promise<void>;
}

/** In float32 throughout, so that equal computations agree to 1e-4. */
export async function openTiny(options: TinyOptions = {}): Promise<TinyModel> {
  const folder = await mkdtemp(join(tmpdir(), "pith-tiny-"));
  const source = tinySource({ contextLength: 4096, ...options });
  const model = await prepareModel(source, join(folder, "model"), {
    variant: "fp32",
    sourceSha256: "0",
    accuracyLevel: 0,
  });
  const engine = await Engine.load(model.engine, { threads: 1 });
  const tokenizer = Tokenizer.create(model.vocabulary);
  const tokens = model.vocabulary.tokens.map((token) => token.replace("|fim_", "|unused_"));
  const leftToRight = Tokenizer.create({ ...model.vocabulary, tokens });
  return {
    engine,
    tokenizer,
    leftToRight,
    attentionGraph: model.engine.attentionGraphFile,
    loadGrams: () => loadOutputGrams(model.outputGramsFile, model.hyperparameters),
    loadAdapter: async () => {
      const backbone = { ...model.hyperparameters, sha256: "0" };
      return parseAdapter("tiny", randomAdapter(backbone), backbone);
    },
    close: async () => {
      tokenizer.dispose();
      leftToRight.dispose();
      await engine.dispose();
      await rm(folder, { recursive: true });
    },
  };
}
