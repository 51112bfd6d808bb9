// The model manager of the editor: lists, downloads and deletes models by the catalogue, and keeps
// the model that is open in step with that. Knows no LSP.
import { downloadModel } from "../catalogue/download.ts";
import { deleteModel, listModels, openStore, type StoredModel } from "../catalogue/store.ts";
import type { ModelEntry, Settings } from "../protocol.ts";
import type { ModelOwner } from "./model-owner.ts";
import { modelChoice } from "./settings.ts";

export interface ModelShelfOptions {
  readonly owner: ModelOwner;
  settings(): Settings;
  onNotice(text: string): void;
}

export interface DownloadCalls {
  readonly signal: AbortSignal;
  /** Told each whole percent. */
  onPercent(percent: number): void;
}

export class ModelShelf {
  readonly #options: ModelShelfOptions;

  constructor(options: ModelShelfOptions) {
    this.#options = options;
  }

  async list(): Promise<ModelEntry[]> {
    return (await listModels(await this.#openStore())).map(toEntry);
  }

  /** Fetches a model, and opens it when it is the one that is waited for. */
  async download(id: string, { signal, onPercent }: DownloadCalls): Promise<ModelEntry> {
    const { owner, onNotice } = this.#options;
    let last = -1;
    const onProgress = (bytes: number, total: number) => {
      const percent = Math.floor((100 * bytes) / total);
      if (percent === last) return;
      last = percent;
      onPercent(percent);
      owner.showDownload(id, percent / 100);
    };
    try {
      await downloadModel(await this.#openStore(), id, { signal, onProgress, onNotice });
      return await this.#entry(id);
    } finally {
      // Present now, or missing still: opening it tells.
      if (this.#options.settings().model === id) owner.use(modelChoice(this.#options.settings()));
    }
  }

  /** Deletes a model; the one that is open is closed first, so that no file of it is in use. */
  async delete(id: string): Promise<void> {
    const { owner, settings } = this.#options;
    const isOpen = settings().model === id;
    try {
      if (isOpen) await owner.close();
      await deleteModel(await this.#openStore(), id);
    } finally {
      if (isOpen) owner.open(modelChoice(settings()));
    }
  }

  #openStore() {
    return openStore({ folder: this.#options.settings().modelFolder });
  }

  async #entry(id: string): Promise<ModelEntry> {
    const entry = (await this.list()).find((each) => each.id === id);
    if (entry === undefined) throw new Error(`model ${id}: downloaded, but not in the list`);
    return entry;
  }
}

function toEntry({ id, title, licence, byteLength, state, file }: StoredModel): ModelEntry {
  return { id, title, licence, byteLength, state, file };
}
