// The real models, for tests that need them. Set-up has fetched them; a test that runs alone fetches
// them itself, by the same catalogue and with the mirrors of this folder. All test files share them.
import { downloadModel } from "../../sidecar/catalogue/download.ts";
import { openStore } from "../../sidecar/catalogue/store.ts";

export type RealModelId = "smollm2-135m" | "qwen2.5-coder-0.5b";

/** The path of the verified GGUF file. */
export async function realWeights(id: RealModelId): Promise<string> {
  const { PITH_MIRRORS = "test/support/mirrors.json" } = process.env;
  return (await downloadModel(await openStore(), id, { mirrorsFile: PITH_MIRRORS })).file;
}
