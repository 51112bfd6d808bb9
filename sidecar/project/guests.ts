// Documents at the place of a file that they are not: cells of a notebook, or one on no disk. In: what
// they say. Out: what they import and name, by their place; the oldest are forgotten.
import { identifiersOf } from "../selection/identifiers.ts";
import type { Import } from "../workspace/syntax/syntax.ts";

export interface GuestText {
  readonly text: string;
  readonly languageId: string;
}

interface Guest {
  readonly languageId: string;
  readonly imports: readonly Import[];
  readonly identifiers: ReadonlySet<string>;
}

/** Guests that are remembered. */
const guestLimit = 8;

export class Guests {
  readonly #guests = new Map<string, Guest>();

  at(path: string): Guest | undefined {
    return this.#guests.get(path);
  }

  receive(path: string, { text, languageId }: GuestText, imports: readonly Import[]): void {
    this.#guests.delete(path);
    const identifiers = new Set(identifiersOf(text));
    this.#guests.set(path, { languageId, imports, identifiers });
    for (const oldest of [...this.#guests.keys()].slice(0, -guestLimit))
      this.#guests.delete(oldest);
  }

  /** The document at `path` is the file itself. */
  dismiss(path: string): void {
    this.#guests.delete(path);
  }
}
