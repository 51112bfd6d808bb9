// The reference for ids: @huggingface/tokenizers with the vocabulary and merges of a GGUF and the
// pre-tokenisers as llama.cpp defines them (llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_SMOLLM: single
// digits, then the GPT-2 pattern on each stretch between; LLAMA_VOCAB_PRE_TYPE_QWEN2: one pattern).
// It merges by the list of merges where ours merges by ids, and cuts twice where ours cuts once.
// It has no special tokens, because user text never becomes one, and no normaliser: the published
// tokenizer of Qwen composes characters (NFC), which llama.cpp leaves out and which loses bytes.
import { Tokenizer } from "@huggingface/tokenizers";
import type { VocabularyRecord } from "../../sidecar/tokenizer/vocabulary.ts";

export function referenceTokenizer(record: VocabularyRecord): (text: string) => readonly number[] {
  const patterns = patternsOf[record.preTokenizer];
  if (patterns === undefined) throw new Error(`no reference for ${record.preTokenizer}`);
  const tokenizer = new Tokenizer(
    {
      version: "1.0",
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          ...patterns.map((Regex) => ({
            type: "Split",
            pattern: { Regex },
            behavior: "Isolated",
            invert: false,
          })),
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
        ],
      },
      post_processor: null,
      decoder: { type: "ByteLevel" },
      model: {
        type: "BPE",
        unk_token: null,
        fuse_unk: false,
        byte_fallback: false,
        vocab: Object.fromEntries(record.tokens.map((token, id) => [token, id])),
        merges: record.merges,
      },
    },
    {},
  );
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
}

const patternsOf: Readonly<Record<string, readonly string[]>> = {
  smollm: [
    String.raw`\p{N}`,
    String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  ],
  qwen2: [
    String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  ],
};
