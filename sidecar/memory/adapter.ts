// An adapter: the trained vectors by which one model turns text into virtual tokens (UniICL,
// arXiv 2405.17062).
// In: a safetensors file as sidecar/adapters/README.md describes it. Out: the adapter, or why it is
// not one for this model.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { LowRankFactors } from "../engine/engine.ts";
import { FormatError, LimitError, UnsupportedError } from "../errors.ts";
import { quoted } from "../gguf/cursor.ts";
import { type LoraShape, readLora } from "./lora.ts";
import { parseSafetensors, type SafetensorsFile, type Tensor } from "./safetensors.ts";

const adapterVersion = "1";
const arms = ["uni", "uni+ slots", "uni+ pool"] as const;

/** How hidden states become virtual tokens: those of slots, or means over the text's own. */
export type AdapterArm = (typeof arms)[number];

/** Vectors are [hidden]. */
export interface Adapter {
  /** Of its file: memories of another adapter are other memories. */
  readonly sha256: string;
  readonly arm: AdapterArm;
  readonly hiddenSize: number;
  /** SEP, before the text. */
  readonly separator: Float32Array;
  /** M, at every slot; null: the arm pools. */
  readonly slot: Float32Array | null;
  /** CONT, behind the virtual tokens. */
  readonly continuation: Float32Array;
  /** REC, behind them instead: asks for the text again. */
  readonly reconstruction: Float32Array;
  /** [hidden, hidden], out and in, and a bias. */
  readonly projection: { readonly weight: Float32Array; readonly bias: Float32Array };
  /** Of the layer norm behind it, with the scale of the embedding table's rows in both. */
  readonly norm: { readonly weight: Float32Array; readonly bias: Float32Array };
  /** LoRA, beside the weights while text is compressed and at no other time. */
  readonly lora: LowRankFactors | null;
}

/** The model that an adapter has to be made for. */
export interface Backbone extends LoraShape {
  readonly sha256: string;
}

const maxRank = 256;
/** Adapters have at most 20 MB. */
const maxBytes = 64 * 2 ** 20;

/**
 * @throws FormatError for a file that is damaged or no adapter; UnsupportedError for one of another
 * version or made for other weights; LimitError for one that is too large
 */
export async function readAdapter(file: string, backbone: Backbone): Promise<Adapter> {
  const name = basename(file);
  const found = await stat(file).catch((cause: unknown) => {
    throw new UnsupportedError(`adapter: ${file} cannot be read`, { cause });
  });
  // A named pipe would be waited for without end.
  if (!found.isFile()) throw new UnsupportedError(`adapter: ${file} is no regular file`);
  const { size } = found;
  if (size > maxBytes) throw new LimitError(`${name}: ${size} bytes exceed ${maxBytes}`);
  return parseAdapter(name, await readFile(file), backbone);
}

/** @throws as `readAdapter`, whose file's bytes these are */
export function parseAdapter(name: string, bytes: Uint8Array, backbone: Backbone): Adapter {
  const file = parseSafetensors(name, bytes);
  const arm = checkMetadata(name, file, backbone);
  const rank = readRank(name, file);
  const { hiddenSize } = backbone;
  const tensors = new TensorReader(name, file.tensors);
  const vector = (tensor: string) => tensors.take(tensor, [hiddenSize]);
  const adapter: Adapter = {
    sha256: createHash("sha256").update(bytes).digest("hex"),
    ...{ arm, hiddenSize },
    separator: vector("sep"),
    slot: arm === "uni+ pool" ? null : vector("slot"),
    continuation: vector("cont"),
    reconstruction: vector("rec"),
    projection: {
      weight: tensors.take("projection.weight", [hiddenSize, hiddenSize]),
      bias: vector("projection.bias"),
    },
    norm: { weight: vector("norm.weight"), bias: vector("norm.bias") },
    lora: rank === 0 ? null : readLora((...wanted) => tensors.take(...wanted), rank, backbone),
  };
  tensors.checkAllTaken();
  return adapter;
}

function checkMetadata(
  name: string,
  { metadata }: SafetensorsFile,
  backbone: Backbone,
): AdapterArm {
  const read = (key: string): string => {
    const value = metadata.get(key);
    if (value === undefined) throw new FormatError(`${name}: metadata ${key} is missing`);
    return value;
  };
  const format = read("format");
  if (format !== "pith-adapter")
    throw new FormatError(`${name}: format ${format}, pith-adapter expected`);
  const version = read("version");
  if (version !== adapterVersion)
    throw new UnsupportedError(
      `${name}: adapter version ${version}, only ${adapterVersion} is read`,
    );
  const sha256 = read("backbone_sha256");
  if (sha256 !== backbone.sha256)
    throw new UnsupportedError(
      `${name}: adapter for ${read("backbone")} with SHA-256 ${sha256}, the model has ${backbone.sha256}`,
    );
  const size = read("hidden_size");
  if (size !== `${backbone.hiddenSize}`)
    throw new FormatError(`${name}: hidden_size ${size}, the model has ${backbone.hiddenSize}`);
  const arm = read("arm");
  const known = arms.find((each) => each === arm);
  if (known === undefined)
    throw new UnsupportedError(`${name}: arm ${arm}, only ${arms.join(", ")} are known`);
  return known;
}

/** 0 where there is no LoRA. */
function readRank(name: string, { metadata }: SafetensorsFile): number {
  const text = metadata.get("lora_rank") ?? "0";
  const rank = Number(text);
  if (!Number.isInteger(rank) || rank < 0)
    throw new FormatError(`${name}: lora_rank ${text} is no count`);
  if (rank > maxRank) throw new LimitError(`${name}: lora_rank ${rank} exceeds ${maxRank}`);
  return rank;
}

class TensorReader {
  readonly #name: string;
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #taken = new Set<string>();

  constructor(name: string, tensors: ReadonlyMap<string, Tensor>) {
    this.#name = name;
    this.#tensors = tensors;
  }

  /** @throws FormatError when it is missing, of another shape, or not finite */
  take(tensor: string, shape: readonly number[]): Float32Array {
    const found = this.#tensors.get(tensor);
    if (found === undefined) throw new FormatError(`${this.#name}: tensor ${tensor} is missing`);
    if (found.shape.join() !== shape.join())
      throw new FormatError(
        `${this.#name}: tensor ${tensor} is [${found.shape.join(", ")}], not [${shape.join(", ")}]`,
      );
    if (!found.values.every(Number.isFinite))
      throw new FormatError(`${this.#name}: tensor ${tensor} has a value that is not finite`);
    this.#taken.add(tensor);
    return found.values;
  }

  /** @throws FormatError for a tensor that nothing has asked for */
  checkAllTaken(): void {
    for (const tensor of this.#tensors.keys())
      if (!this.#taken.has(tensor))
        throw new FormatError(`${this.#name}: tensor ${quoted(tensor)} is unknown`);
  }
}
