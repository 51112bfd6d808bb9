// A thread that counts tokens by the encodings of models elsewhere, for their budgets. A thread of its
// own, because loading an encoding takes a second and tens of megabytes, which end with it.
import { createRequire } from "node:module";
import { parentPort } from "node:worker_threads";
import { Tiktoken } from "tiktoken/lite";
import type { CountAnswer, CountRequest } from "./server/remote-counter.ts";

interface Encoding {
  bpe_ranks: string;
  special_tokens: Record<string, number>;
  pat_str: string;
}

if (parentPort === null) throw new Error("counter: this program runs in a worker thread only");
const port = parentPort;
const require = createRequire(import.meta.url);
const o200k = load("o200k_base");
const cl100k = load("cl100k_base");

port.on("message", ({ id, text }: CountRequest) => {
  const counts = { o200k: countOf(o200k, text), cl100k: countOf(cl100k, text) };
  port.postMessage({ id, counts } satisfies CountAnswer);
});

function load(name: string): Tiktoken {
  const encoding: Encoding = require(`tiktoken/encoders/${name}.json`);
  return new Tiktoken(encoding.bpe_ranks, encoding.special_tokens, encoding.pat_str);
}

/** Text that spells a special token counts as text. */
function countOf(encoder: Tiktoken, text: string): number {
  return encoder.encode_ordinary(text).length;
}
