// The cross-file samples of a split, a few of every package in turn, made once and kept in .cache/.
// Every span is one piece for every model of the catalogue, so that the models get the same set.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { encodeHeader, readLayout } from "../../sidecar/completion/layout.ts";
import { openFileSource } from "../../sidecar/gguf/byte-source.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { pieceTokens } from "../../sidecar/memory/kept-encoder.ts";
import { readVocabulary } from "../../sidecar/model/vocabulary.ts";
import { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import { type RealModelId, realWeights } from "../support/weights.ts";
import { type CrossFileSample, makeSamples, type Span } from "./cross-file.ts";
import { readSources, type Split, sourcePackages } from "./cross-file-packages.ts";

const models: readonly RealModelId[] = ["qwen2.5-coder-0.5b", "smollm2-135m"];
const samplesOfPackage = 20;
// Longer ones are not tokenised: no piece has this many characters.
const mostCharacters = 1000;

export async function loadSamples(split: Split): Promise<CrossFileSample[]> {
  const file = `.cache/cross-file/${split}.json`;
  if (existsSync(file)) return JSON.parse(await readFile(file, "utf8"));
  const tokenizers = await Promise.all(models.map(openTokenizer));
  const fits = (span: Span) =>
    span.text.length < mostCharacters &&
    tokenizers.every((tokenizer) => countTokens(tokenizer, span) <= pieceTokens);
  const bySource: CrossFileSample[][] = [];
  for (const source of sourcePackages.filter((each) => each.split === split)) {
    const limits = { fits, count: samplesOfPackage };
    bySource.push(makeSamples(source, await readSources(source), limits));
  }
  const samples = Array.from({ length: samplesOfPackage }, (_, index) =>
    bySource.flatMap((each) => each.slice(index, index + 1)),
  ).flat();
  await writeFile(file, JSON.stringify(samples, null, 1));
  for (const tokenizer of tokenizers) tokenizer.dispose();
  return samples;
}

/** A sample as the probe's reference.py reads it: spans and near text as the product renders them. */
export function toReferenceSample(sample: CrossFileSample, tokenizer: Tokenizer) {
  const { fileSeparator } = readLayout(tokenizer);
  const mark = fileSeparator === null ? "// " : "<|file_sep|>";
  const render = ({ path, text }: Span) => `${mark}${path}\n${text}`;
  return {
    far: sample.spans.map((span) => `${render(span)}\n`),
    near: render({ path: sample.path, text: sample.near }),
    target: sample.target,
  };
}

export async function openTokenizer(id: RealModelId): Promise<Tokenizer> {
  const file = await realWeights(id);
  const source = await openFileSource(file);
  try {
    const { metadata } = await parseHeader(source);
    return Tokenizer.create(readVocabulary(metadata, source.name));
  } finally {
    await source.close();
  }
}

function countTokens(tokenizer: Tokenizer, { path, text }: Span): number {
  const header = encodeHeader(readLayout(tokenizer), tokenizer, path);
  return header.length + tokenizer.encode(`${text}\n`).length;
}
