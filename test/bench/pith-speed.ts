// Pith's engine for the speed benchmark: the prepared model, without tokenizer and threads of its own.
import { Engine } from "../../sidecar/engine/engine.ts";
import type { EngineModel } from "../../sidecar/engine/engine-model.ts";
import { bestId } from "../../sidecar/engine/sampler.ts";
import type { SpeedEngine } from "./speed-engine.ts";

export interface PithSpeedOptions {
  readonly model: EngineModel;
  readonly threads: number;
  readonly capacity: number;
}

export async function loadPithSpeed(options: PithSpeedOptions): Promise<SpeedEngine> {
  const { model, threads, capacity } = options;
  const engine = await Engine.load(model, { threads });
  const cache = engine.createCache(capacity);
  let logits: Float32Array = new Float32Array(0);
  return {
    prefill: async (ids, chunk) => {
      ({ logits } = await engine.run(cache, ids, { logitsAt: "last", chunk }));
    },
    truncate: (length) => cache.truncate(length),
    decode: async (ids) => {
      for (const id of ids) ({ logits } = await engine.run(cache, [id], { logitsAt: "last" }));
    },
    bestId: () => bestId(logits),
  };
}
