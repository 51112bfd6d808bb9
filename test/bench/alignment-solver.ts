// Answers the pairs of the alignment benchmark in every way, by the parts that the completer is made
// of: an answer is broken off as soon as it cannot become the wanted line any more. Unless the prompts
// are to be cold, what a pair's questions have in common is run once, which gives the same up to
// rounding.
import { type Alignment, type AlignmentSetting, align } from "../../sidecar/alignment/align.ts";
import { startChoices, type TailTrace } from "../../sidecar/completion/aligned-choices.ts";
import { readAnswer } from "../../sidecar/completion/answer.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import { defaults } from "../../sidecar/completion/defaults.ts";
import { PromptCache } from "../../sidecar/completion/prompt-cache.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import { createSampler } from "../../sidecar/engine/sampler.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import type { Pair } from "./alignment-pairs.ts";
import type { AlignedAnswer, Answered, Cost, Solved } from "./alignment-report.ts";
import { TokenHealing } from "./token-healing.ts";

const greedy = { temperature: 0, topP: 1, seed: 1 } as const;
/** A line may be written with more tokens than its encoding has. */
const spareTokens = 8;
/** New tokens of the completion that is timed. */
const timedTokens = 10;

export interface SolverOptions {
  /** Every prompt from an empty cache. */
  readonly isCold: boolean;
  /** Every so many pairs are timed; 0: none. */
  readonly pairsToOneTimed: number;
}

export class PairSolver {
  readonly #engine: Engine;
  readonly #tokenizer: Tokenizer;
  readonly #alignment: Alignment;
  readonly #cache: PromptCache;
  readonly #healing: TokenHealing;
  /** For the timed completions. */
  readonly #completer: Completer;
  readonly #options: SolverOptions;
  #count = 0;

  constructor(engine: Engine, tokenizer: Tokenizer, options: SolverOptions) {
    const vocabulary = new ByteSortedVocabulary(tokenizer);
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#alignment = { tokenizer, vocabulary, limits: defaults.alignment.limits };
    this.#cache = new PromptCache(engine, { capacity: 1024, movedTokens: 0, freshTokens: 0 });
    this.#healing = new TokenHealing(this.#cache, tokenizer, vocabulary);
    this.#completer = new Completer(engine, tokenizer);
  }

  async solve(pair: Pair): Promise<Solved> {
    const whole = await this.#answer({ prompt: pair.whole, wanted: pair.rest, setting: "off" });
    const off = await this.#answerCut(pair, "off");
    const wanted = leftOf(pair);
    const text = await this.#healing.complete(pair.cut, {
      maxTokens: this.#maxTokens(wanted),
      isComplete: (found) => isDecided(found, wanted),
    });
    const token = await this.#answerCut(pair, "token");
    const exact = await this.#answerCut(pair, "exact");
    const costs = await this.#time(pair);
    return {
      pair,
      answers: {
        whole: { text: whole.text, isRight: whole.isRight },
        healed: { text: text ?? "", isRight: text !== null && isReproduced(text, wanted) },
        off: { ...off, cost: costs?.off ?? null },
        token: { ...token, cost: costs?.token ?? null },
        exact: { ...exact, cost: costs?.exact ?? null },
      },
    };
  }

  #answerCut(pair: Pair, setting: AlignmentSetting): Promise<Omit<AlignedAnswer, "cost">> {
    return this.#answer({ prompt: pair.cut, wanted: leftOf(pair), setting });
  }

  async #answer(question: {
    prompt: string;
    wanted: string;
    setting: AlignmentSetting;
  }): Promise<Answered & { regenerated: number }> {
    const { wanted } = question;
    const tokenizer = this.#tokenizer;
    const aligned = align(this.#alignment, tokenizer.encode(question.prompt), question.setting);
    const trace: TailTrace = { ids: [], logWeight: 0 };
    const choices = await startChoices(this.#cache, {
      prompt: { head: [...aligned.kept], suffix: [], middle: [] },
      aligned,
      fill: { reuse: this.#options.isCold ? "none" : "exact", chunk: defaults.chunk.batch },
      generate: {
        maxTokens: this.#maxTokens(wanted),
        sampler: createSampler(greedy),
        isEnd: (id) => tokenizer.isSpecial(id) || tokenizer.endIds.has(id),
      },
      temperature: 0,
      vocabulary: this.#alignment.vocabulary,
      bytesOf: (id) => tokenizer.bytesOf(id),
      trace,
    });
    const decoder = tokenizer.createStreamDecoder(aligned.way === "off" ? 0 : aligned.tail.length);
    const { text } = await readAnswer(choices, decoder, (found) => isDecided(found, wanted));
    return { text, isRight: isReproduced(text, wanted), regenerated: trace.ids.length };
  }

  #maxTokens(wanted: string): number {
    return this.#tokenizer.encode(wanted).length + spareTokens;
  }

  /** Completions of ten new tokens; of the prompt all is cached but what was just typed. */
  async #time(pair: Pair): Promise<Record<AlignmentSetting, Cost> | null> {
    const { pairsToOneTimed } = this.#options;
    if (pairsToOneTimed === 0 || this.#count++ % pairsToOneTimed !== 0) return null;
    const request = { ...greedy, prefix: pair.cut, maxTokens: timedTokens, stop: [] };
    const complete = async (alignment: AlignmentSetting): Promise<Cost> => {
      const runsBefore = this.#engine.counters.runs;
      const options = { exactReuse: true };
      const answer = await this.#completer.complete({ ...request, alignment }, options);
      const { tokens, ms, finish } = answer;
      const runs = this.#engine.counters.runs - runsBefore;
      return { computed: tokens.computed, runs, isFull: finish === "length", ms: ms.total };
    };
    await complete("off");
    return {
      off: await complete("off"),
      token: await complete("token"),
      exact: await complete("exact"),
    };
  }
}

function leftOf({ whole, cut, rest }: Pair): string {
  return rest.slice(cut.length - whole.length);
}

/** Whether an answer that begins with `text` is known to be right or wrong. */
function isDecided(text: string, wanted: string): boolean {
  return text.length > wanted.length || !wanted.startsWith(text);
}

/** The answer is the wanted text, and its last line is over there. */
function isReproduced(text: string, wanted: string): boolean {
  return text === wanted || text.startsWith(`${wanted}\n`);
}
