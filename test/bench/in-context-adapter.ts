// An adapter as the benchmark of in-context learning uses it: texts by the mean of their virtual tokens.
import { defaults } from "../../sidecar/completion/defaults.ts";
import type { Engine } from "../../sidecar/engine/engine.ts";
import type { Adapter } from "../../sidecar/memory/adapter.ts";
import { EmbeddedEncoder } from "../../sidecar/memory/embedded-encoder.ts";
import { pool } from "../../sidecar/memory/virtual-tokens.ts";
import type { Tokenizer } from "../../sidecar/tokenizer/tokenizer.ts";

const { batch: chunk } = defaults.chunk;
/** Tokens for a virtual token: what the bank keeps of a memory, too. */
const ratio = 4;

export class PooledAdapter {
  readonly #encoder: EmbeddedEncoder;
  readonly #tokenizer: Tokenizer;
  readonly #pooled = new Map<string, Float32Array>();

  constructor(adapter: Adapter, engine: Engine, tokenizer: Tokenizer) {
    this.#encoder = new EmbeddedEncoder(engine, adapter);
    this.#tokenizer = tokenizer;
  }

  async pooled(text: string): Promise<Float32Array> {
    const known = this.#pooled.get(text);
    if (known !== undefined) return known;
    const ids = [...this.#tokenizer.encode(text)];
    const count = Math.max(1, Math.ceil(ids.length / ratio));
    const memory = await this.#encoder.encode(ids, { count, question: [], chunk });
    const vector = pool(this.#encoder.virtualTokens(memory, count));
    this.#pooled.set(text, vector);
    return vector;
  }
}
