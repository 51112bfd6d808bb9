// Text <-> ids of a byte-level BPE vocabulary, over tiktoken. Every character of user text is
// ordinary text, also where it spells a special token: special ids come from `specialId` alone.
// Nothing is normalised, so decoding gives back what was encoded, to the byte.
//
// Two workarounds. tiktoken stops the whole module at a byte without a token (SmolLM2's vocabulary
// lacks 21, 0x04 and 0xF1 among them): each gets an id behind the vocabulary, which is taken out of
// the result; it takes part in no merge, so the rest is cut exactly as llama.cpp does. And tiktoken
// is given neither pieces of 512 characters and more nor bytes that are no text: see byte-encoder.
import { isUtf8 } from "node:buffer";
import { Tiktoken } from "tiktoken/lite";
import { encodeByMerging } from "./byte-encoder.ts";
import { hasLongPiece, patternOf } from "./pre-tokenizer.ts";
import { createStreamDecoder, createTextDecoder, type StreamDecoder } from "./stream-decoder.ts";
import {
  bytesOfToken,
  readRanks,
  readVocabulary,
  type Vocabulary,
  type VocabularyRecord,
} from "./vocabulary.ts";

export class Tokenizer {
  readonly vocabularySize: number;
  /** Ids after which a text is over. */
  readonly endIds: ReadonlySet<number>;
  /** Bytes that the last call of an encoder left out because the vocabulary lacks them. */
  unencodable = 0;

  readonly #vocabulary: Vocabulary;
  readonly #tiktoken: Tiktoken;
  readonly #pattern: RegExp;
  #ranks: ReadonlyMap<string, number> | null = null;

  private constructor(record: VocabularyRecord) {
    const pattern = patternOf(record.preTokenizer);
    this.#vocabulary = readVocabulary(record);
    this.#pattern = new RegExp(pattern, "gu");
    this.#tiktoken = new Tiktoken(writeRanks(this.#vocabulary), {}, pattern);
    this.vocabularySize = this.#vocabulary.size;
    this.endIds = new Set(record.endIds);
  }

  /**
   * The caller disposes of it.
   * @throws UnsupportedError for a vocabulary or pre-tokeniser that is not byte-level BPE as known
   *   here; FormatError when the record contradicts itself.
   */
  static create(record: VocabularyRecord): Tokenizer {
    return new Tokenizer(record);
  }

  /** Lone surrogates count as U+FFFD. */
  encode(text: string): Uint32Array {
    if (hasLongPiece(text)) return this.#encodeByMerging(Buffer.from(text, "utf8"));
    return this.#withoutMissing(this.#tiktoken.encode_ordinary(text));
  }

  /** Any bytes; those that are no UTF-8 come back from `decodeBytes` just the same. */
  encodeBytes(bytes: Uint8Array): Uint32Array {
    if (isUtf8(bytes)) return this.encode(createTextDecoder().decode(bytes));
    return this.#encodeByMerging(bytes);
  }

  /** Empty for special tokens. @throws LimitError for an id outside the vocabulary. */
  bytesOf(id: number): Uint8Array {
    return bytesOfToken(this.#vocabulary, id);
  }

  /** @throws LimitError for an id outside the vocabulary. */
  decodeBytes(ids: ArrayLike<number>): Uint8Array {
    const tokens = Array.from(ids, (id) => this.bytesOf(id));
    const bytes = new Uint8Array(tokens.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const token of tokens) {
      bytes.set(token, offset);
      offset += token.length;
    }
    return bytes;
  }

  /** Bytes that are no UTF-8 as U+FFFD. @throws LimitError for an id outside the vocabulary. */
  decode(ids: ArrayLike<number>): string {
    return createTextDecoder().decode(this.decodeBytes(ids));
  }

  /** The id of the control or added token that is written `text`. */
  specialId(text: string): number | undefined {
    return this.#vocabulary.specialIds.get(text);
  }

  /** Control, added and unused tokens: all that stand for no text. */
  isSpecial(id: number): boolean {
    return this.bytesOf(id).length === 0;
  }

  /** Decodes a text that comes id by id, without its first `skippedBytes`. */
  createStreamDecoder(skippedBytes = 0): StreamDecoder {
    let left = skippedBytes;
    return createStreamDecoder((id) => {
      const bytes = this.bytesOf(id);
      const shown = bytes.subarray(Math.min(left, bytes.length));
      left -= bytes.length - shown.length;
      return shown;
    });
  }

  dispose(): void {
    this.#tiktoken.free();
  }

  #encodeByMerging(bytes: Uint8Array): Uint32Array {
    this.#ranks ??= readRanks(this.#vocabulary);
    const ids = encodeByMerging(bytes, this.#pattern, this.#ranks);
    return this.#withoutMissing(Uint32Array.from(ids, (id) => id ?? this.vocabularySize));
  }

  #withoutMissing(ids: Uint32Array): Uint32Array {
    const kept = ids.filter((id) => id < this.vocabularySize);
    this.unencodable = ids.length - kept.length;
    return kept;
  }
}

/**
 * tiktoken's text form of ranks: a line per stretch of ids, `! first-id token token …` with tokens
 * in base64. A byte without a token gets an id from the vocabulary's size on.
 */
function writeRanks(vocabulary: Vocabulary): string {
  const { bytes, starts, size, missingBytes } = vocabulary;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  let isInLine = false;
  for (let id = 0; id < size; id += 1) {
    const token = buffer.toString("base64", starts[id], starts[id + 1]);
    if (token !== "") parts.push(isInLine ? ` ${token}` : `\n! ${id} ${token}`);
    isInLine = token !== "";
  }
  const missing = missingBytes.map((byte) => Buffer.of(byte).toString("base64"));
  if (missing.length > 0) parts.push(`\n! ${size} ${missing.join(" ")}`);
  return parts.join("").trimStart();
}
