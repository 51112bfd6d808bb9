// Any text with the path of its file -> parts that end at statements, for those who have no workspace.
import { type CutOptions, cutText } from "./cut.ts";
import { languageOf } from "./syntax/languages.ts";
import type { SyntaxReader } from "./syntax/syntax.ts";

export interface PathedText {
  /** Says which language the text is in; without one it is cut at blank lines. */
  readonly path?: string | undefined;
  readonly text: string;
}

/** The parts in order; together they are the text. */
export async function cutStatements(
  reader: SyntaxReader,
  { path = "", text }: PathedText,
  options: CutOptions,
): Promise<string[]> {
  const { borders } = await reader.read(text, languageOf(path).grammar);
  return cutText(text, borders, options).map((piece) => piece.text);
}
