// The page of Show Tokens: a text, token by token, as plain lines. Plain text, because every reader,
// screen readers too, knows how to go through it, search it and copy from it.
import type { TokenSplit } from "../sidecar/protocol.ts";
import type { Translate } from "./status-text.ts";

export interface TokenPage {
  /** What was split: file and lines. */
  source: string;
  model: string;
  split: TokenSplit;
  /** Ids that the model has hardly seen. */
  underTrained: ReadonlySet<number>;
}

/** A head of one line, then a line a token: its number, id, text, bytes, and a mark if there is one. */
export function tokenText({ source, model, split, underTrained }: TokenPage, t: Translate): string {
  const { ids } = split;
  const pieces = split.pieces.map((piece) => Buffer.from(piece, "base64"));
  const byteLength = pieces.reduce((sum, { length }) => sum + length, 0);
  const rows = pieces.map((bytes, index) => {
    const id = ids[index] ?? 0;
    const mark = underTrained.has(id) ? t("hardly seen in training") : "";
    return [
      `${index + 1}`,
      `${id}`,
      quoted(bytes),
      bytes.toString("hex").replaceAll(/..\B/g, "$& "),
      mark,
    ];
  });
  const names = [t("token"), t("id"), t("text"), t("bytes"), ""];
  const head = t("{0}: {1} bytes are {2} tokens of {3}", source, byteLength, ids.length, model);
  return `${[head, "", ...alignedLines([names, ...rows])].join("\n")}\n`;
}

/** As a string of JSON; bytes that are no text by themselves, being part of a character, as U+FFFD. */
function quoted(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("utf8"));
}

/** Columns as wide as their widest cell, but none wider than this. */
const widest = 32;

function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.min(widest, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        (column < 2 ? cell.padStart : cell.padEnd).call(cell, widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
