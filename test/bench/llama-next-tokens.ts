// llama.cpp's word on every next token, through node-llama-cpp: the GGUF as it is, Pith's ids.
import type { NextTokens, TextWindow } from "./next-tokens.ts";
import { importLlama } from "./peers.ts";

export interface LlamaNextTokens extends NextTokens {
  /** What llama.cpp's own tokenizer makes of each text. */
  readonly ownIds: readonly (readonly number[])[];
}

/** The part of node-llama-cpp's LlamaContextSequence that is used. */
interface ControlledSequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(input: readonly (number | [number, TokenOptions])[]): Promise<TokenOutput[]>;
}

interface TokenOptions {
  readonly generateNext: {
    readonly token: true;
    readonly totalLogitWeight: true;
    readonly logits: {
      readonly filter: { readonly tokens: readonly number[]; readonly includeSelected: true };
    };
  };
}

type TokenOutput =
  | {
      readonly next: {
        readonly token: number;
        readonly logits: ReadonlyMap<number, number>;
        readonly totalLogitWeight: number;
      };
    }
  | undefined;

export async function readLlamaNextTokens(
  weights: string,
  windows: readonly TextWindow[],
  options: { readonly threads: number; readonly texts: readonly string[] },
): Promise<LlamaNextTokens> {
  const { getLlama } = await importLlama();
  const llama = await getLlama({ gpu: false, build: "never", maxThreads: options.threads });
  const model = await llama.loadModel({ modelPath: weights, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 512, threads: options.threads });
  const sequence: ControlledSequence = context.getSequence();
  const bestIds: number[] = [];
  const nll: number[] = [];
  for (const { ids, first } of windows) {
    await sequence.clearHistory();
    const outputs = await sequence.controlledEvaluate(questions(ids, first));
    for (const [index, id] of ids.slice(first).entries()) {
      const output = outputs[first + index - 1];
      if (output === undefined) throw new Error(`llama.cpp left out token ${first + index}`);
      bestIds.push(output.next.token);
      nll.push(nllOf(output.next, id));
    }
  }
  const ownIds = options.texts.map((text) => [...model.tokenize(text, false)].map(Number));
  await llama.dispose();
  return { bestIds, nll, ownIds };
}

/** Each token, and from the one before `first` on the question what comes next. */
function questions(ids: readonly number[], first: number): (number | [number, TokenOptions])[] {
  return ids.slice(0, -1).map((id, index) => {
    if (index + 1 < first) return id;
    const filter = { tokens: [ids[index + 1] ?? 0], includeSelected: true } as const;
    return [id, { generateNext: { token: true, totalLogitWeight: true, logits: { filter } } }];
  });
}

/** `totalLogitWeight` is the sum of exp(logit - greatest logit); greedy selects the greatest. */
function nllOf(next: NonNullable<TokenOutput>["next"], id: number): number {
  const greatest = next.logits.get(next.token) ?? Number.NaN;
  const own = next.logits.get(id) ?? Number.NaN;
  return greatest + Math.log(next.totalLogitWeight) - own;
}
