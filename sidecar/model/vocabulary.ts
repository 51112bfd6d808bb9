// The tokenizer's part of the metadata -> a plain record that the tokenizer takes as it is.
import { FormatError } from "../errors.ts";
import type { Metadata } from "../gguf/metadata.ts";

/** Structurally the tokenizer's own record: the two parts do not know each other. */
export interface VocabularyRecord {
  /** `tokenizer.ggml.model`; "gpt2" is byte-level BPE. */
  readonly model: string;
  /** `tokenizer.ggml.pre`, the rule that cuts text before merging. */
  readonly preTokenizer: string;
  /** In the byte-level alphabet, by id. */
  readonly tokens: readonly string[];
  /** gguf.TokenType by id: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. */
  readonly tokenTypes: readonly number[];
  /** Two tokens and a blank between, best first. */
  readonly merges: readonly string[];
  /** Ids after which a text is over. */
  readonly endIds: readonly number[];
}

const CONTROL = 3;

/** Control tokens that end a text whatever the file names as its end: it names only one of them. */
const endTexts = new Set(["<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "</s>"]);

/** @throws FormatError when a record is missing, of another length or names an id out of range. */
export function readVocabulary(metadata: Metadata, fileName: string): VocabularyRecord {
  const tokens = strings(metadata, "tokenizer.ggml.tokens", fileName);
  const tokenTypes = numbers(metadata, "tokenizer.ggml.token_type", fileName, tokens.length);
  return {
    model: text(metadata, "tokenizer.ggml.model", fileName),
    preTokenizer: text(metadata, "tokenizer.ggml.pre", fileName),
    tokens,
    tokenTypes,
    merges: strings(metadata, "tokenizer.ggml.merges", fileName),
    endIds: readEndIds(metadata, { tokens, tokenTypes, fileName }),
  };
}

function readEndIds(
  metadata: Metadata,
  vocabulary: Pick<VocabularyRecord, "tokens" | "tokenTypes"> & { readonly fileName: string },
): number[] {
  const { tokens, tokenTypes, fileName } = vocabulary;
  const ids = new Set<number>();
  for (const key of ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"]) {
    const id = metadata.get(key);
    if (id === undefined) continue;
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= tokens.length)
      throw new FormatError(`${fileName}: ${key} ${id} is not an id below ${tokens.length}`);
    ids.add(id);
  }
  for (const [id, token] of tokens.entries())
    if (tokenTypes[id] === CONTROL && endTexts.has(token)) ids.add(id);
  return [...ids].sort((left, right) => left - right);
}

function text(metadata: Metadata, key: string, fileName: string): string {
  const value = metadata.get(key);
  if (typeof value === "string") return value;
  throw new FormatError(`${fileName}: ${key} is missing or not a string`);
}

function strings(metadata: Metadata, key: string, fileName: string): readonly string[] {
  const value = metadata.get(key);
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new FormatError(`${fileName}: ${key} is missing or not a list of strings`);
}

function numbers(
  metadata: Metadata,
  key: string,
  fileName: string,
  length: number,
): readonly number[] {
  const value = metadata.get(key);
  if (!Array.isArray(value) || !value.every((each) => typeof each === "number"))
    throw new FormatError(`${fileName}: ${key} is missing or not a list of numbers`);
  if (value.length !== length)
    throw new FormatError(`${fileName}: ${key} has ${value.length} entries, expected ${length}`);
  return value;
}
