// A piece as virtual tokens, in one go.
import type { CompressOptions, EmbeddedEncoder } from "../../sidecar/memory/embedded-encoder.ts";
import type { VirtualTokens } from "../../sidecar/memory/virtual-tokens.ts";

export async function compress(
  encoder: EmbeddedEncoder,
  ids: readonly number[],
  options: CompressOptions,
): Promise<VirtualTokens> {
  return encoder.virtualTokens(await encoder.encode(ids, options), options.count);
}
