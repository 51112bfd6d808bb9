// Secrets in a text: keys of clouds and services, private keys, passwords in addresses, drawn values
// of telling names. Found by rules of our own (the folder secrets/) and by secretlint's recommended
// ones. A search that throws leaves the text unchecked, and nothing of it may be kept.
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { findInAddresses, isKnownLogin } from "./secrets/addresses.ts";
import type { Found } from "./secrets/found.ts";
import { findKeys } from "./secrets/key-blocks.ts";
import { findInManifests } from "./secrets/manifests.ts";
import { findNamedValues } from "./secrets/named-values.ts";
import { findServiceTokens, isDrawnToken } from "./secrets/service-tokens.ts";

const id = "@secretlint/secretlint-rule-preset-recommend";
const config = { rules: [{ id, rule: creator, options: {} }] };

const finders = [findKeys, findServiceTokens, findInAddresses, findInManifests, findNamedValues];

/** Lines that hold a secret, from 0, the end exclusive. */
export interface SecretLines {
  readonly startLine: number;
  readonly endLine: number;
}

/** In their order, none meeting another. Null when the text could not be searched. */
export async function findSecrets(text: string, path: string): Promise<SecretLines[] | null> {
  try {
    const linted = await findByLinter(text, path);
    return linesOf(text, [...linted, ...finders.flatMap((find) => [...find(text)])]);
  } catch {
    return null; // The caller withholds the whole text.
  }
}

async function findByLinter(text: string, path: string): Promise<Found[]> {
  const source = { content: text, filePath: path, contentType: "text" as const };
  const options = { config, noPhysicFilePath: true };
  const { messages } = await lintSource({ source, options });
  const found = messages.map(({ range: [start, end] }) => ({ start, end }));
  return found.filter(({ start, end }) => !isSample(text.slice(start, end)));
}

/** The linter takes for a secret what people write in its place. */
function isSample(found: string): boolean {
  const login = /:\/\/([^\s:@/]*):([^\s@]*)@(\S*)/.exec(found);
  if (login === null) return !found.includes("\n") && !isDrawnToken(found);
  return isKnownLogin(login[1] ?? "", login[2] ?? "", login[3] ?? "");
}

function linesOf(text: string, found: readonly Found[]): SecretLines[] {
  const lines: SecretLines[] = [];
  let [line, at] = [0, 0];
  for (const { start, end } of found.toSorted((a, b) => a.start - b.start)) {
    line += countLines(text, at, start);
    at = start;
    const endLine = line + countLines(text, start, Math.max(start, end - 1)) + 1;
    const last = lines.at(-1);
    if (last === undefined || last.endLine <= line) lines.push({ startLine: line, endLine });
    else lines.splice(-1, 1, { ...last, endLine: Math.max(last.endLine, endLine) });
  }
  return lines;
}

/** Breaks of lines from one offset up to another. */
function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1))
    count += 1;
  return count;
}
