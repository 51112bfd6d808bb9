// What memories are given by the service, for those who make them without it.
import { UnsupportedError } from "../../sidecar/errors.ts";
import { KeptEncoder } from "../../sidecar/memory/kept-encoder.ts";
import type { Cutter } from "../../sidecar/memory/pieces.ts";
import { cutStatements } from "../../sidecar/workspace/statement-cutter.ts";
import { SyntaxReader } from "../../sidecar/workspace/syntax/syntax.ts";
import type { TinyModel } from "./tiny-engine.ts";

const reader = new SyntaxReader();

/** As the service cuts. */
export const cut: Cutter = (span, limits) => cutStatements(reader, span, limits);

/** For those who ask for no embedded memory. */
export const noAdapter = () => Promise.reject(new UnsupportedError("memory embedded: none here"));

type EncoderParts = Pick<TinyModel, "engine" | "tokenizer" | "loadGrams">;

/** As the service makes it. */
export function createKeptEncoder({ engine, tokenizer, loadGrams }: EncoderParts): KeptEncoder {
  return new KeptEncoder(engine, { vocabulary: tokenizer, loadGrams });
}
