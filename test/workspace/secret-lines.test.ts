// A line is withheld where it holds a secret, and nowhere else: of all the secrets none is let
// through, of the harmless lines no more than two are withheld.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom } from "../../sidecar/engine/random.ts";
import { findSecrets } from "../../sidecar/workspace/secrets.ts";
import { harmlessLines } from "./harmless-lines.ts";
import { secretLines } from "./secret-lines.ts";

const lower = "abcdefghijklmnopqrstuvwxyz";
const word = `${lower}${lower.toUpperCase()}0123456789`;
const alphabets: Record<string, string> = {
  word,
  hex: "0123456789abcdef",
  low: `${lower}0123456789`,
  up: `${lower.toUpperCase()}234567`,
  url: `${word}-_`,
  base: `${word}+/`,
  digit: "0123456789",
  pass: `${word}!#%&*?^~@+-_.`,
};

/** With its placeholders drawn, the same for the same seed. */
function draw(line: string, random: () => number): string {
  const drawn = (kind: string, count: number): string => {
    const letters = alphabets[kind] ?? "";
    return Array.from({ length: count }, () => letters[Math.floor(random() * letters.length)]).join(
      "",
    );
  };
  const uuid = (): string => [8, 4, 4, 4, 12].map((count) => drawn("hex", count)).join("-");
  return line
    .replace(/<([a-z]+):(\d+)>/g, (_, kind: string, count: string) => drawn(kind, Number(count)))
    .replace(/<uuid>/g, uuid);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

async function isWithheld(line: string): Promise<boolean> {
  const found = await findSecrets(`first\n${line}\nlast\n`, "a.txt");
  assert.notEqual(found, null);
  for (const each of found ?? []) assert.deepEqual(each, { startLine: 1, endLine: 2 });
  return found?.length !== 0;
}

const seeds = 20;

test(`none of ${linesOf(secretLines).length} lines with a secret is let through`, async () => {
  const missed = new Map<string, number>();
  for (const [at, line] of linesOf(secretLines).entries())
    for (let seed = 0; seed < seeds; seed += 1)
      if (!(await isWithheld(draw(line, createRandom(1_000 * at + seed)))))
        missed.set(line, (missed.get(line) ?? 0) + 1);
  assert.deepEqual([...missed], []);
});

test(`of ${linesOf(harmlessLines).length} harmless lines at most two are withheld`, async () => {
  const withheld: string[] = [];
  for (const line of linesOf(harmlessLines)) if (await isWithheld(line)) withheld.push(line);
  assert(withheld.length <= 2, withheld.join("\n"));
});
