// How a prompt is laid out. In: ids of the text before and behind the cursor, and what memories there
// are. Out: the prompt in the parts that the prompt cache treats apart. Which of the two layouts a model
// has follows from its vocabulary: fill-in-the-middle when it has the three tokens for it
// (Qwen2.5-Coder's names), else left to right.
import type { KvBlock } from "../engine/kv-cache.ts";

export interface Vocabulary {
  encode(text: string): Uint32Array;
  specialId(text: string): number | undefined;
  readonly endIds: ReadonlySet<number>;
}

export interface PromptLayout {
  /** The tokens around the parts of a fill-in-the-middle prompt; null: left to right. */
  readonly middle: {
    readonly prefix: number;
    readonly suffix: number;
    readonly middle: number;
  } | null;
  /** The token before a path; null: the path is a comment. */
  readonly fileSeparator: number | null;
  /** Stands for an empty prompt, which a model cannot run: the border between two documents. */
  readonly border: readonly number[];
}

/** Positions that are copied into the cache, not run; equal keys stand for equal blocks. */
export interface PromptBlock {
  readonly key: string;
  readonly length: number;
  readonly open: () => KvBlock;
}

/** A prompt is `blocks`, `head`, `suffix`, `middle`; left to right the last two are empty. */
export interface Prompt {
  /** The sink and memories; default none. */
  readonly blocks?: readonly PromptBlock[];
  /** Header and text before the cursor. */
  readonly head: readonly number[];
  /** The suffix token and the text behind the cursor. */
  readonly suffix: readonly number[];
  /** The token after which the model writes the text in between. */
  readonly middle: readonly number[];
}

/** The layout that the special tokens of `vocabulary` allow. */
export function readLayout(vocabulary: Vocabulary): PromptLayout {
  const prefix = vocabulary.specialId("<|fim_prefix|>");
  const suffix = vocabulary.specialId("<|fim_suffix|>");
  const middle = vocabulary.specialId("<|fim_middle|>");
  const hasMiddle = prefix !== undefined && suffix !== undefined && middle !== undefined;
  const border = vocabulary.specialId("<|endoftext|>");
  return {
    middle: hasMiddle ? { prefix, suffix, middle } : null,
    fileSeparator: vocabulary.specialId("<|file_sep|>") ?? null,
    border: border === undefined ? [...vocabulary.endIds].slice(0, 1) : [border],
  };
}

/** The header in front of the near text: one line that names its file. */
export function encodeHeader(layout: PromptLayout, vocabulary: Vocabulary, path: string): number[] {
  return layout.fileSeparator === null
    ? [...vocabulary.encode(`// ${path}\n`)]
    : [layout.fileSeparator, ...vocabulary.encode(`${path}\n`)];
}

/**
 * Lays out a prompt from ids. `suffix` null: there is none, the text just goes on; a model without
 * fill-in-the-middle never gets to see a suffix.
 */
export function layOut(
  layout: PromptLayout,
  near: {
    blocks?: readonly PromptBlock[];
    header: ArrayLike<number>;
    prefix: ArrayLike<number>;
    suffix: ArrayLike<number> | null;
  },
): Prompt {
  const copied = near.blocks === undefined ? {} : { blocks: near.blocks };
  const header = Array.from(near.header);
  const prefix = Array.from(near.prefix);
  if (layout.middle === null || near.suffix === null) {
    const head = [...header, ...prefix];
    return { ...copied, head: head.length === 0 ? layout.border : head, suffix: [], middle: [] };
  }
  return {
    ...copied,
    head: [...header, layout.middle.prefix, ...prefix],
    suffix: [layout.middle.suffix, ...Array.from(near.suffix)],
    middle: [layout.middle.middle],
  };
}

/** Positions of a prompt by what they hold; together they are all of them. */
export interface PromptParts {
  /** The sink and memories. */
  readonly blocks: number;
  readonly header: number;
  readonly prefix: number;
  readonly suffix: number;
  /** The tokens that tell the model which part is which, or stand for an empty prompt. */
  readonly markers: number;
}

/** The parts of the prompt that `layOut` made of `near`. */
export function countParts(prompt: Prompt, near: Parameters<typeof layOut>[1]): PromptParts {
  const header = near.header.length;
  const prefix = near.prefix.length;
  const suffix = prompt.suffix.length === 0 ? 0 : (near.suffix?.length ?? 0);
  const blocks = blocksLength(prompt);
  const markers = lengthOf(prompt) - blocks - header - prefix - suffix;
  return { blocks, header, prefix, suffix, markers };
}

export function lengthOf({ head, suffix, middle, blocks }: Prompt): number {
  return blocksLength({ blocks }) + head.length + suffix.length + middle.length;
}

function blocksLength({ blocks = [] }: { readonly blocks?: readonly PromptBlock[] | undefined }) {
  return blocks.reduce((sum, { length }) => sum + length, 0);
}

/** How many ids, or slots of the cache, `first` and `second` start with alike. */
export function commonLength<Slot extends number | string>(
  first: ArrayLike<Slot>,
  second: ArrayLike<Slot>,
): number {
  const limit = Math.min(first.length, second.length);
  for (let index = 0; index < limit; index += 1) if (first[index] !== second[index]) return index;
  return limit;
}
