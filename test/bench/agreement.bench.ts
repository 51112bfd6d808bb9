// Greedy agreement with llama.cpp on the same GGUF: over 2,304 tokens of real code in twelve
// languages, the share with the same best id and the mean NLL, for each variant. The reference is
// the file's weights with float32 products, which equals PyTorch within 1e-4 of a logit
// (test/model/golden-logits.test.ts). Met: the best id equal at 98 % or at least as near to the
// reference as llama.cpp is, and the mean NLL within 0.5 % of llama.cpp's.
// Flags: --model ID, --variant NAME (both again for more), --windows N a language, --threads N.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openFileSource } from "../../sidecar/gguf/byte-source.ts";
import type { Variant } from "../../sidecar/model/manifest.ts";
import { prepareModel } from "../../sidecar/model/prepare.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { readCorpus } from "../support/corpus.ts";
import { realVocabulary } from "../support/vocabularies.ts";
import { preparedModel, type RealModelId, realWeights } from "../support/weights.ts";
import { readLlamaNextTokens } from "./llama-next-tokens.ts";
import {
  agreement,
  meanNll,
  type NextTokens,
  nllDistance,
  readNextTokens,
  type TextWindow,
  textWindows,
} from "./next-tokens.ts";

const modelIds: readonly RealModelId[] = ["smollm2-135m", "qwen2.5-coder-0.5b"];
const variants: readonly Variant[] = ["lossless", "fast"];
const LEAST_EQUAL = 0.98;
const MOST_NLL_CHANGE = 0.005;

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", multiple: true },
    variant: { type: "string", multiple: true },
    windows: { type: "string", default: "1" },
    threads: { type: "string", default: "2" },
  },
});
const threads = Number(flags.threads);
const results: Record<string, ModelFigures> = {};
for (const id of modelIds)
  if (flags.model?.includes(id) ?? true) results[id] = await measure(id, Number(flags.windows));
console.log(JSON.stringify(results));

interface ModelFigures {
  readonly tokens: number;
  /** Files of the corpus for which llama.cpp's tokenizer makes the same ids, and all files. */
  readonly sameIds: readonly [number, number];
  readonly rows: readonly Figures[];
}

interface Figures {
  readonly name: string;
  /** Shares of tokens with the same best id. */
  readonly asLlama: number;
  readonly asReference: number;
  /** Mean absolute difference of a token's NLL from the reference's. */
  readonly distance: number;
  readonly meanNll: number;
  /** Relative differences of the mean NLL. */
  readonly nllToLlama: number;
  readonly nllToReference: number;
  /** Null for what is not Pith's. */
  readonly isMet: boolean | null;
}

async function measure(id: RealModelId, perLanguage: number): Promise<ModelFigures> {
  const tokenizer = Tokenizer.create(await realVocabulary(id));
  const windows = textWindows(tokenizer, perLanguage);
  const texts = readCorpus().map(({ text }) => text);
  const ownIds = texts.map((text) => tokenizer.encode(text).join());
  tokenizer.dispose();

  const llama = await readLlamaNextTokens(await realWeights(id), windows, { threads, texts });
  const sameIds = llama.ownIds.filter((ids, index) => ids.join() === ownIds[index]).length;
  const reference = await readReference(id, windows);
  const peers = { llama, reference };
  const rows = [figuresOf("reference", reference, peers), figuresOf("llama.cpp", llama, peers)];
  for (const variant of variants)
    if (flags.variant?.includes(variant) ?? true) {
      const own = await readNextTokens(await preparedModel(id, variant), windows, threads);
      rows.push(figuresOf(`Pith ${variant}`, own, peers));
    }
  const figures = { tokens: llama.nll.length, sameIds: [sameIds, texts.length], rows } as const;
  print(id, figures);
  return figures;
}

/** Float32 products on the file's own weights: exact, and too slow for the product. */
async function readReference(id: RealModelId, windows: readonly TextWindow[]): Promise<NextTokens> {
  const folder = await mkdtemp(join(tmpdir(), "pith-reference-"));
  const source = await openFileSource(await realWeights(id));
  try {
    const options = { variant: "lossless", sourceSha256: "0", accuracyLevel: 0 } as const;
    const prepared = await prepareModel(source, join(folder, "model"), options);
    return await readNextTokens(prepared, windows, threads);
  } finally {
    await source.close();
    await rm(folder, { recursive: true });
  }
}

function figuresOf(
  name: string,
  own: NextTokens,
  { llama, reference }: { llama: NextTokens; reference: NextTokens },
): Figures {
  const asLlama = agreement(own, llama);
  const asReference = agreement(own, reference);
  const nllToLlama = meanNll(own) / meanNll(llama) - 1;
  const isSame = asLlama >= LEAST_EQUAL || asReference >= agreement(llama, reference);
  const isNear = Math.abs(nllToLlama) <= MOST_NLL_CHANGE;
  return {
    name,
    asLlama: rounded(asLlama),
    asReference: rounded(asReference),
    distance: rounded(nllDistance(own, reference)),
    meanNll: rounded(meanNll(own)),
    nllToLlama: rounded(nllToLlama),
    nllToReference: rounded(meanNll(own) / meanNll(reference) - 1),
    isMet: name.startsWith("Pith") ? isSame && isNear : null,
  };
}

function print(id: RealModelId, { tokens, sameIds, rows }: ModelFigures): void {
  console.log(
    `\n${id}: ${tokens} next tokens; llama.cpp's ids equal on ${sameIds.join(" of ")} files`,
  );
  console.table(
    Object.fromEntries(
      rows.map(({ name, ...row }) => [
        name,
        {
          "best id as llama.cpp": percent(row.asLlama),
          "as reference": percent(row.asReference),
          "NLL off reference": row.distance,
          "mean NLL": row.meanNll,
          "to llama.cpp": percent(row.nllToLlama),
          "to reference": percent(row.nllToReference),
          met: row.isMet === null ? "" : row.isMet ? "yes" : "no",
        },
      ]),
    ),
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
