// The lines of a text as hashes, which say whether it stands in another text and hold nothing of it.
import { createHash } from "node:crypto";

/** Base64 digits of a line: of 2^48 other lines one is taken for it. */
const digitCount = 8;

/** A space before and behind each hash: those of some lines of a text stand in those of the text. */
export function lineHashes(text: string): string {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.length === 0 ? "" : ` ${lines.map(hashOf).join(" ")} `;
}

function hashOf(line: string): string {
  return createHash("sha256").update(line).digest("base64").slice(0, digitCount);
}
