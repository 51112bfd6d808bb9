// Something that is loaded when it is first asked for. A load that fails is not remembered: whoever
// asks next tries again.

export class Lazy<Value> {
  readonly #load: () => Promise<Value>;
  #value: Promise<Value> | null = null;

  constructor(load: () => Promise<Value>) {
    this.#load = load;
  }

  /** @throws what the load throws */
  get(): Promise<Value> {
    if (this.#value !== null) return this.#value;
    const loading = this.#load();
    this.#value = loading;
    loading.catch(() => {
      if (this.#value === loading) this.#value = null;
    });
    return loading;
  }

  /** What was loaded, to be let go of: it is not remembered any more. null: there was none, or it failed. */
  async take(): Promise<Value | null> {
    const value = this.#value;
    this.#value = null;
    return (await value?.catch(() => null)) ?? null;
  }
}
