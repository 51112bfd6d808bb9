// The tiny model in float32, prepared and loaded; all of it is removed when the test file ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { Engine, type EngineOptions } from "../../sidecar/engine/engine.ts";
import type { EngineModel } from "../../sidecar/engine/engine-model.ts";
import { prepareModel } from "../../sidecar/model/prepare.ts";
import { type TinyOptions, tinySource } from "../support/tiny-gguf.ts";

/** One thread: sums are then made in one order, and the machine stays free for other test files. */
export async function loadTinyEngine(
  tiny: TinyOptions = {},
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  const engine = await Engine.load(await prepareTiny(tiny), { threads: 1, ...options });
  after(() => engine.dispose());
  return engine;
}

export async function prepareTiny(tiny: TinyOptions = {}): Promise<EngineModel> {
  const folder = mkdtempSync(join(tmpdir(), "pith-tiny-"));
  after(() => rmSync(folder, { recursive: true }));
  const options = { variant: "fp32", sourceSha256: "0" } as const;
  return (await prepareModel(tinySource(tiny), join(folder, "model"), options)).engine;
}
