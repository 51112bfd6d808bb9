// Where the cursor is in a document, and the text around it.
import type { InlineCompletionParams, Range } from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
/** The text around the cursor, as if the entry chosen in a suggestion list stood there already. */
export function cutAtCursor(
  document: TextDocument,
  { position, context }: InlineCompletionParams,
): { head: { text: string; selected: string }; tail: string; range: Range } {
  const { range, text: selected } = context.selectedCompletionInfo ?? {
    range: { start: position, end: position },
    text: "",
  };
  const text = document.getText();
  return {
    head: { text: text.slice(0, document.offsetAt(range.start)), selected },
    tail: text.slice(document.offsetAt(range.end)),
    range,
  };
}

/** `range` with as many characters more at its end, on the same line. */
export function extended({ start, end }: Range, characters: number): Range {
  return { start, end: { line: end.line, character: end.character + characters } };
}
