// The page of Show What the Memory Keeps, for kept memories: the text of each, with the share of heads
// that kept a token as a shade, and as a number before each line for those who see no shades.
import type { KeptToken, ShadedText } from "../sidecar/protocol.ts";
import { memoryHead } from "./memory-text.ts";

/** A token's stretch of a line of the page. */
export interface Shade {
  line: number;
  start: number;
  end: number;
  /** Of the key/value heads, 0 to 1. */
  share: number;
}

export interface KeptPage {
  text: string;
  shades: Shade[];
}

/** A head for each memory as in the compressed view, its text indented below. */
export function keptPage(texts: readonly ShadedText[]): KeptPage {
  const lines: string[] = [];
  const shades: Shade[] = [];
  for (const { place, positions, tokens } of texts) {
    lines.push(memoryHead(place, tokens.length, positions));
    for (const line of keptLines(tokens)) {
      shades.push(...shadesOf(line, lines.length));
      lines.push(`${marginOf(line)}${line.map(({ text }) => text).join("")}`);
    }
  }
  return { text: `${lines.join("\n")}\n`, shades };
}

interface Part {
  text: string;
  share: number;
}

/** A token that goes over several lines has a part in each. */
function keptLines(tokens: readonly KeptToken[]): Part[][] {
  const decoder = new TextDecoder();
  const lines: Part[][] = [[]];
  for (const { piece, share } of tokens) {
    // A character that several tokens make up belongs to the last of them.
    const text = decoder.decode(Buffer.from(piece, "base64"), { stream: true });
    const [first = "", ...rest] = text.replaceAll("\r", "").split("\n");
    lines.at(-1)?.push({ text: first, share });
    for (const each of rest) lines.push(each === "" ? [] : [{ text: each, share }]);
  }
  if (lines.at(-1)?.length === 0) lines.pop();
  return lines;
}

/** As wide for every share: four to indent, the mean share of the line in percent, two blanks. */
function marginOf(line: readonly Part[]): string {
  const sum = line.reduce((total, { share }) => total + share, 0);
  const percent = line.length === 0 ? "" : `${percentOf(sum / line.length)} %`;
  return `    ${percent.padStart(5)}  `;
}

function shadesOf(line: readonly Part[], number: number): Shade[] {
  let end = marginOf(line).length;
  return line.flatMap(({ text, share }) => {
    const start = end;
    end += text.length;
    return text === "" ? [] : [{ line: number, start, end, share }];
  });
}

export function percentOf(share: number): number {
  return Math.round(100 * share);
}
