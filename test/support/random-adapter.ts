// An adapter made in code: seeded vectors of the right shapes, which say nothing of what a trained
// one is worth. And the safetensors file that holds it.
import type { AdapterArm, Backbone } from "../../sidecar/memory/adapter.ts";
import { createRandom, randomTensor } from "./random-tensor.ts";

export interface WrittenSafetensor {
  readonly name: string;
  readonly type: "F32" | "F16" | "BF16";
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The bytes of a safetensors file. */
export function writeSafetensors(
  tensors: readonly WrittenSafetensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, type, shape, bytes } of tensors) {
    header[name] = { dtype: type, shape, data_offsets: [end, end + bytes.byteLength] };
    end += bytes.byteLength;
  }
  return joinFile(JSON.stringify(header), ...tensors.map(({ bytes }) => bytes));
}

/** Of any header, wrong ones too. */
export function joinFile(header: string, ...data: readonly Uint8Array[]): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), ...data]);
}

export interface AdapterOptions {
  /** Default `uni`. */
  readonly arm?: AdapterArm;
  /** Default F32. */
  readonly type?: WrittenSafetensor["type"];
  /** Of the embedding table's values, about; default 0.05. */
  readonly scale?: number;
}

export function adapterMetadata(
  { sha256, hiddenSize }: Backbone,
  arm: AdapterArm = "uni",
): Record<string, string> {
  return {
    ...{ format: "pith-adapter", version: "1", backbone: "tiny", backbone_sha256: sha256 },
    ...{ hidden_size: `${hiddenSize}`, arm, ratios: "4,8,12" },
  };
}

export function adapterTensors(
  { hiddenSize: size }: Backbone,
  { arm = "uni", type = "F32", scale = 0.05 }: AdapterOptions = {},
): WrittenSafetensor[] {
  const random = createRandom(7);
  const tensor = (name: string, shape: readonly number[], deviation: number) => {
    const count = shape.reduce((product, each) => product * each, 1);
    return { name, type, shape, bytes: randomTensor(random, type, count, deviation) };
  };
  const vector = (name: string) => tensor(name, [size], scale);
  return [
    vector("sep"),
    ...(arm === "uni+ pool" ? [] : [vector("slot")]),
    vector("cont"),
    vector("rec"),
    tensor("projection.weight", [size, size], 1 / Math.sqrt(size)),
    tensor("projection.bias", [size], 0.1),
    vector("norm.weight"),
    vector("norm.bias"),
  ];
}

export function randomAdapter(backbone: Backbone, options: AdapterOptions = {}): Uint8Array {
  const tensors = adapterTensors(backbone, options);
  return writeSafetensors(tensors, adapterMetadata(backbone, options.arm));
}
