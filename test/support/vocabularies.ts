// Vocabulary records for tests: of the tiny model and of the two real ones.
import { openFileSource } from "../../sidecar/gguf/byte-source.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";
import { readVocabulary } from "../../sidecar/model/vocabulary.ts";
import type { VocabularyRecord } from "../../sidecar/tokenizer/vocabulary.ts";
import { tinySource } from "./tiny-gguf.ts";
import { type RealModelId, realWeights } from "./weights.ts";

/** All 256 bytes, 24 merges, eight control tokens. */
export async function tinyVocabulary(
  architecture: "llama" | "qwen2" = "llama",
): Promise<VocabularyRecord> {
  return readVocabulary((await parseHeader(tinySource({ architecture }))).metadata, "tiny.gguf");
}

export async function realVocabulary(id: RealModelId): Promise<VocabularyRecord> {
  const source = await openFileSource(await realWeights(id));
  try {
    return readVocabulary((await parseHeader(source)).metadata, source.name);
  } finally {
    await source.close();
  }
}
