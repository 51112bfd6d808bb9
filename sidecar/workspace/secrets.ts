// Secrets in a text, found by secretlint's recommended rules: keys of clouds and services, private
// keys, passwords in addresses. The rules throw where their expressions do; then the text counts as
// unchecked, and nothing of it may be kept.
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";

const id = "@secretlint/secretlint-rule-preset-recommend";
const config = { rules: [{ id, rule: creator, options: {} }] };

/** Lines that hold a secret, from 0, the end exclusive. */
export interface SecretLines {
  readonly startLine: number;
  readonly endLine: number;
}

/** Null when the text could not be searched. */
export async function findSecrets(text: string, path: string): Promise<SecretLines[] | null> {
  const source = { content: text, filePath: path, contentType: "text" as const };
  try {
    const options = { config, noPhysicFilePath: true };
    const { messages } = await lintSource({ source, options });
    return messages.map(({ range: [start, end] }) => ({
      startLine: lineOf(text, start),
      endLine: lineOf(text, Math.max(start, end - 1)) + 1,
    }));
  } catch {
    return null; // The caller withholds the whole text.
  }
}

function lineOf(text: string, offset: number): number {
  let line = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1))
    line += 1;
  return line;
}
