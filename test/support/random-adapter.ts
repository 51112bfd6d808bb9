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
  /** Default 0: no LoRA. */
  readonly rank?: number;
}

export function adapterMetadata(
  { sha256, hiddenSize }: Backbone,
  { arm = "uni", rank = 0 }: AdapterOptions = {},
): Record<string, string> {
  return {
    ...(rank === 0 ? {} : { lora_rank: `${rank}` }),
    ...{ format: "pith-adapter", version: "1", backbone: "tiny", backbone_sha256: sha256 },
    ...{ hidden_size: `${hiddenSize}`, arm, ratios: "4,8,12" },
  };
}

export function adapterTensors(
  backbone: Backbone,
  { arm = "uni", type = "F32", scale = 0.05, rank = 0 }: AdapterOptions = {},
): WrittenSafetensor[] {
  const { hiddenSize: size } = backbone;
  const random = createRandom(7);
  const tensor = (name: string, shape: readonly number[], deviation: number): WrittenSafetensor => {
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
    ...loraShapes(backbone, rank).map(([name, shape]) => tensor(name, shape, 0.1)),
  ];
}

function loraShapes(backbone: Backbone, rank: number): [name: string, shape: number[]][] {
  const { hiddenSize, headCount, kvHeadCount, headDim, feedForwardSize } = backbone;
  const [queries, keys] = [headCount * headDim, kvHeadCount * headDim];
  const matrices: [name: string, rows: number, columns: number][] = [
    ["q", queries, hiddenSize],
    ["k", keys, hiddenSize],
    ["v", keys, hiddenSize],
    ["o", hiddenSize, queries],
    ["gate", feedForwardSize, hiddenSize],
    ["up", feedForwardSize, hiddenSize],
    ["down", hiddenSize, feedForwardSize],
  ];
  const layers = rank === 0 ? [] : Array.from({ length: backbone.layerCount }, (_, at) => at);
  return layers.flatMap((layer) =>
    matrices.flatMap(([name, rows, columns]): [string, number[]][] => [
      [`lora.${layer}.${name}.a`, [rank, columns]],
      [`lora.${layer}.${name}.b`, [rows, rank]],
    ]),
  );
}

export function randomAdapter(backbone: Backbone, options: AdapterOptions = {}): Uint8Array {
  const tensors = adapterTensors(backbone, options);
  return writeSafetensors(tensors, adapterMetadata(backbone, options));
}
