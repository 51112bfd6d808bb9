// llama.cpp's side of the infilling tasks, through node-llama-cpp: the GGUF as it is, its own
// tokenizer, the same template (prefix, suffix, middle; without these tokens the prefix alone), greedy,
// from a cold cache each time.
import { importLlama } from "./peers.ts";

export interface Infiller {
  readonly name: string;
  complete(prefix: string, suffix: string): Promise<string>;
  close(): Promise<void>;
}

/** The part of node-llama-cpp that is used. */
interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: number },
  ): AsyncGenerator<number, void>;
}

interface LlamaModel {
  tokenize(text: string, specialTokens: boolean): number[];
  detokenize(tokens: readonly number[]): string;
  isSpecialToken(token: number): boolean;
  isEogToken(token: number): boolean;
}

export async function openLlamaInfiller(
  weights: string,
  options: { readonly threads: number; readonly maxTokens: number },
): Promise<Infiller> {
  const { threads, maxTokens } = options;
  const { getLlama } = await importLlama();
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads });
  const model = await llama.loadModel({ modelPath: weights, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 2048, threads, sequences: 1 });
  const sequence: LlamaSequence = context.getSequence();
  return {
    name: "llama.cpp",
    complete: async (prefix, suffix) => {
      await sequence.clearHistory();
      const ids = promptOf(model, prefix, suffix);
      return readLine(model, sequence.evaluate(ids, { temperature: 0 }), maxTokens);
    },
    close: () => llama.dispose(),
  };
}

function promptOf(model: LlamaModel, prefix: string, suffix: string): number[] {
  const mark = (name: string): number[] => model.tokenize(`<|fim_${name}|>`, true);
  const text = (value: string): number[] => model.tokenize(value, false);
  // A model without these tokens splits their names, and completes from left to right.
  if (mark("prefix").length !== 1) return text(prefix);
  return [
    ...mark("prefix"),
    ...text(prefix),
    ...mark("suffix"),
    ...text(suffix),
    ...mark("middle"),
  ];
}

/** Up to the first line end, as `stop: ["\n"]` does for Pith. */
async function readLine(
  model: LlamaModel,
  tokens: AsyncGenerator<number, void>,
  maxTokens: number,
): Promise<string> {
  const ids: number[] = [];
  for await (const id of tokens) {
    if (model.isEogToken(id) || model.isSpecialToken(id)) break;
    ids.push(id);
    if (ids.length === maxTokens || model.detokenize(ids).includes("\n")) break;
  }
  return model.detokenize(ids).split("\n", 1)[0] ?? "";
}
