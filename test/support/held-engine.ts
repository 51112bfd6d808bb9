import type { Engine } from "../../sidecar/engine/engine.ts";

/** The engine, of which every run begins when `hold` lets it, or fails as `hold` does. */
export function holdEngine(engine: Engine, hold: () => Promise<void>): Engine {
  const run: Engine["run"] = async (...given) => {
    await hold();
    return await engine.run(...given);
  };
  return new Proxy(engine, {
    get: (target, key) => {
      if (key === "run") return run;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
