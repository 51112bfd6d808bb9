// A GGUF -> a folder that the engine and the tokenizer load: graphs, weights, embeddings, vocabulary,
// what memories need of the weights, and a manifest. Done once a model and variant; every later start maps the files.
import { join, resolve } from "node:path";
import { throwIfCancelled } from "../errors.ts";
import type { ByteSource } from "../gguf/byte-source.ts";
import { type GgufHeader, parseHeader } from "../gguf/header.ts";
import { TensorStore } from "../onnx/tensor-store.ts";
import { buildAttention } from "./attention.ts";
import { buildDecoder } from "./decoder.ts";
import { type EmbeddingFormat, writeEmbeddings } from "./embedding-table.ts";
import { type Hyperparameters, readHyperparameters } from "./hyperparameters.ts";
import type { WeightWriting } from "./linear-store.ts";
import {
  createManifest,
  MANIFEST_FILE,
  preparedFiles,
  readJson,
  readManifest,
  type Variant,
} from "./manifest.ts";
import { chooseFloats, chooseLossless, type MatrixChooser } from "./matrix.ts";
import { writeOutputGrams } from "./output-grams.ts";
import {
  closeAll,
  createFile,
  fillFolder,
  type OpenFile,
  writeWholeFile,
} from "./prepared-folder.ts";
import { chooseFast } from "./quantize.ts";
import { type DecoderTensors, planTensors } from "./tensor-plan.ts";
import { readVocabulary, type VocabularyRecord } from "./vocabulary.ts";
import { writeWeights } from "./weights.ts";

export interface PrepareOptions {
  readonly variant: Variant;
  /** SHA-256 of the source, kept in the manifest; the caller has it from the download. */
  readonly sourceSha256: string;
  /** Told the share of the source that has been used, from 0 to 1. */
  readonly onProgress?: ((fraction: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default 4, see `DecoderOptions`; 0 is exact and slow, for tests. */
  readonly accuracyLevel?: 0 | 4 | undefined;
}

export interface PreparedModel {
  readonly hyperparameters: Hyperparameters;
  readonly engine: PreparedEngine;
  readonly vocabulary: VocabularyRecord;
  /** Absolute, see output-grams.ts. */
  readonly outputGramsFile: string;
  readonly sourceSha256: string;
  readonly variant: Variant;
}

/** Structurally the engine's own type: the two parts do not know each other. */
export interface PreparedEngine {
  /** Absolute paths; the weights lie beside the graphs. */
  readonly graphFile: string;
  readonly attentionGraphFile: string;
  readonly compressorGraphFile: string;
  readonly embeddings: EmbeddingFormat & { readonly file: string };
  readonly shape: Hyperparameters;
}

/**
 * Writes `folder` as a whole, replacing an older one. Memory stays within a few pieces of a matrix,
 * whatever the size of the model.
 * @throws FormatError, LimitError or UnsupportedError for what the file holds; CancelledError.
 */
export async function prepareModel(
  source: ByteSource,
  folder: string,
  options: PrepareOptions,
): Promise<PreparedModel> {
  const choice = choiceOf(options.variant);
  const header = await parseHeader(source);
  const hyperparameters = readHyperparameters(header, source.name);
  const tensors = planTensors(header, hyperparameters, source.name);
  const vocabulary = readVocabulary(header.metadata, source.name);
  const { sourceSha256, variant, signal, accuracyLevel = 4 } = options;
  const onBytes = progressOver(header, hyperparameters, options.onProgress);
  await fillFolder(folder, async (partial) => {
    const writing = { source, onBytes, signal };
    const target = { tensors, hyperparameters, partial, choice, accuracyLevel };
    const embeddings = await writeModelFiles(writing, target);
    await writeWholeFile(join(partial, preparedFiles.vocabulary), JSON.stringify(vocabulary));
    const model = { sourceName: source.name, sourceSha256, variant, hyperparameters, embeddings };
    const manifest = await createManifest(partial, model);
    await writeWholeFile(join(partial, MANIFEST_FILE), JSON.stringify(manifest, null, 1));
    throwIfCancelled(signal);
  });
  return loadPrepared(folder);
}

/**
 * What `prepareModel` wrote there.
 * @throws FormatError when the folder is of another version or a file is missing or cut.
 */
export async function loadPrepared(folder: string): Promise<PreparedModel> {
  const { hyperparameters, embeddings, sourceSha256, variant } = await readManifest(folder);
  const path = (name: keyof typeof preparedFiles) => resolve(folder, preparedFiles[name]);
  return {
    hyperparameters,
    engine: {
      graphFile: path("decoder"),
      attentionGraphFile: path("attention"),
      compressorGraphFile: path("compressor"),
      embeddings: { file: path("embeddings"), ...embeddings },
      shape: hyperparameters,
    },
    vocabulary: await readJson<VocabularyRecord>(path("vocabulary")),
    outputGramsFile: path("outputGrams"),
    sourceSha256,
    variant,
  };
}

interface VariantChoice {
  /** For the matrices of the graph. */
  readonly matrices: MatrixChooser;
  /** For embeddings.bin: rows are looked up, so fewer bits would gain nothing but disk. */
  readonly embeddings: MatrixChooser;
  /**
   * Takes a sixth off the distance to float32 products, more than any other matrix, for 2.5 to 5 % of
   * a decode step.
   */
  readonly isHeadFine: boolean;
}

function choiceOf(variant: Variant): VariantChoice {
  switch (variant) {
    case "lossless":
      return { matrices: chooseLossless, embeddings: chooseLossless, isHeadFine: true };
    case "fp32":
      return { matrices: chooseFloats, embeddings: chooseFloats, isHeadFine: false };
    case "fast":
      return { matrices: chooseFast, embeddings: chooseLossless, isHeadFine: false };
  }
}

/** Weights, embeddings and graphs; the graphs name the weights' places in weights.bin. */
async function writeModelFiles(
  writing: Omit<WeightWriting, "store" | "choose">,
  target: {
    readonly tensors: DecoderTensors;
    readonly hyperparameters: Hyperparameters;
    readonly partial: string;
    readonly choice: VariantChoice;
    readonly accuracyLevel: 0 | 4;
  },
): Promise<EmbeddingFormat> {
  const { tensors, hyperparameters, partial, choice, accuracyLevel } = target;
  const files: OpenFile[] = [];
  const create = async (name: "embeddings" | "weights" | "outputGrams"): Promise<OpenFile> => {
    const file = await createFile(join(partial, preparedFiles[name]));
    files.push(file);
    return file;
  };
  try {
    const embeddingsFile = await create("embeddings");
    const weightsFile = await create("weights");
    const gramsFile = await create("outputGrams");
    const store = new TensorStore(preparedFiles.weights, weightsFile);
    const tableWriting = { ...writing, choose: choice.embeddings };
    const embeddings = await writeEmbeddings(tableWriting, tensors.embeddings, embeddingsFile);
    const weightWriting = { ...writing, store, choose: choice.matrices };
    const weights = await writeWeights(weightWriting, tensors, hyperparameters);
    const grams = { shape: hyperparameters, sink: gramsFile };
    await writeOutputGrams(writing, tensors.layers, grams);
    for (const name of ["decoder", "compressor"] as const) {
      const { isHeadFine } = choice;
      const options = { hasFactors: name === "compressor", accuracyLevel, isHeadFine };
      const graph = buildDecoder(hyperparameters, weights, options);
      await writeWholeFile(join(partial, preparedFiles[name]), graph);
    }
    const attention = buildAttention(hyperparameters, weights);
    await writeWholeFile(join(partial, preparedFiles.attention), attention);
    return embeddings;
  } finally {
    await closeAll(files);
  }
}

/** A tied embedding table is read twice, as the table and as the head. */
function progressOver(
  { tensors }: GgufHeader,
  { hasTiedEmbeddings }: Hyperparameters,
  onProgress: PrepareOptions["onProgress"],
): (byteLength: number) => void {
  let total = hasTiedEmbeddings ? (tensors.get("token_embd.weight")?.byteLength ?? 0) : 0;
  for (const { byteLength } of tensors.values()) total += byteLength;
  let done = 0;
  return (byteLength) => {
    done += byteLength;
    onProgress?.(done / total);
  };
}
