// Finds where a text runs away: a phrase three times and more in a row. In: the text and what stands
// in front of it on its line. Out: where to cut it, and how much of it had to be known for that.
//
// What people repeat is no runaway: rulers and rows of numbers (no word), `\t\t\t` and `%s, %s` (no
// word of two letters), `null, null, null` (words that are data), `<td></td>` (nothing but tags).
// One word between signs, as `vector<vector<vector<`, may come four times, one without blanks as
// often as it likes. A text that was cut at its greatest length while it repeated anything is one.

export interface Runaway {
  /** Characters of the text in front of the repetition. */
  readonly length: number;
  /** Characters of the text with which the repetition is certain. */
  readonly known: number;
}

// A longer phrase fits an answer hardly three times.
const longestPhrase = 200;
/** A text that was cut has at least so many characters of repetition. */
const cutCharacters = 12;
const dataWord = /^(?:null|nil|none|true|false|undefined|nan|void|end|done|fi|esac)$/i;
const unspaced = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}]+$/u;

/** The first runaway of `text`; `isCut`: it ended at its greatest length. */
export function findRunaway(text: string, linePrefix: string, isCut = false): Runaway | null {
  const whole = `${linePrefix}${text}`;
  let first: { end: number; period: number; start: number } | null = null;
  for (let period = 1; period <= Math.min(longestPhrase, whole.length / 3); period += 1) {
    const end = firstEnd(whole, { period, from: linePrefix.length, isCut });
    if (end === null || (first !== null && end.at >= first.end)) continue;
    first = { end: end.at, period, start: end.at - end.characters };
  }
  if (first === null) return null;
  const cut = repetitionStart(whole, first);
  const length = Math.max(0, cut - linePrefix.length);
  return { length, known: first.end - linePrefix.length };
}

/** Where enough copies of a phrase of `period` characters end, two of them behind `from`. */
function firstEnd(
  whole: string,
  { period, from, isCut }: { period: number; from: number; isCut: boolean },
): { at: number; characters: number } | null {
  let run = 0;
  for (let index = period; index < whole.length; index += 1) {
    run = whole[index] === whole[index - period] ? run + 1 : 0;
    const at = index + 1;
    if (run < 2 * period || at < from + 2 * period) continue;
    const copies = greatestCopies(atWord(whole.slice(at - 2 * period, at))) + 1;
    if (run >= (copies - 1) * period) return { at, characters: copies * period };
  }
  const characters = run + period;
  const isRepeating = run >= 2 * period && characters >= cutCharacters;
  return isCut && isRepeating ? { at: whole.length, characters } : null;
}

/** The phrase that `twice` has two of, turned so that it begins with no part of a word. */
function atWord(twice: string): string {
  const period = twice.length / 2;
  const start = [...Array(period).keys()].find((index) => {
    const around = twice.slice(index, index + 2);
    return !/^[\p{L}\p{M}\p{N}_]{2}$/u.test(around);
  });
  const from = start === undefined ? 0 : start + 1;
  return twice.slice(from, from + period);
}

/** How often a phrase may stand in a row. */
function greatestCopies(phrase: string): number {
  const words = phrase.replace(/<[^<>]*>/g, " ").match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
  const isWord = (word: string): boolean => /^[\p{L}_]/u.test(word) && !dataWord.test(word);
  const letters = words.filter(isWord).map((word) => word.replace(/[\p{N}_]/gu, "").length);
  if (Math.max(0, ...letters) < 2) return Infinity;
  if (phrase.includes("\n") || unspaced.test(phrase)) return 2;
  if (!/\s/.test(phrase)) return words.length > 1 ? 4 : Infinity;
  return words.length > 1 || /^[\p{L}\p{M}\p{N}_\s]+$/u.test(phrase) ? 2 : 4;
}

/** Of lines the first copy stays, of a phrase inside a line none. */
function repetitionStart(
  whole: string,
  { start, period }: { start: number; period: number },
): number {
  if (whole.slice(start, start + period).includes("\n"))
    return whole.indexOf("\n", start + period - 1);
  const [word = ""] = /^[\p{L}\p{M}\p{N}_]+/u.exec(whole.slice(start)) ?? [];
  const isInWord = /[\p{L}\p{M}\p{N}_]$/u.test(whole.slice(0, start));
  return isInWord ? start + word.length : start;
}
