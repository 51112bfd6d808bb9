// The decoder as plain loops over dequantised weights: slow, obvious, and written without the graph
// in view, so that the two can disagree. For the tiny model; every position at once, no cache.
import type { ByteSource } from "../../sidecar/gguf/byte-source.ts";
import { dequantize } from "../../sidecar/gguf/dequantize.ts";
import { parseHeader } from "../../sidecar/gguf/header.ts";

/** Rows of equal length: [positions][width]. */
export type Rows = Float64Array<ArrayBuffer>[];

export interface ForwardResult {
  readonly embeddings: Rows; // [positions][hidden]
  readonly hidden: Rows; // [positions][hidden], after the final norm
  readonly logits: Rows; // [positions][vocabulary]
  /** Attention after softmax by layer: [layer][head][query][key]. */
  readonly attention: readonly (readonly Rows[])[];
  /** By layer [layer][positions][kvHeads headDim], keys rotated to their positions. */
  readonly keys: readonly Rows[];
  readonly values: readonly Rows[];
}

interface Model {
  readonly number: (key: string) => number;
  readonly isLlama: boolean;
  readonly tensor: (name: string) => Float32Array;
  readonly has: (name: string) => boolean;
}

/** What the model makes of `ids`, the first of them at position `origin`. */
export async function tinyForward(
  source: ByteSource,
  ids: readonly number[],
  origin = 0,
): Promise<ForwardResult> {
  const model = await readModel(source);
  const width = model.number("embedding_length");
  const table = model.tensor("token_embd.weight");
  const embeddings = ids.map((id) => Float64Array.from(table.slice(id * width, (id + 1) * width)));
  let stream = embeddings;
  const attention: Rows[][] = [];
  const allKeys: Rows[] = [];
  const allValues: Rows[] = [];
  for (let layer = 0; layer < model.number("block_count"); layer++) {
    const name = (part: string) => `blk.${layer}.${part}`;
    const normed = rmsNorm(model, stream, name("attn_norm.weight"));
    const queries = rotate(model, multiply(model, normed, name("attn_q")), origin);
    const keys = rotate(model, multiply(model, normed, name("attn_k")), origin);
    const values = multiply(model, normed, name("attn_v"));
    const { context, probabilities } = attend(model, { queries, keys, values });
    attention.push(probabilities);
    allKeys.push(keys);
    allValues.push(values);
    stream = addRows(stream, multiply(model, context, name("attn_output")));
    const inner = rmsNorm(model, stream, name("ffn_norm.weight"));
    const gate = multiply(model, inner, name("ffn_gate"));
    const up = multiply(model, inner, name("ffn_up"));
    const product = gate.map((row, at) =>
      row.map((value, i) => (value / (1 + Math.exp(-value))) * at2(up, at, i)),
    );
    stream = addRows(stream, multiply(model, product, name("ffn_down")));
  }
  const hidden = rmsNorm(model, stream, "output_norm.weight");
  const head = model.has("output.weight") ? "output" : "token_embd";
  const logits = multiply(model, hidden, head);
  return { embeddings, hidden, logits, attention, keys: allKeys, values: allValues };
}

/** Of one layer [head][query][key]: the mean over the queries and the heads of a group [kvHead][key]. */
export function meanAttention(heads: readonly Rows[], kvHeadCount: number): Rows {
  const groupSize = heads.length / kvHeadCount;
  return Array.from({ length: kvHeadCount }, (_, kvHead) => {
    const queries = heads.slice(kvHead * groupSize, (kvHead + 1) * groupSize).flat();
    const sum = queries.reduce((total, query) => total.map((each, key) => each + at(query, key)));
    return sum.map((each) => each / queries.length);
  });
}

async function readModel(source: ByteSource): Promise<Model> {
  const { metadata, tensors } = await parseHeader(source);
  const architecture = String(metadata.get("general.architecture"));
  const values = new Map<string, Float32Array>();
  for (const { name, type, dimensions, offset, byteLength } of tensors.values()) {
    const count = dimensions.reduce((product, each) => product * each, 1);
    values.set(name, dequantize(type, await source.read(offset, byteLength), count));
  }
  return {
    number: (key) => Number(metadata.get(`${architecture}.${key}`)),
    isLlama: architecture === "llama",
    has: (name) => values.has(name),
    tensor: (name) => values.get(name) ?? fail(`no tensor ${name}`),
  };
}

function attend(
  model: Model,
  { queries, keys, values }: { queries: Rows; keys: Rows; values: Rows },
) {
  const heads = model.number("attention.head_count");
  const kvHeads = model.number("attention.head_count_kv");
  const headDim = headDimOf(model);
  const context = queries.map(() => new Float64Array(heads * headDim));
  const probabilities: Rows[] = [];
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / (heads / kvHeads));
    const ofHead = queries.map((_, query) => {
      const scores = new Float64Array(queries.length).fill(Number.NEGATIVE_INFINITY);
      for (let key = 0; key <= query; key++) {
        let dot = 0;
        for (let i = 0; i < headDim; i++)
          dot += at2(queries, query, head * headDim + i) * at2(keys, key, kvHead * headDim + i);
        scores[key] = dot / Math.sqrt(headDim);
      }
      return softmax(scores);
    });
    probabilities.push(ofHead);
    for (const [query, row] of context.entries())
      for (let i = 0; i < headDim; i++)
        row[head * headDim + i] = queries.reduce(
          (sum, _, key) => sum + at2(ofHead, query, key) * at2(values, key, kvHead * headDim + i),
          0,
        );
  }
  return { context, probabilities };
}

/** RoPE (arXiv 2104.09864): llama's file pairs neighbours, qwen2's pairs the halves of a head. */
function rotate(model: Model, rows: Rows, origin: number): Rows {
  const base = model.number("rope.freq_base");
  const headDim = headDimOf(model);
  return rows.map((row, index) => {
    const position = origin + index;
    const result = row.slice();
    for (let head = 0; head < row.length; head += headDim)
      for (let i = 0; i < headDim / 2; i++) {
        const angle = position * base ** ((-2 * i) / headDim);
        const first = head + (model.isLlama ? 2 * i : i);
        const second = head + (model.isLlama ? 2 * i + 1 : i + headDim / 2);
        const [x, y] = [row[first] ?? 0, row[second] ?? 0];
        result[first] = x * Math.cos(angle) - y * Math.sin(angle);
        result[second] = x * Math.sin(angle) + y * Math.cos(angle);
      }
    return result;
  });
}

function headDimOf(model: Model): number {
  return model.number("embedding_length") / model.number("attention.head_count");
}

/** y = x W' + b for the tensors `name.weight` and, where there is one, `name.bias`. */
function multiply(model: Model, rows: Rows, name: string): Rows {
  const weight = model.tensor(`${name}.weight`);
  const bias = model.has(`${name}.bias`) ? model.tensor(`${name}.bias`) : null;
  return rows.map((row) => {
    const columns = row.length;
    return Float64Array.from({ length: weight.length / columns }, (_, out) => {
      let sum = bias?.[out] ?? 0;
      for (let i = 0; i < columns; i++) sum += (row[i] ?? 0) * (weight[out * columns + i] ?? 0);
      return sum;
    });
  });
}

function rmsNorm(model: Model, rows: Rows, name: string): Rows {
  const gain = model.tensor(name);
  const epsilon = model.number("attention.layer_norm_rms_epsilon");
  return rows.map((row) => {
    const square = row.reduce((sum, value) => sum + value * value, 0) / row.length;
    return row.map((value, i) => (value / Math.sqrt(square + epsilon)) * (gain[i] ?? 0));
  });
}

function softmax(scores: Rows[number]): Rows[number] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((total, each) => total + each, 0);
  return powers.map((each) => each / sum);
}

function addRows(left: Rows, right: Rows): Rows {
  return left.map((row, at) => row.map((value, i) => value + at2(right, at, i)));
}

function at(row: Rows[number], column: number): number {
  return row[column] ?? Number.NaN;
}

function at2(rows: Rows, row: number, column: number): number {
  return rows[row]?.[column] ?? Number.NaN;
}

function fail(message: string): never {
  throw new Error(message);
}
