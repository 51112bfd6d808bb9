// Places in real source code: a line cut at a word, with the true rest of it. The files are sources
// of the pinned development packages, so the same places come out on every machine.
import { readFileSync } from "node:fs";
import { createRandom } from "./random-tensor.ts";

export interface CodePlace {
  readonly path: string;
  readonly prefix: string;
  /** What truly stands between the cursor and the end of its line; not blank. */
  readonly rest: string;
  /** From that line end on. */
  readonly suffix: string;
}

const files = [
  "commander/lib/command.js",
  "commander/lib/help.js",
  "undici/lib/core/request.js",
  "undici/lib/core/util.js",
  "undici/lib/dispatcher/client.js",
  "undici/lib/dispatcher/client-h1.js",
  "undici/lib/web/fetch/body.js",
  "undici/lib/web/fetch/headers.js",
  "zod/src/v4/core/api.ts",
  "zod/src/v4/core/parse.ts",
  "zod/src/v4/core/schemas.ts",
  "zod/src/v4/core/to-json-schema.ts",
  "@huggingface/gguf/src/gguf.ts",
];

// So many lines before the cursor fill the prefix window.
const linesBefore = 40;

/** `count` places, the same ones for the same seed. */
export function pickCodePlaces(count: number, seed: number): CodePlace[] {
  const random = createRandom(seed);
  const texts = files.map((path) => ({ path, text: readFileSync(`node_modules/${path}`, "utf8") }));
  const places: CodePlace[] = [];
  while (places.length < count) {
    const { path, text } = pick(texts, random());
    const lines = text.split("\n");
    const row = linesBefore + Math.floor(random() * (lines.length - linesBefore));
    const line = lines[row] ?? "";
    const words = [...line.matchAll(/(?<=[\w)\]])(?=\W)|(?<=\W)(?=\w)/g)].slice(1);
    if (words.length < 2) continue;
    const column = pick(words, random()).index;
    if (line.slice(column).trim() === "") continue;
    const start = lines.slice(0, row).join("\n").length + 1;
    places.push({
      path,
      prefix: text.slice(0, start + column),
      rest: line.slice(column),
      suffix: text.slice(start + line.length),
    });
  }
  return places;
}

function pick<T>(values: readonly T[], uniform: number): T {
  const value = values[Math.floor(uniform * values.length)];
  if (value === undefined) throw new Error(`no value at ${uniform} of ${values.length}`);
  return value;
}
