// Ghost text that the user types over stays: what is left of it is offered again, without a request.
// In: the text shown and the document then, the document now. Out: the rest, or null.

/** A completion as it was shown. */
export interface Shown {
  uri: string;
  /** The document before the cursor and after it, when the completion was made. */
  head: string;
  tail: string;
  text: string;
  /** How many characters after the cursor the text takes the place of. */
  replaced: number;
}

/** What is left of a completion: `text` in place of `replaced` characters after the cursor. */
export interface Rest {
  text: string;
  replaced: number;
}

/** Closing characters that editors add by themselves when the opening one is typed. */
const autoClosed = /^[)\]}>"'`]{1,3}/;

/** @returns null when the document is not what was shown with some of the text typed into it. */
export function restOf(shown: Shown, uri: string, head: string, tail: string): Rest | null {
  if (uri !== shown.uri || !head.startsWith(shown.head)) return null;
  const typed = head.slice(shown.head.length);
  if (typed.length >= shown.text.length || !shown.text.startsWith(typed)) return null;
  const text = shown.text.slice(typed.length);
  const taken = takenClosers(shown, typed, tail);
  if (taken > 0) return { text, replaced: shown.replaced - taken };
  const added = addedClosers(shown.tail, tail);
  if (added === null) return null;
  // The added characters are replaced only by a text that holds them: else they would be lost.
  if (!holdsInOrder(text, added)) return null;
  return { text, replaced: shown.replaced + added.length };
}

/** How many of the characters that the text replaces were typed over: editors step over closers. */
function takenClosers({ tail, replaced }: Shown, typed: string, now: string): number {
  const taken = tail.slice(0, tail.length - now.length);
  const isClosers = autoClosed.exec(taken)?.[0] === taken && taken.length <= replaced;
  return isClosers && tail.endsWith(now) && holdsInOrder(typed, taken) ? taken.length : 0;
}

/** What an editor closed by itself in front of the old tail; empty when nothing changed. */
function addedClosers(before: string, now: string): string | null {
  if (now === before) return "";
  const added = now.slice(0, now.length - before.length);
  const isClosers = autoClosed.exec(added)?.[0] === added;
  return isClosers && now.endsWith(before) ? added : null;
}

function holdsInOrder(text: string, characters: string): boolean {
  let from = 0;
  for (const character of characters) {
    from = text.indexOf(character, from) + 1;
    if (from === 0) return false;
  }
  return true;
}
