// The two pages of Show What the Memory Keeps, for embedded memories: the texts that they are made of,
// and those that the model writes from their virtual tokens alone.
import type { DecodedText } from "../sidecar/protocol.ts";
import { memoryHead } from "./memory-text.ts";

export interface DecodedPages {
  text: string;
  decoded: string;
}

/** On both a head for each memory as in the compressed view, its text indented below. */
export function decodedPages(texts: readonly DecodedText[]): DecodedPages {
  const pageOf = (side: "text" | "decoded") =>
    texts
      .map((each) => {
        const head = memoryHead(each.place, each.tokenCount, each.positions);
        return `${head}\n${indented(each[side])}`;
      })
      .join("");
  return { text: pageOf("text"), decoded: pageOf("decoded") };
}

/** Each line by four, the last one ended. */
function indented(text: string): string {
  const lines = text.replaceAll("\r", "").replace(/\n$/, "").split("\n");
  return lines.map((line) => `${`    ${line}`.trimEnd()}\n`).join("");
}
