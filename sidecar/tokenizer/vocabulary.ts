// The vocabulary as tables: the bytes of every token and which ids are ordinary text. In: a plain
// record, filled from the metadata of a GGUF. The merges serve only to check the one thing that
// encoding relies on: that ids are ranks, a lower id having been merged earlier.
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import { writeTokenBytes } from "./byte-alphabet.ts";

export interface VocabularyRecord {
  /** `tokenizer.ggml.model`; byte-level BPE is called "gpt2". */
  readonly model: string;
  /** `tokenizer.ggml.pre`. */
  readonly preTokenizer: string;
  /** By id, in the byte alphabet; special tokens as plain text. */
  readonly tokens: readonly string[];
  /** By id: gguf.TokenType, 1 for normal text, everything else special here. */
  readonly tokenTypes: readonly number[];
  /** Two tokens with a blank between, best first. */
  readonly merges: readonly string[];
  readonly endIds: readonly number[];
}

/** Tokens of normal text by id; a special token has no bytes. */
export interface Vocabulary {
  readonly size: number;
  /** The bytes of all tokens, one after the other. */
  readonly bytes: Uint8Array;
  /** Token `id` is `bytes[starts[id]] … bytes[starts[id + 1] - 1]`. [size + 1] */
  readonly starts: Uint32Array;
  /** Special tokens by their text. */
  readonly specialIds: ReadonlyMap<string, number>;
  /** Single bytes that no token of normal text stands for: they cannot be encoded at all. */
  readonly missingBytes: readonly number[];
}

// gguf.TokenType. Padding rows of the embedding table are unused tokens.
const NORMAL = 1;
const UNUSED = 5;

/**
 * @throws FormatError when the record contradicts itself; UnsupportedError for another kind of
 *   vocabulary or for merges in another order than the ids; LimitError for one without end.
 */
export function readVocabulary(record: VocabularyRecord): Vocabulary {
  checkRecord(record);
  const table = readBytes(record);
  const missingBytes = readMissingBytes(table);
  checkMergeOrder(record);
  return { ...table, size: record.tokens.length, specialIds: readSpecialIds(record), missingBytes };
}

/** The bytes of token `id`: a view, not a copy. */
export function bytesOfToken(vocabulary: Vocabulary, id: number): Uint8Array {
  const { starts, bytes, size } = vocabulary;
  if (!Number.isInteger(id) || id < 0 || id >= size)
    throw new LimitError(`tokenizer: id ${id} is not within the vocabulary of ${size}`);
  return bytes.subarray(starts[id], starts[id + 1]);
}

/** Ids by the bytes of their tokens as Latin-1 text: the ranks of byte-pair merging. */
export function readRanks(vocabulary: Vocabulary): ReadonlyMap<string, number> {
  const { bytes, starts, size } = vocabulary;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const ranks = new Map<string, number>();
  for (let id = 0; id < size; id += 1) {
    const token = text.slice(starts[id], starts[id + 1]);
    if (token.length > 0) ranks.set(token, id);
  }
  return ranks;
}

/**
 * Ids of normal text, and ids that no text was ever made of: the unused ones, or where a vocabulary
 * has none the special ones, most of which occur in no text either.
 */
export function idsByUse({ tokenTypes }: VocabularyRecord): {
  ordinary: number[];
  unused: number[];
} {
  const idsOf = (isWanted: (type: number) => boolean) =>
    [...tokenTypes.keys()].filter((id) => isWanted(tokenTypes[id] ?? NORMAL));
  const unused = idsOf((type) => type === UNUSED);
  return {
    ordinary: idsOf((type) => type === NORMAL),
    unused: unused.length > 0 ? unused : idsOf((type) => type !== NORMAL),
  };
}

// Four times the largest published vocabularies.
const MAX_SIZE = 2 ** 20;

function checkRecord({ model, tokens, tokenTypes, endIds }: VocabularyRecord): void {
  if (model !== "gpt2")
    throw new UnsupportedError(`tokenizer: model "${model}", supported is gpt2 (byte-level BPE)`);
  if (tokens.length > MAX_SIZE)
    throw new LimitError(`tokenizer: ${tokens.length} tokens exceed ${MAX_SIZE}`);
  if (tokenTypes.length !== tokens.length)
    throw new FormatError(
      `tokenizer: ${tokenTypes.length} token types for ${tokens.length} tokens`,
    );
  const stray = endIds.find((id) => !(id >= 0 && id < tokens.length));
  if (stray !== undefined)
    throw new FormatError(`tokenizer: end id ${stray} is not within ${tokens.length} tokens`);
}

function readBytes({ tokens, tokenTypes }: VocabularyRecord): Pick<Vocabulary, "bytes" | "starts"> {
  const bytes = new Uint8Array(tokens.reduce((sum, { length }) => sum + length, 0));
  const starts = new Uint32Array(tokens.length + 1);
  const seen = new Set<string>();
  let offset = 0;
  for (const [id, token] of tokens.entries()) {
    if (tokenTypes[id] === NORMAL) {
      if (token === "" || seen.has(token))
        throw new FormatError(
          `tokenizer: token ${id} ${JSON.stringify(token.slice(0, 80))} is empty or the same as an earlier one`,
        );
      seen.add(token);
      offset += writeTokenBytes(token, bytes, offset);
    }
    starts[id + 1] = offset;
  }
  return { bytes: bytes.subarray(0, offset), starts };
}

function readMissingBytes({ bytes, starts }: Pick<Vocabulary, "bytes" | "starts">): number[] {
  const present = new Set<number | undefined>();
  starts.forEach((start, id) => {
    if (starts[id + 1] === start + 1) present.add(bytes[start]);
  });
  return Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !present.has(byte));
}

function readSpecialIds({ tokens, tokenTypes }: VocabularyRecord): Map<string, number> {
  const specialIds = new Map<string, number>();
  for (const [id, token] of tokens.entries())
    if (tokenTypes[id] !== NORMAL && tokenTypes[id] !== UNUSED) specialIds.set(token, id);
  return specialIds;
}

/**
 * Byte-pair merging by ids (tiktoken's way) equals merging by the list of merges only if the
 * tokens that the merges make come in the order of their ids.
 */
function checkMergeOrder({ tokens, merges }: VocabularyRecord): void {
  let id = 0;
  for (const [rank, merge] of merges.entries()) {
    const token = merge.replace(" ", "");
    while (id < tokens.length && tokens[id] !== token) id += 1;
    if (id === tokens.length)
      throw new UnsupportedError(
        `tokenizer: merge ${rank} (${JSON.stringify(merge.slice(0, 80))}) is out of order: supported are vocabularies whose merges follow the ids`,
      );
  }
}
