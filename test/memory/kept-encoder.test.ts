// Pieces that several callers have encoded at once: idle work and a wish of the user's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CancelledError } from "../../sidecar/errors.ts";
import { encodeKept } from "../../sidecar/memory/kept-codec.ts";
import type { KeptEncoder } from "../../sidecar/memory/kept-encoder.ts";
import { createKeptEncoder } from "../support/memory-parts.ts";
import { openTiny, type TinyModel } from "../support/tiny-engine.ts";

let tiny: TinyModel;
before(async () => {
  tiny = await openTiny({ architecture: "qwen2" });
});
after(() => tiny.close());

const texts = ["const ring = the;\n", "export function other() {\n  return 12;\n}\n"];
const chunk = 8;

async function encode(encoder: KeptEncoder, text: string, signal?: AbortSignal): Promise<string> {
  const memory = await encoder.encode(tiny.tokenizer.encode(text), { chunk, signal });
  return Buffer.from(encodeKept(memory).payload).toString("hex");
}

test("pieces that are encoded at the same time are what they are alone", async () => {
  const alone: string[] = [];
  for (const text of texts) alone.push(await encode(createKeptEncoder(tiny), text));
  const encoder = createKeptEncoder(tiny);
  assert.deepEqual(await Promise.all(texts.map((text) => encode(encoder, text))), alone);
});

test("one that is cancelled does not keep the next from being encoded", async () => {
  const [first = "", second = ""] = texts;
  const encoder = createKeptEncoder(tiny);
  const cancelled = encode(encoder, first, AbortSignal.abort());
  const next = encode(encoder, second);
  await assert.rejects(cancelled, CancelledError);
  assert.equal(await next, await encode(createKeptEncoder(tiny), second));
});
