// Rows that see the sink and nothing else, as a block that may stand anywhere.
import type { Engine, RunInput } from "../engine/engine.ts";
import type { KvBlock } from "../engine/kv-cache.ts";
import type { EncodeOptions } from "./kept-encoder.ts";

/** @param rows of the input. @throws CancelledError */
export async function runBehindSink(
  engine: Engine,
  {
    sink,
    input,
    rows,
  }: { readonly sink: KvBlock; readonly input: RunInput; readonly rows: number },
  options: EncodeOptions,
): Promise<KvBlock> {
  const cache = engine.createCache(sink.length + rows);
  cache.attach(sink);
  await engine.run(cache, input, options);
  return cache.copyBlock(sink.length, sink.length + rows);
}
