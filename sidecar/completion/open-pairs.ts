// Which of the brackets and strings open at the cursor are closed behind it. In: what is open and the
// closers behind, in their order. Out: indices of openers.
import { closes, isString, type Opener } from "./brackets.ts";

interface Positioned {
  readonly character: string;
  /** Columns of its line. */
  readonly indentation: number;
}

interface ClosersBehind {
  /** How many of the openers are on the cursor's line: the last ones. */
  readonly onLine: number;
  /** Closers on the rest of the line. */
  readonly behind: readonly string[];
  /** Closers on the lines below; `isFirst`: nothing stands in front of it. */
  readonly below: readonly (Positioned & { readonly isFirst: boolean })[];
}

/** Whether `closer` ends what `opener` began: a bracket or a string. */
export function ends(closer: string, opener: string): boolean {
  return isString({ character: opener, index: 0 }) ? closer === opener : closes(closer, opener);
}

/**
 * The indices of `openers` that are closed. On the line as many of the outer ones as there are
 * closers: in `f(g(|)` the inner one is still to be closed. Below it, a closer that begins its line
 * closes the nearest opener of its kind in the columns of the opener's line, what is open inside that
 * one stays so; any other closer closes the innermost.
 */
export function closedOpeners(
  openers: readonly Positioned[],
  { onLine, behind, below }: ClosersBehind,
): ReadonlySet<number> {
  const closed = new Set<number>();
  const lineStart = openers.length - onLine;
  let outer = lineStart;
  for (const closer of behind.slice(0, onLine).reverse()) {
    const index = openers.findIndex((each, at) => at >= outer && ends(closer, each.character));
    if (index < 0) continue;
    closed.add(index);
    outer = index + 1;
  }
  const rest = openers.map((_, index) => index).filter((index) => !closed.has(index));
  const close = (at: number): void => {
    if (at < 0) return;
    for (const index of rest.splice(at).slice(0, 1)) closed.add(index);
  };
  const isLast = (closer: string): boolean => closes(closer, openers[rest.at(-1) ?? -1]?.character);
  for (const closer of behind.slice(onLine)) if (isLast(closer)) close(rest.length - 1);
  for (const { character, indentation, isFirst } of below) {
    const isPair = (index: number): boolean =>
      closes(character, openers[index]?.character) && openers[index]?.indentation === indentation;
    if (isFirst) close(rest.findLastIndex(isPair));
    else if (isLast(character)) close(rest.length - 1);
  }
  return closed;
}

/**
 * What `scanBrackets` does not know to be open, where the rest of the line closes it: a bracket in a
 * string, `<` of a type's arguments or of a tag.
 */
export function hiddenOpener(
  open: readonly Opener[],
  linePrefix: string,
  lineSuffix: string,
): Opener[] {
  const inner = open.at(-1);
  const start = inner === undefined ? 0 : inner.index + inner.character.length;
  const inside = linePrefix.slice(start);
  if (inner !== undefined && isString(inner)) {
    if (!lineSuffix.includes(inner.character)) return [];
    const index = lastUnclosed(inside, lineSuffix.trimStart().charAt(0));
    return index < 0 ? [] : [{ character: inside.charAt(index), index: start + index }];
  }
  const [angle] = /(?:\w|::|\))<[^;{}]*$|<[\w.]+(?:\s[^;]*)?$|<$/.exec(inside) ?? [];
  if (angle === undefined || !/^[^<>;(){}=]*\/?>/.test(lineSuffix)) return [];
  const index = lastUnclosed(inside, ">");
  return index < 0 ? [] : [{ character: "<", index: start + index }];
}

/** Where `text` has the last opener of `closer` that it does not close; -1: nowhere. */
function lastUnclosed(text: string, closer: string): number {
  let depth = 0;
  for (let index = text.length - 1; index >= 0; index -= 1) {
    if (text[index] === closer) depth += 1;
    else if (closes(closer, text[index]) && depth === 0) return index;
    else if (closes(closer, text[index])) depth -= 1;
  }
  return -1;
}
