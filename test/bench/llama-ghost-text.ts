// llama.cpp's side of the keystroke trace, through node-llama-cpp: the same prompts as ids, its own
// prompt cache (the state is cut back to the common prefix, nothing is moved), greedy, and the same
// rule for where the text ends, so that both decode the same number of tokens for the same text.

import { defaults } from "../../sidecar/completion/defaults.ts";
import { commonLength } from "../../sidecar/completion/layout.ts";
import { longestAnswer } from "../../sidecar/completion/place.ts";
import { findEnd, shapeText } from "../../sidecar/completion/postprocess.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { type GhostText, type GhostTextSource, idsOf, type Question } from "./ghost-text.ts";
import { importLlama } from "./peers.ts";

/** The part of node-llama-cpp's LlamaContextSequence that is used. */
export interface LlamaSequence {
  readonly contextTokens: readonly number[];
  readonly nextTokenIndex: number;
  adaptStateToTokens(tokens: readonly number[], allowShift: boolean): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: number; readonly yieldEogToken: boolean },
  ): AsyncGenerator<number, void>;
}

/** llama.cpp on the CPU with the GGUF file as it is, and a window as large as Pith's. */
export async function openLlama(
  weights: string,
  options: { readonly threads: number; readonly tokenizer: Tokenizer },
): Promise<GhostTextSource> {
  const { threads, tokenizer } = options;
  const { getLlama } = await importLlama();
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads });
  const model = await llama.loadModel({ modelPath: weights, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: defaults.window,
    threads,
    sequences: 1,
  });
  const sequence: LlamaSequence = context.getSequence();
  return {
    name: "llama.cpp, prompt cache",
    complete: (question) => completeWith(sequence, tokenizer, question),
    close: () => llama.dispose(),
  };
}

async function completeWith(
  sequence: LlamaSequence,
  tokenizer: Tokenizer,
  question: Question,
): Promise<GhostText> {
  const { prompt, place } = question;
  const ids = idsOf(prompt);
  const start = performance.now();
  // The last id is always run: its logits are needed.
  const reused = Math.min(commonLength(sequence.contextTokens, ids), ids.length - 1);
  await sequence.adaptStateToTokens(ids.slice(0, reused), false);
  const decoder = tokenizer.createStreamDecoder();
  const limit = longestAnswer(place);
  let text = "";
  let generated = 0;
  let isEnded = false;
  const options = { temperature: 0, yieldEogToken: true };
  for await (const id of sequence.evaluate(ids.slice(reused), options)) {
    isEnded = tokenizer.isSpecial(id) || tokenizer.endIds.has(id);
    if (isEnded) break;
    generated += 1;
    text += decoder.push(id);
    if (generated === limit || findEnd(text, place) !== null) break;
  }
  const isCut = !isEnded && findEnd(text, place) === null;
  const shown = shapeText(text, place, isCut).text;
  const elapsedMs = performance.now() - start;
  return {
    text: shown,
    generated,
    promptRows: ids.length - reused,
    reused,
    decodeRows: sequence.nextTokenIndex - ids.length,
    elapsedMs,
  };
}
