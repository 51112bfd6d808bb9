// Texts by the mean of their virtual tokens, as an adapter's embedded memories have it.
import { defaults } from "../../sidecar/completion/defaults.ts";
import { entryCountAt, storedRatio } from "../../sidecar/memory/kept.ts";
import type { PithParts } from "./pith-parts.ts";

export type Pooled = (text: string) => Promise<Float32Array>;

const { batch: chunk } = defaults.chunk;

export function pooledBy({ memories, tokenizer }: PithParts): Pooled {
  const known = new Map<string, Float32Array>();
  return async (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const ids = [...tokenizer.encode(text)];
    const form = await memories.formOf("embedded");
    const share = { ids, count: entryCountAt(ids.length, storedRatio) };
    const { pooled } = await form.make(share, { chunk });
    known.set(text, pooled);
    return pooled;
  };
}
