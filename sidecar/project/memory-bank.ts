// Memories of the workspace on the disk: what a piece of a span is called in the bank, for each form,
// and its bytes there. A bank that cannot be opened, read or written costs time, not answers.
import { Bank } from "../bank/bank.ts";
import { memoryId, spaceOf } from "../bank/memory-id.ts";
import type { MemoryBytes } from "../memory/memory-bytes.ts";
import { signBits } from "../selection/similarity.ts";

/** A piece of a span, by all that its memory is made of, and where it stands. */
export interface BankPiece {
  /** Absolute. */
  readonly file: string;
  readonly language: string;
  /** Lines of the file from 0, the end exclusive: of the whole span. */
  readonly startLine: number;
  readonly endLine: number;
  /** As the header in front of the text shows it; "" without one. */
  readonly path: string;
  /** Of the whole span. */
  readonly text: string;
  /** Which piece of the span. */
  readonly index: number;
}

/** What a file has to do with memories now. */
export interface PresentPieces {
  readonly pieces: readonly BankPiece[];
  readonly texts: readonly string[];
}

export interface MemoryBankOptions {
  readonly folder: string;
  /** Bytes on the disk. */
  readonly cap: number;
  /** SHA-256 of the model's file, and how its weights are prepared. */
  readonly model: string;
  /** Told of what went wrong; the bank goes on. */
  readonly onFailure: (error: unknown) => void;
}

export interface BankFacts {
  readonly memories: number;
  readonly byteLength: number;
  readonly limit: number;
}

export class MemoryBank {
  readonly #bank: Bank;
  readonly #options: MemoryBankOptions;

  private constructor(bank: Bank, options: MemoryBankOptions) {
    this.#bank = bank;
    this.#options = options;
  }

  /** @throws Error when the folder cannot be used. */
  static async open(options: MemoryBankOptions): Promise<MemoryBank> {
    const { folder, cap, onFailure } = options;
    return new MemoryBank(await Bank.open(folder, { cap, onDamage: onFailure }), options);
  }

  /**
   * Of a form, into which `recall` brings it. Nothing is done when it is not there or cannot be read:
   * it is to be made again.
   */
  async find(
    piece: BankPiece,
    { form, recall }: { readonly form: string; readonly recall: (bytes: MemoryBytes) => void },
  ): Promise<void> {
    try {
      const found = await this.#bank.get(this.#idOf(piece, form).key);
      if (found !== null) recall(found);
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** A full disk loses the memory, which is made again when it is needed. */
  async put(piece: BankPiece, form: string, memory: MemoryBytes): Promise<void> {
    const stored = { ...memory, signBits: signBits(memory.pooled) };
    const { file, language, text, startLine, endLine } = piece;
    const source = { path: file, language, text, startLine, endLine };
    await this.#bank.put(this.#idOf(piece, form), stored, source).catch(this.#options.onFailure);
  }

  /**
   * Drops what the bank has of a file but these pieces in this form, and what others made of `texts`.
   * Whether that could be done.
   */
  async retain(file: string, form: string, { pieces, texts }: PresentPieces): Promise<boolean> {
    const keys = pieces.map((piece) => this.#idOf(piece, form).key);
    const space = spaceOf({ model: this.#options.model, form });
    try {
      await this.#bank.retain(file, { space, keys, texts });
      return true;
    } catch (error) {
      this.#options.onFailure(error);
      return false;
    }
  }

  /** Absolute paths of the files that it has memories of; none when it cannot be read. */
  async files(): Promise<Set<string>> {
    const entries = await this.#bank.list().catch(this.#options.onFailure);
    return new Set((entries ?? []).map(({ path }) => path));
  }

  async facts(): Promise<BankFacts> {
    const { length: memories } = await this.#bank.list();
    return { memories, byteLength: await this.#bank.byteLength(), limit: this.#options.cap };
  }

  /** Deletes every memory, of other models and windows too. @throws Error where some stay */
  async purge(): Promise<void> {
    await this.#bank.purge();
  }

  /** Never fails. */
  async close(): Promise<void> {
    await this.#bank.close();
  }

  #idOf({ path, text, index }: BankPiece, form: string) {
    const { model } = this.#options;
    return memoryId({ model, form, pathHeader: path, text: `${index}\n${text}` });
  }
}
