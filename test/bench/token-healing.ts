// Token healing as transformers has it (`heal_tokens`, generation/utils.py): the last token of the
// prompt alone is chosen again, greedily, with a bias of 10 on every token that begins with its text
// and of 11 on itself. Two things are in its favour here: the white space at a prompt's end, which it
// strips, is left alone, and it works on bytes.
import { readAnswer } from "../../sidecar/completion/answer.ts";
import type { PromptCache } from "../../sidecar/completion/prompt-cache.ts";
import { bestId, type Choice, createSampler } from "../../sidecar/engine/sampler.ts";
import type { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";

export class TokenHealing {
  readonly #cache: PromptCache;
  readonly #tokenizer: Tokenizer;
  readonly #vocabulary: ByteSortedVocabulary;

  constructor(cache: PromptCache, tokenizer: Tokenizer, vocabulary: ByteSortedVocabulary) {
    this.#cache = cache;
    this.#tokenizer = tokenizer;
    this.#vocabulary = vocabulary;
  }

  /** The text behind `prefix`; null when the chosen token does not begin with the one taken off. */
  async complete(
    prefix: string,
    options: { maxTokens: number; isComplete: (text: string) => boolean },
  ): Promise<string | null> {
    const ids = [...this.#tokenizer.encode(prefix)];
    const last = ids.at(-1) ?? 0;
    const tail = this.#tokenizer.bytesOf(last);
    const extensions = this.#vocabulary.startingWith(tail);
    const chosen = extensions.length > 1 ? await this.#chooseAgain(ids, last, extensions) : last;
    if (!extensions.includes(chosen)) return null;
    const logits = await this.#fill([...ids.slice(0, -1), chosen]);
    const decoder = this.#tokenizer.createStreamDecoder(tail.length);
    const choices = this.#choices(chosen, logits, options.maxTokens);
    return (await readAnswer(choices, decoder, options.isComplete)).text;
  }

  async *#choices(
    chosen: number,
    logits: Float32Array,
    maxTokens: number,
  ): AsyncGenerator<Choice, "end" | "length"> {
    yield { id: chosen, logProbability: 0 };
    return yield* this.#cache.decode(logits, {
      maxTokens,
      sampler: createSampler({ temperature: 0, topP: 1, seed: 1 }),
      isEnd: (id) => this.#tokenizer.isSpecial(id) || this.#tokenizer.endIds.has(id),
    });
  }

  async #chooseAgain(
    ids: readonly number[],
    last: number,
    extensions: Uint32Array,
  ): Promise<number> {
    const biased = (await this.#fill(ids.slice(0, -1))).slice();
    for (const id of extensions) biased[id] = (biased[id] ?? 0) + (id === last ? 11 : 10);
    return bestId(biased);
  }

  #fill(ids: readonly number[]): Promise<Float32Array> {
    return this.#cache.fill({ head: ids, suffix: [], middle: [] }, { reuse: "exact", chunk: 256 });
  }
}
