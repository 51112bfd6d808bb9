// Answers the pairs of the alignment benchmark in every way. From "warm" prompts what the pair's other
// questions have in common is run once, which gives the same up to rounding as "cold" ones.
import type { AlignmentSetting } from "../../sidecar/alignment/align.ts";
import { Completer } from "../../sidecar/completion/complete.ts";
import type { AlignmentReport, CompletionRequest } from "../../sidecar/completion/request.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import { ByteSortedVocabulary } from "../../sidecar/tokenizer/byte-sorted-vocabulary.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";
import type { Pair } from "./alignment-pairs.ts";
import type { AlignedAnswer, Answered, Cost, Solved } from "./alignment-report.ts";
import { TokenHealing } from "./token-healing.ts";

const greedy = { temperature: 0, topP: 1, seed: 1 } as const;
/** A line may be written with more tokens than its encoding has, and the tail is among them. */
const spareTokens = 8;
/** New tokens of the completion that is timed, and how many pairs there are to one timed. */
const timedTokens = 10;
const pairsToOneTimed = 4;

export class PairSolver {
  readonly #engine: Engine;
  readonly #tokenizer: Tokenizer;
  readonly #pith: Completer;
  readonly #healing: TokenHealing;
  readonly #exactReuse: boolean;
  #count = 0;

  constructor(engine: Engine, tokenizer: Tokenizer, prompts: "cold" | "warm") {
    this.#engine = engine;
    this.#tokenizer = tokenizer;
    this.#exactReuse = prompts === "warm";
    this.#pith = new Completer(engine, tokenizer);
    this.#healing = new TokenHealing(engine, tokenizer, new ByteSortedVocabulary(tokenizer));
  }

  async solve(pair: Pair): Promise<Solved> {
    const isTimed = this.#count++ % pairsToOneTimed === 0;
    const ask = (alignment: AlignmentSetting) => this.#ask(pair, alignment, isTimed);
    const whole = await this.#complete({ prefix: pair.whole, alignment: "off" }, pair.rest);
    const { text, isRight } = whole;
    const [off, healed] = [await ask("off"), await this.#heal(pair)];
    const [token, exact] = [await ask("token"), await ask("exact")];
    return { pair, answers: { whole: { text, isRight }, off, healed, token, exact } };
  }

  async #ask(pair: Pair, alignment: AlignmentSetting, isTimed: boolean): Promise<AlignedAnswer> {
    const question = { prefix: pair.cut, alignment };
    const { text, isRight, report } = await this.#complete(question, leftOf(pair));
    const { ids, tail } = report;
    // The last token of the tail brings new text when it crosses the tail's end.
    const isCrossing = this.#tokenizer.decodeBytes(ids).length > tail.length;
    const tailTokens = ids.length - (isCrossing ? 1 : 0);
    const cost = isTimed ? await this.#time(question, tailTokens + timedTokens) : null;
    return { text, isRight, regenerated: ids.length, cost };
  }

  async #complete(
    question: Pick<CompletionRequest, "prefix" | "alignment">,
    wanted: string,
  ): Promise<{ text: string; isRight: boolean; report: AlignmentReport }> {
    const maxTokens = this.#tokenizer.encode(wanted).length + spareTokens;
    const stop = isAcross(wanted) ? [] : ["\n"];
    const { text, alignment } = await this.#pith.complete(
      { ...greedy, ...question, maxTokens, stop },
      { exactReuse: this.#exactReuse },
    );
    return { ...judged(text, wanted), report: alignment };
  }

  async #heal(pair: Pair): Promise<Answered> {
    const wanted = leftOf(pair);
    const maxTokens = this.#tokenizer.encode(wanted).length + spareTokens;
    const stop = isAcross(wanted) ? null : "\n";
    return judged((await this.#healing.complete(pair.cut, maxTokens, stop)) ?? "", wanted);
  }

  /** A completion of ten new tokens; of its prompt all is cached but what was just typed. */
  async #time(
    question: Pick<CompletionRequest, "prefix" | "alignment">,
    maxTokens: number,
  ): Promise<Cost> {
    const runsBefore = this.#engine.counters.runs;
    const request = { ...greedy, ...question, maxTokens, stop: [] };
    const { tokens, ms, finish } = await this.#pith.complete(request, { exactReuse: true });
    const runs = this.#engine.counters.runs - runsBefore;
    return { computed: tokens.computed, runs, isFull: finish === "length", ms: ms.total };
  }
}

function leftOf({ whole, cut, rest }: Pair): string {
  return rest.slice(cut.length - whole.length);
}

/** A token with a line end leads into the next line, which is compared then too. */
function isAcross(wanted: string): boolean {
  return wanted.includes("\n");
}

/** An answer is read up to the end of its last line that is compared. */
function judged(answer: string, wanted: string): Answered {
  const lineCount = wanted.split("\n").length;
  const text = answer.split("\n").slice(0, lineCount).join("\n");
  return { text, isRight: text === wanted };
}
