import type { TestContext } from "node:test";

/** Sets variables (null: unsets them) until the test ends. */
export function setEnvironment(context: TestContext, values: Record<string, string | null>): void {
  const before = Object.keys(values).map((name) => [name, process.env[name] ?? null] as const);
  context.after(() => assign(before));
  assign(Object.entries(values));
}

function assign(values: readonly (readonly [string, string | null])[]): void {
  for (const [name, value] of values) {
    if (value === null) delete process.env[name];
    else process.env[name] = value;
  }
}
