// A folder for a prepared tiny model, gone when the test file ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { ByteSource } from "../../sidecar/gguf/byte-source.ts";
import {
  type PreparedModel,
  type PrepareOptions,
  prepareModel,
} from "../../sidecar/model/prepare.ts";

/** A name inside a fresh folder; nothing is there yet. */
export function freshFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), "pith-model-"));
  after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, "model");
}

export function prepare(
  source: ByteSource,
  options: Partial<PrepareOptions> = {},
  folder = freshFolder(),
): Promise<PreparedModel> {
  return prepareModel(source, folder, { variant: "lossless", sourceSha256: "0", ...options });
}
