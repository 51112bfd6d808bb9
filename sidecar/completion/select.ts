// The batch contract's op select: which of a request's texts the code at the cursor needs, and the
// positions they would take. Runs no model; how texts are ranked is the ranker's business.
import type { Memories } from "./memories.ts";
import { Meter } from "./meter.ts";
import type {
  ContextSpan,
  PromptText,
  SelectedText,
  SelectRequest,
  TextSelection,
} from "./request.ts";
import { type Encoder, PrefixWindow, SuffixWindow } from "./window.ts";

/** What texts are ranked for. */
export interface RankQuery extends Omit<PromptText, "memory"> {
  /** The ends of prefix and suffix at the cursor. */
  readonly before: string;
  readonly after: string;
}

export interface RankedText {
  /** Of the texts. */
  readonly index: number;
  readonly score: number;
}

/** Every one of `texts`, the best first. */
export type Ranker = (query: RankQuery, texts: readonly ContextSpan[]) => Promise<RankedText[]>;

/** Method.md section 2. */
const queryTokens = { before: 256, after: 64 };

/** @throws LimitError for more text than a request may have; CancelledError */
export async function selectTexts(
  { tokenizer, memories, rank }: { tokenizer: Encoder; memories: Memories; rank: Ranker },
  request: SelectRequest,
): Promise<TextSelection> {
  const meter = new Meter({ positions: 0 });
  const { context, demonstrations, select = demonstrations.length } = request.memory;
  const texts = [...demonstrations, ...context];
  const ranked = await rank(queryOf(tokenizer, request), texts);
  const isDemonstration = ({ index }: RankedText) => index < demonstrations.length;
  const best = new Set(ranked.filter(isDemonstration).slice(0, select));
  const chosen = ranked.filter((each) => !isDemonstration(each) || best.has(each));
  const places = await memories.measure(
    request.memory,
    chosen.map(({ index }) => texts[index] ?? { text: "" }),
  );
  const selected = chosen.map(({ index, score }, rank): SelectedText => {
    const positions = places[rank]?.positions ?? 0;
    return index < demonstrations.length
      ? { kind: "demonstration", index, score, positions }
      : { kind: "span", index: index - demonstrations.length, score, positions };
  });
  meter.lap("plan");
  const none = { prefix: 0, suffix: 0, generated: 0, computed: 0, reused: 0 };
  const contextBefore = places.reduce((sum, { tokens }) => sum + tokens, 0);
  const contextAfter = places.reduce((sum, { positions }) => sum + positions, 0);
  return { selected, tokens: { ...none, contextBefore, contextAfter }, ms: meter.times };
}

function queryOf(tokenizer: Encoder, { path, prefix, suffix }: SelectRequest): RankQuery {
  const before = new PrefixWindow(tokenizer, { tokens: queryTokens.before, step: 0 });
  const after = new SuffixWindow(tokenizer, queryTokens.after);
  return {
    ...{ path, prefix, suffix },
    before: before.read(prefix).text,
    after: after.read(suffix ?? "").text,
  };
}
